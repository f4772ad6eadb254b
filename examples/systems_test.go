package examples

import (
	"os"
	"path/filepath"
	"testing"
)

// systems are examples of distributed systems that people deploy. They check
// their results themselves, inside the guests.
var systems = []struct {
	name   string
	checks []check
}{
	{name: "redis-cluster", checks: []check{
		{"client/session.stdout", `(?s)^\[OK\].*keys on the primaries:\n22\n19\n19\nread again: 60\n` +
			`cluster_state:ok\ncluster_slots_ok:16384\ncluster_known_nodes:6\ncluster_size:3\n$`, nil},
	}},
	{name: "redis-sentinel", checks: []check{
		{"client/before.stdout", `^10.0.0.1\n6379\nOK\n2\n$`, nil},
		{"client/after.stdout", `^another primary\nmaster\nhello\nOK\n1\n$`, nil},
	}},
	{name: "parallel-python", checks: []check{
		{"server/manager.stdout", `^primes below 20000 are 2262\nworkers worker-1 worker-2 worker-3 worker-4\neach did some: True\n` +
			`(worker-. adds up to 24502500\n){4}squares 0 1 4 9 16 25 36 49\n$`, nil},
	}},
	{name: "postgresql", checks: []check{
		{"client/session.stdout", `(?s)^streaming\|async\nt\n.*processed: 200/200\n.*\nequal\nERROR:  cannot execute CREATE TABLE in a read-only transaction\n$`, nil},
	}},
	{name: "slurm", checks: []check{
		{"login/session.stdout", `^PARTITION .*\ndebug\* +up +infinite +4 +idle node-\[1-4\]\n(. is games on node-.\n){4}` +
			`(Submitted batch job .\n){3}JOBID .*\n2 primes games R 3 node-\[1-3\]\n3 waits games PD 2 \(Resources\)\n` +
			`JobName=primes JobState=COMPLETED RunTime=00:01:00 BatchHost=node-1\n` +
			`JobName=waits JobState=COMPLETED RunTime=00:01:00 BatchHost=node-1\nJobName=unwanted JobState=CANCELLED RunTime=00:00:00\n` +
			`primes on node-\[1-3\]\nnode-1 3569\nnode-2 3076\nnode-3 2947\n9592 in all\n` +
			`waits on node-\[1-2\]\nnode-1 95\nnode-2 73\n168 in all\nsrun: error: node-2: task 1: Exited with exit code 4\n4 idle\n$`, nil},
	}},
	{name: "work-queue", checks: []check{
		{"master/makeflow.stdout", `^ 840 420 280 210 168 140 120 105\n( [0-9 ]+\n){6} 105 105 35 105 21 35 15 105\n9 hosts took part\n$`, nil},
	}},
	{name: "mpi", checks: []check{
		{"node-1/mpich.stdout", mpi, between(0.8, 1.2)},
		{"node-1/openmpi.stdout", mpi, between(0.8, 1.2)},
	}},
	{name: "rabbitmq", checks: []check{
		{"publisher/publisher.stdout", `^200 numbers confirmed by both nodes\n$`, nil},
		{"consumer/consumer.stdout", `^200 numbers, in order: True, sum 20100\n$`, nil},
		{"rabbit-2/status.stdout", `Running Nodes[^a-z]*0m\n\nrabbit@rabbit-1\nrabbit@rabbit-2\n`, nil},
	}},
	{name: "bittorrent", checks: []check{
		{"peer-1/aria2.stdout", `(?m)^complete$`, nil},
		{"peer-8/aria2.stdout", `(?m)^complete$`, nil},
		{"../summary.json", `"name": "seeder",\s+"bytes_sent": ([0-9]+)`, between(4<<20, 4*4<<20)},
	}},
	{name: "etcd", checks: []check{
		{"client/client.stdout", `^written and read through each member\nalive: node-. node-.; one leader; [0-9]+ numbers, none lost\n$`, nil},
	}},
	{name: "serf", checks: []check{
		{"node-01/loss.stdout", `^node-01 sees 49 alive and 1 failed\n$`, nil},
	}},
	{name: "zookeeper", checks: []check{
		{"client/client.stdout", `^zoo-1 knows all\nzoo-2 knows all\nzoo-3 knows all\n$`, nil},
	}},
	{name: "web", checks: []check{
		{"client/client.stdout", `^node 1.1\njava HTTP/1.1\ngo HTTP/1.1\nnode 2.0\ngo HTTP/2.0\n200\n200\nVerification: OK\n` +
			`(http://.* Requests/sec: +[0-9.]+\n){3}(1000 succeeded, 0 failed, 0 errored, 0 timeout\n){2}$`, nil},
		{"client/client.stdout", `go:8003/ Requests/sec: +([0-9.]+)`, between(9500, 10000)},
	}},
	{name: "names", checks: []check{
		{"client/client.stdout", `60 records over TCP\nzone transferred\n;; Query time: 40 msec\n$`, nil},
	}},
	{name: "ntp", checks: []check{
		{"client/before.stdout", `^23:55:00\n$`, nil},
		{"client/client.stdout", `(?m)^Frequency +: ([0-9.]+) ppm slow$`, between(79, 81)},
		{"client/client.stdout", `chrony is right\n$`, nil},
	}},
}

// mpi is what the program of the example mpi prints.
const mpi = `^8 ranks on node-1 node-2 node-3 node-4 node-5 node-6 node-7 node-8\nring: token 280, ([0-9.]+) ms a round\n` +
	`all-reduce: 0 wrong, [0-9.]+ ms\nprimes: 17984 below 200000\n$`

func TestSystems(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	build(t, "..", simterpose, "./cmd/simterpose")
	build(t, "web", "web", ".")
	for _, compiler := range []string{"mpich", "openmpi"} {
		compileWith(t, "mpicc."+compiler, filepath.Join("mpi", "mpi.c"), filepath.Join("mpi", compiler))
	}
	for _, s := range systems {
		t.Run(s.name, func(t *testing.T) {
			first := filepath.Join(t.TempDir(), "out")
			run(t, simterpose, s.name, first)
			look(t, first, s.checks)
			kept := first + ".first"
			if err := os.Rename(first, kept); err != nil {
				t.Fatal(err)
			}
			trace := first + ".trace"
			run(t, simterpose, s.name, first, "--record", trace, "--mediation", "translation", "--interceptor", *again)
			compare(t, kept, first)
			replayed(t, simterpose, s.name, trace, first)
		})
	}
}
