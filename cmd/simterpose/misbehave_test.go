package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMisbehavingGuests runs guests that crash, flood, fork and do not listen:
// each must end as a process on Linux does, and the run in order.
func TestMisbehavingGuests(t *testing.T) {
	folder := t.TempDir()
	experiment := filepath.Join(folder, "lab.yaml")
	text := `platform:
  hosts: [{name: a, cores: 2}, {name: b}, {name: island}]
  links: [{name: line, bandwidth: 10Mbps, latency: 5ms}]
  routes: [{from: a, to: b, links: [line]}]
processes:
  - {host: a, name: crash, command: [python3, -c, "import ctypes; ctypes.string_at(0)"], expect: {signal: SEGV}}
  - {host: a, name: abort, command: [python3, -c, "import os; os.abort()"], expect: {signal: ABRT}}
  - host: a
    name: forks
    command:
      - python3
      - -c
      - |
        import os, time
        for i in range(2000):
            if os.fork() == 0:
                time.sleep(10)
                os._exit(0)
        for i in range(2000):
            os.wait()
        print(time.monotonic() > 10)
  - {host: b, name: flood, command: "head -c 50000000 /dev/zero"}
  - {host: b, name: deaf, daemon: true, stop: 5s, command: "trap '' TERM; sleep 1000; sleep 1000", expect: running}
  - {host: b, name: told, command: "sleep 1000", stop: 7s, expect: {signal: TERM}}
  - {host: b, name: interrupted, command: [python3, -c, "import time; time.sleep(1000)"], stop: 7s, signal: INT, expect: {signal: INT}}
  - {host: b, name: leaver, command: [python3, -c, "import socket, os; s = socket.create_server(('', 80)); c, _ = s.accept(); c.send(b'x' * 100000); os._exit(3)"], expect: {exit: 3}}
  - host: a
    name: left
    start: 1s
    command:
      - python3
      - -c
      - |
        import socket, time
        c = socket.create_connection(("b", 80))
        n = 0
        while data := c.recv(4096):
            n += len(data)
        print(n)
        for i in range(2):
            try:
                c.send(b"y")
                time.sleep(1)
            except OSError as e:
                print(e)
  - {host: a, name: island, command: [python3, -c, "import socket; print(socket.socket().connect_ex(('island', 80)))"]}
  - {host: a, name: nobody, command: [python3, -c, "import socket, time; print(socket.socket().connect_ex(('10.9.9.9', 80)), int(time.monotonic()))"]}
`
	if err := os.WriteFile(experiment, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(folder, "out")
	if text, err := exec.Command("simterpose", "run", "-o", output, experiment).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	// EHOSTUNREACH is 113; ETIMEDOUT is 110, after 127 s of SYNs.
	for file, want := range map[string]string{
		"a/forks.stdout":  "True\n",
		"b/flood.stdout":  strings.Repeat("\x00", 50_000_000),
		"a/left.stdout":   "100000\n[Errno 32] Broken pipe\n",
		"a/island.stdout": "113\n",
		"a/nobody.stdout": "110 127\n",
	} {
		got, err := os.ReadFile(filepath.Join(output, "hosts", file))
		if err != nil || string(got) != want {
			t.Errorf("%s: %.200q (%v), want %.200q", file, got, err, want)
		}
	}
}
