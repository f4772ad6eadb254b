package testguests

import (
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestOwnNameServer binds the port of name servers at all addresses, as dnsmasq does:
// the one that each host has is not in its way, and still answers.
func TestOwnNameServer(t *testing.T) {
	file := experiment(t, `platform:
  hosts: [{name: server, speed: 1Gf}, {name: client, speed: 1Gf, address: 10.0.0.7}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - host: server
    name: server
    command:
      - /usr/bin/python3
      - -c
      - |
        import socket, subprocess
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.bind(("", 53))
        t = socket.create_server(("", 53))
        print(subprocess.run(["dig", "+short", "client"], capture_output=True, text=True).stdout, end="", flush=True)
        question, who = u.recvfrom(100)
        u.sendto(question.upper(), who)
        print(t.accept()[0].recv(100).decode())
  - host: client
    name: client
    start: 2s
    command:
      - /usr/bin/python3
      - -c
      - |
        import socket
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.sendto(b"question", ("server", 53))
        print(u.recv(100).decode())
        socket.create_connection(("server", 53)).send(b"over tcp")
`)
	r := lab.Experiment(t, file)
	finish(t, r)
	for name, want := range map[string]string{"server": "10.0.0.7\nover tcp\n", "client": "QUESTION\n"} {
		if got := r.Stdout(t, name, name); got != want {
			t.Errorf("%s printed %q, not %q", name, got, want)
		}
	}
}
