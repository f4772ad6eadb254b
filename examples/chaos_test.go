package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChaos runs two minutes of the hour of chaos-etcd, or all of it with
// -everywhere.
func TestChaos(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	build(t, "..", simterpose, "./cmd/simterpose")
	folder := t.TempDir()
	build(t, "..", filepath.Join(folder, "chaos"), "./examples/chaos-etcd")
	for _, name := range []string{"experiment.yaml", "node"} {
		content, err := os.ReadFile(filepath.Join("chaos-etcd", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		if name == "experiment.yaml" && !*everywhere {
			if text = strings.Replace(text, "-for 1h", "-for 2m", 1); text == string(content) {
				t.Fatal("the experiment says no more how long the clients work")
			}
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	output := filepath.Join(t.TempDir(), "out")
	run(t, simterpose, folder, output)
	look(t, output, []check{{"client/client.stdout", `\n[0-9]{3,} operations, [0-9]+ requests without an answer\nlinearizable\n$`, nil}})
}
