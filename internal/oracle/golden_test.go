package oracle

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/simterpose/simterpose/platform"
)

var update = flag.Bool("update", false, "write the routes that package platform is tested with anew")

// goldenKinds are the files of format.txtar whose routes package platform is
// tested with where there is no SimGrid: each way of routing.
var goldenKinds = []string{
	"route-not-symmetrical", "bypass", "routing-Floyd", "routing-Dijkstra", "routing-DijkstraCache",
	"nested-Full", "nested-Floyd", "nested-Dijkstra", "nested-one-way", "nested-bypass", "nested-bypassAS",
	"cluster", "cluster-all", "cluster-shared", "clusters-in-zone", "torus", "torus-limiter-loopback", "fat-tree", "fat-tree-limiter",
	"dragonfly", "dragonfly-limiter", "star-backbone", "star-cabinets", "star-loopback-route",
	"peers", "vivaldi-hosts", "vivaldi-zones", "wifi",
}

// TestGoldenRoutes holds the routes of platform/testdata/routes.txtar against
// SimGrid's, or writes them there.
func TestGoldenRoutes(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "format.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	golden := &txtar.Archive{Comment: []byte("Platforms and all their routes as SimGrid 3.32 has them:\n" +
		"source, destination, latency in seconds, links.\n" +
		"Written by go test ./internal/oracle -run TestGoldenRoutes -update\n")}
	for _, kind := range goldenKinds {
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == kind+".xml" })
		if i < 0 {
			t.Fatalf("format.txtar has no %s.xml", kind)
		}
		text := document(string(archive.Files[i].Data))
		dir := t.TempDir()
		file := write(t, dir, "platform.xml", text)
		p, err := platform.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		var pairs, questions, answers strings.Builder
		for _, src := range p.Hosts {
			for _, dst := range p.Hosts {
				if _, err := p.Route(src, dst); err != nil {
					continue
				}
				fmt.Fprintf(&pairs, "%s %s\n", src.Name, dst.Name)
				fmt.Fprintf(&questions, "route %s %s\n", escape(src.Name), escape(dst.Name))
			}
		}
		theirs, err := ask(file, write(t, dir, "scenario.txt", questions.String()), setting{"LV08", true}.options()...)
		if err != nil {
			t.Fatal(err)
		}
		for k, pair := range strings.Split(strings.TrimSuffix(pairs.String(), "\n"), "\n") {
			fmt.Fprintf(&answers, "%s %.17g %s\n", pair, theirs.items[k].latency, strings.Join(theirs.items[k].links, " "))
		}
		golden.Files = append(golden.Files, txtar.File{Name: kind + ".xml", Data: []byte(text)},
			txtar.File{Name: kind + ".routes", Data: []byte(answers.String())})
	}
	file := filepath.Join("..", "..", "platform", "testdata", "routes.txtar")
	if *update {
		if err := os.WriteFile(file, txtar.Format(golden), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(txtar.Format(golden)), string(have)); d != "" {
		t.Errorf("SimGrid's routes and those of %s:\n%s", file, d)
	}
}
