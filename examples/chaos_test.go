package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestChaos runs half a minute of chaos for etcd with two seeds: what the clients
// saw is linearizable, and not the same. With -everywhere it runs the whole hour,
// and again with the same seed, which makes no difference.
func TestChaos(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	build(t, "..", simterpose, "./cmd/simterpose")
	build(t, ".", filepath.Join("chaos-etcd", "chaos"), "./chaos-etcd")
	file := "short.yaml"
	var again []string
	if *everywhere {
		file, again = "experiment.yaml", []string{"--verify", "2"}
	}
	history := func(seed string, flags ...string) []byte {
		t.Helper()
		output := filepath.Join(t.TempDir(), "out")
		arguments := append([]string{"run", "--seed", seed, "--output", output, filepath.Join("chaos-etcd", file)}, flags...)
		if out, err := exec.Command(simterpose, arguments...).CombinedOutput(); err != nil {
			t.Fatalf("seed %s: %v\n%s", seed, err, out)
		}
		look(t, output, []check{{"client/client.stdout", `\n[0-9]{2,} operations, [0-9]+ requests without an answer\nlinearizable\n$`, nil}})
		text, err := os.ReadFile(filepath.Join(output, "hosts", "client", "client.stdout"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if bytes.Equal(history("1", again...), history("2")) {
		t.Error("two seeds have the same history")
	}
}
