package examples

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var everywhere = flag.Bool("everywhere", false, "run the long examples over all platforms too")

// elsewhere is what the examples show whatever the network, and whether it
// takes a while to simulate.
var elsewhere = []struct {
	name   string
	long   bool
	checks []check
}{
	{name: "http", checks: []check{{"client/curl.stdout", `^200 10000000 [0-9.]+\n$`, nil}}},
	{name: "redis", checks: []check{
		{"client-1/values.stdout", `^OK\n1\n1\nhello\nREADONLY You can't write against a read only replica.\n\n$`, nil},
		{"client-2/benchmark.stdout", `(?m)^"GET","[0-9.]+"`, nil},
		{"replica/redis-server.stdout", `MASTER <-> REPLICA sync: Finished with success`, nil},
	}},
	{name: "nginx", long: true, checks: []check{
		{"client/curl.stdout", `^hello\n$`, nil},
		{"client/wrk.stdout", `(?m)^Requests/sec: +[0-9.]+$`, nil},
	}},
	{name: "iperf3", long: true, checks: []check{
		{"client/tcp.stdout", `[0-9.]+ [MG]bits/sec +receiver`, nil},
		{"client/udp.stdout", `[0-9.]+ Mbits/sec .*receiver`, nil},
	}},
	{name: "go-http", checks: []check{{"client-2/client.stdout", `^slept 100ms in 1[0-9.]+ms\n(?s:.*)\ndeadline exceeded after 5[0-9.]*s\n$`, nil}}},
	{name: "asyncio", checks: []check{{"client-3/client.stdout", `^slept 1 1[0-9.]*\nslept 2\.5 2\.5[0-9]*\ndeadline 5[0-9.]*\n$`, nil}}},
	{name: "shell", checks: []check{{"alpha/script.stdout", `(?s)^alpha\n.*fd00::a00:2 +beta\neth0@if1000 UP 10.0.0.1/8 \nPING .*3 received, 0% packet loss`, nil}}},
	{name: "prototype", checks: []check{{"Jupiter/client.stdout", `(?s)^.*answer 0\n.*answer 4\n.*passed\n$`, nil}}},
	{name: "ssh", long: true, checks: []check{
		{"client/session.stdout", `^server\n2030-01-01\ndea9193b768319cbb4ff1a137ac03113  -\ndea9193b768319cbb4ff1a137ac03113  -\n$`, nil},
	}},
}

// TestExamplesOnOtherPlatforms runs the examples as they are over platforms of
// every other kind.
func TestExamplesOnOtherPlatforms(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	prepare(t, simterpose)
	platforms, err := filepath.Glob("platforms/*.xml")
	if err != nil || len(platforms) < 4 {
		t.Fatalf("%d platforms (%v)", len(platforms), err)
	}
	for _, platform := range platforms {
		for _, e := range elsewhere {
			if e.long && !*everywhere {
				continue
			}
			t.Run(filepath.Base(platform)+"/"+e.name, func(t *testing.T) {
				output := filepath.Join(t.TempDir(), "out")
				run(t, simterpose, e.name, output, "--platform", platform)
				look(t, output, e.checks)
				if e.long {
					return
				}
				kept := output + ".first"
				if err := os.Rename(output, kept); err != nil {
					t.Fatal(err)
				}
				run(t, simterpose, e.name, output, "--platform", platform)
				compare(t, kept, output)
			})
		}
	}
}
