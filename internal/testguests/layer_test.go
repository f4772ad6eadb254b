package testguests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// layered writes, on one host, to the machine's folders, and looks at them on
// another.
const layered = `platform:
  hosts: [{name: "h[1-2]", speed: 1Gf}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - host: h1
    name: writer
    command: |
      set -e; cd /etc
      echo mine > own; rm debian_version; mkdir -p /var/simterpose-test/below /srv/simterpose-test
      echo data > /var/simterpose-test/below/file; echo t > /var/tmp/t
      ls -A /var/tmp; cat own; ! test -e debian_version
      mv own renamed; cat /etc/renamed; echo 10.0.0.9 nine >> hosts; tail -n 1 hosts
      ! mkdir /simterpose-test
  - host: h2
    name: reader
    start: 1s
    command: cat /etc/hostname /etc/debian_version; ls -A /var/tmp /srv/simterpose-test /etc/renamed /var/simterpose-test /simterpose-test; tail -n 1 /etc/hosts
`

func TestHostsWriteIntoLayers(t *testing.T) {
	version, err := os.ReadFile("/etc/debian_version")
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range lab.Runners() {
		t.Run(who.Name, func(t *testing.T) {
			t.Parallel()
			folder := who.Folder(t)
			file := filepath.Join(folder, "experiment.yaml")
			write(t, file, layered)
			r := who.Experiment(t, file, filepath.Join(folder, "output"))
			want := "t\nmine\nmine\n10.0.0.9 nine\n"
			if got := r.Stdout(t, "h1", "writer"); got != want {
				t.Errorf("the writer printed\n%swant\n%s%s", got, want, r.Stderr(t, "h1", "writer"))
			}
			want = "h2\n" + string(version) + "/var/tmp:\nfd00::a00:2 h2\n"
			if got := r.Stdout(t, "h2", "reader"); got != want {
				t.Errorf("the reader printed\n%swant\n%s", got, want)
			}
			layer := filepath.Join(r.Output, "layers", "h1")
			for name, want := range map[string]string{"etc/renamed": "mine\n", "var/simterpose-test/below/file": "data\n", "var/tmp/t": "t\n"} {
				if got, err := os.ReadFile(filepath.Join(layer, name)); err != nil || string(got) != want {
					t.Errorf("%s in the layer: %q, %v; want %q", name, got, err, want)
				}
			}
			removed, err := os.Lstat(filepath.Join(layer, "etc/debian_version"))
			if err != nil || removed.Mode()&os.ModeCharDevice == 0 {
				t.Errorf("no mark of the removed file in the layer: %v, %v", removed, err)
			}
			if left, err := os.ReadDir(filepath.Join(r.Output, "layers")); err != nil || len(left) != 2 {
				t.Errorf("left in layers: %v, %v", left, err)
			}
		})
	}
}

// TestManyLayers runs more hosts than have their layers on disk from the start.
func TestManyLayers(t *testing.T) {
	who := lab.Runners()[0]
	folder := who.Folder(t)
	file := filepath.Join(folder, "experiment.yaml")
	write(t, file, `platform:
  hosts: [{name: "h[1-41]", speed: 1Gf}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - {hosts: "*", command: "mkdir /srv/own && hostname > /srv/own/name && ln -s name /srv/own/link && rm /etc/debian_version"}
`)
	r := who.Experiment(t, file, filepath.Join(folder, "output"))
	finish(t, r)
	layers := filepath.Join(r.Output, "layers")
	for _, host := range []string{"h1", "h41"} {
		text, err := os.ReadFile(filepath.Join(layers, host, "srv/own/link"))
		if err != nil || string(text) != host+"\n" {
			t.Errorf("%s kept %q, %v", host, text, err)
		}
		if _, err := os.Lstat(filepath.Join(layers, host, "etc/debian_version")); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(layers); err != nil || len(left) != 41 {
		t.Errorf("%d left in layers, %v", len(left), err)
	}
}

// TestClosedFolders has an ordinary user's hosts have folders of the machine's that
// this user may not read or write.
func TestClosedFolders(t *testing.T) {
	if os.Getuid() != 0 {
		return // nobody else can make them
	}
	for _, runner := range lab.Runners() {
		t.Run(runner.Name, func(t *testing.T) {
			folder := outside(t)
			for _, f := range []struct {
				name string
				mode os.FileMode
			}{{"closed/in", 0o755}, {"closed", 0}, {"constant/in", 0o755}, {"constant", 0o555}} {
				if err := os.MkdirAll(filepath.Join(folder, f.name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(filepath.Join(folder, f.name), f.mode); err != nil {
					t.Fatal(err)
				}
			}
			file := filepath.Join(runner.Folder(t), "experiment.yaml")
			write(t, file, fmt.Sprintf(`platform: {hosts: [{name: host}]}
processes:
  - {host: host, name: sh, command: "cd %s; stat -c '%%n %%a' *; ls constant; echo new > closed/new; cat closed/new"}
`, folder))
			r := runner.Experiment(t, file, filepath.Join(filepath.Dir(file), "output"))
			if got := r.Stdout(t, "host", "sh"); got != "closed 0\nconstant 555\nin\nnew\n" {
				t.Errorf("the guest printed:\n%s%s", got, r.Stderr(t, "host", "sh"))
			}
		})
	}
}
