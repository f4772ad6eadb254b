package platform

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestRoutesAreSimGrids wants, for each way of routing, the links and latencies
// that SimGrid has; see TestGoldenRoutes in internal/oracle.
func TestRoutesAreSimGrids(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "routes.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	routes := 0
	for i := 0; i+1 < len(archive.Files); i += 2 {
		file, golden := archive.Files[i], archive.Files[i+1]
		t.Run(strings.TrimSuffix(file.Name, ".xml"), func(t *testing.T) {
			p, err := ReadXML(file.Name, string(file.Data))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(golden.Data)) {
				words := strings.Fields(line)
				r, err := p.Route(p.Host(words[0]), p.Host(words[1]))
				if err != nil {
					t.Error(err)
					continue
				}
				var links []string
				for _, l := range r.Links {
					links = append(links, l.Name())
				}
				want, err := strconv.ParseFloat(words[2], 64)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(links, " "); got != strings.Join(words[3:], " ") || math.Abs(r.Latency-want) > 1e-15 {
					t.Errorf("%s to %s: %v s, %s\nwant %s", words[0], words[1], r.Latency, got, strings.Join(words[2:], " "))
				}
				routes++
			}
		})
	}
	if routes < 500 {
		t.Errorf("%d routes", routes)
	}
}
