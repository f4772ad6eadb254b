"""echo_server.py PORT CLIENTS single|threaded: echoes the lines of so many clients."""
import socketserver
import sys
import threading

port, clients, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Single(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 16


class Threaded(socketserver.ThreadingMixIn, Single):
    pass


with (Threaded if kind == "threaded" else Single)(("0.0.0.0", port), Echo) as server:
    print("listening", flush=True)
    for _ in range(clients):
        server.handle_request()
print("served", clients)
