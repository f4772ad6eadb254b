// Web is an HTTP server on port 8003, and with HTTP/2 and TLS on port 8444.
package main

import (
	"fmt"
	"log"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "go %s\n", r.Proto)
	})
	go func() { log.Fatal(http.ListenAndServe(":8003", nil)) }()
	log.Fatal(http.ListenAndServeTLS(":8444", "cert.pem", "key.pem", nil))
}
