package examples

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// replayed replays the trace of a run on the platform of the example, and wants
// its processes to end when they did in the run, within 1 %.
func replayed(t *testing.T, simterpose, name, trace, output string) {
	t.Helper()
	out, err := exec.Command(simterpose, "replay", trace, "--json", "--platform", filepath.Join(name, "experiment.yaml")).Output()
	if err != nil {
		t.Errorf("replay: %v\n%s", err, out)
		return
	}
	var replay struct {
		Actors []struct {
			Name string
			End  float64
		}
	}
	if err := json.Unmarshal(out, &replay); err != nil {
		t.Fatal(err)
	}
	ends := map[string]float64{}
	for _, a := range replay.Actors {
		ends[a.Name] = a.End
	}
	var summary struct {
		Processes []struct {
			Host, Name string
			PID        int
			End        *float64
		}
	}
	content, err := os.ReadFile(filepath.Join(output, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &summary); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, p := range summary.Processes {
		if p.End == nil {
			continue // it had not ended
		}
		compared++
		actor := fmt.Sprintf("%s/%s[%d]", p.Host, p.Name, p.PID)
		if end, ok := ends[actor]; !ok || math.Abs(end-*p.End) > *p.End/100 {
			t.Errorf("%s ends at %v s, and in the replay at %v s", actor, *p.End, end)
		}
	}
	if compared == 0 {
		t.Error("no process has ended")
	}
}
