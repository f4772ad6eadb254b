package testguests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

const withFiles = `platform:
  hosts: [{name: "h[1-2]", speed: 1Gf}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
files:
  - {hosts: "*", path: /etc/simterpose-test/deep/conf, text: "{{host.name}} {{index}} {{hosts}}\n", mode: "640"}
  - {host: h1, path: /etc/debian_version, text: "mine\n"}
  - {host: h1, path: /tmp/copy, source: experiment.yaml, mode: "4755"}
processes:
  - hosts: "*"
    name: p
    command: |
      cd /etc/simterpose-test; ls -l /etc/simterpose-test/deep | cut -c 1-22; cat deep/conf
      test "$(hostname)" = h2 || { cat /etc/debian_version; cmp /tmp/copy /run/experiment/experiment.yaml && stat -c %a /tmp/copy; }
      mkdir /var/log/my; echo result of $(hostname) > /var/log/my/log
collect:
  - {hosts: "*", path: [/var/log/my, /etc/simterpose-test/deep/conf]}
`

func TestFilesPutAndCollected(t *testing.T) {
	for _, who := range lab.Runners() {
		t.Run(who.Name, func(t *testing.T) {
			t.Parallel()
			folder := who.Folder(t)
			file := filepath.Join(folder, "experiment.yaml")
			write(t, file, withFiles)
			r := who.Experiment(t, file, filepath.Join(folder, "output"))
			finish(t, r)
			for host, want := range map[string]string{
				"h1": "total 4\n-rw-r----- 1 root root\nh1 1 h1 h2\nmine\n4755\n",
				"h2": "total 4\n-rw-r----- 1 root root\nh2 2 h1 h2\n",
			} {
				if got := r.Stdout(t, host, "p"); got != want {
					t.Errorf("%s printed\n%swant\n%s", host, got, want)
				}
				got, err := os.ReadFile(filepath.Join(r.Output, "collect", host, "var/log/my/log"))
				if want := "result of " + host + "\n"; err != nil || string(got) != want {
					t.Errorf("collected %q, %v", got, err)
				}
				if _, err := os.Stat(filepath.Join(r.Output, "collect", host, "etc/simterpose-test/deep/conf")); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
