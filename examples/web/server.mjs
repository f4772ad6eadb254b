// HTTP/1.1 on 8001; HTTP/2 over TLS on 8443.
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { readFileSync } from "node:fs";

const answer = (request, response) => {
	response.setHeader("Content-Type", "text/plain");
	response.end(`node ${request.httpVersion}\n`);
};
createServer(answer).listen(8001);
createSecureServer({ key: readFileSync("key.pem"), cert: readFileSync("cert.pem") }, answer).listen(8443);
