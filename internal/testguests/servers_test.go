package testguests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// database makes a PostgreSQL cluster as its service user, which it insists on,
// and asks it from another host.
const database = `platform:
  hosts: [{name: db, speed: 1Gf}, {name: client, speed: 1Gf}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - host: db
    name: postgres
    daemon: true
    command: |
      set -e
      bin=$(echo /usr/lib/postgresql/*/bin)
      install -d -o postgres -g postgres /var/lib/simterpose-test /run/postgresql
      su postgres -c "$bin/initdb -D /var/lib/simterpose-test/data -A trust"
      echo "host all all all trust" >> /var/lib/simterpose-test/data/pg_hba.conf
      exec su postgres -c "$bin/postgres -D /var/lib/simterpose-test/data -c listen_addresses='*'"
  - host: client
    name: psql
    start: 20s
    command: psql -h db -U postgres -At -c 'create table t(a int)' -c 'insert into t select generate_series(1, 1000)' -c 'select sum(a), current_user from t'
`

// TestServersAsUser starts servers that insist on users of their own, and on
// being root before, for an ordinary user.
func TestServersAsUser(t *testing.T) {
	key, err := os.ReadFile("../../examples/ssh/key")
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile("../../examples/ssh/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	ssh, err := os.ReadFile("../../examples/ssh/experiment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	runners := lab.Runners()
	who := runners[len(runners)-1]
	for _, test := range []struct {
		name, experiment, host, process, want string
		files                                 map[string]string
	}{
		{
			"postgres", database, "client", "psql", "CREATE TABLE\nINSERT 0 1000\n500500|postgres\n", nil,
		},
		{
			"ssh", string(ssh), "client", "session", "server\n2030-01-01\ndea9193b768319cbb4ff1a137ac03113  -\ndea9193b768319cbb4ff1a137ac03113  -\n",
			map[string]string{"key": string(key), "key.pub": string(public)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			folder := who.Folder(t)
			for name, text := range test.files {
				write(t, filepath.Join(folder, name), text)
			}
			file := filepath.Join(folder, "experiment.yaml")
			write(t, file, test.experiment)
			r := who.Experiment(t, file, filepath.Join(folder, "output"))
			finish(t, r)
			if got := r.Stdout(t, test.host, test.process); got != test.want {
				t.Errorf("printed\n%swant\n%s%s", got, test.want, strings.Join([]string{r.Stderr(t, test.host, test.process), r.Terminal}, "\n"))
			}
		})
	}
}
