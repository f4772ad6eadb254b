package oracle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/simterpose/simterpose/platform"
)

// description is what a platform consists of, as the oracle's --describe
// prints it, sorted.
func description(p *platform.Platform) []string {
	var lines []string
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 17, 64) }
	for _, h := range p.Hosts {
		line := fmt.Sprintf("host\t%s\t%d\t%d", h.Name, h.Cores, h.PState)
		for _, s := range h.Speeds {
			line += "\t" + number(s)
		}
		lines = append(lines, line)
		for _, d := range h.Disks() {
			lines = append(lines, fmt.Sprintf("disk\t%s\t%s\t%s\t%s", h.Name, d.Name, number(d.ReadBandwidth), number(d.WriteBandwidth)))
		}
	}
	for l := range p.Links.All() {
		if l.Policy == platform.Wifi { // SimGrid makes something else of its bandwidth
			lines = append(lines, "link\t"+l.Name()+"\tWIFI")
			continue
		}
		lines = append(lines, fmt.Sprintf("link\t%s\t%s\t%s\t%s", l.Name(), number(l.Bandwidth), number(l.Latency), l.Policy))
	}
	slices.Sort(lines)
	return lines
}

// describe has SimGrid describe a platform; it fails when SimGrid refuses it.
func describe(file string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, filepath.Join(programs, "oracle"), filepath.Base(file), "--describe", "--log=root.thresh:error")
	run.Dir = filepath.Dir(file)
	var stderr strings.Builder
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		return nil, errors.New(firstLines(stderr.String(), 3))
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	// Numbers are printed anew, for C has other ways to write an exponent.
	for i, line := range lines {
		fields := strings.Split(line, "\t")
		for k := 1; k < len(fields); k++ {
			if v, err := strconv.ParseFloat(fields[k], 64); err == nil && (fields[0] != "host" || k > 1) && (fields[0] == "host" || k > 1) {
				fields[k] = strconv.FormatFloat(v, 'g', 17, 64)
			}
		}
		if fields[0] == "link" && fields[4] == "WIFI" {
			fields = []string{"link", fields[1], "WIFI"}
		}
		lines[i] = strings.Join(fields, "\t")
	}
	slices.Sort(lines)
	return lines, nil
}

func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// everything asks for all routes that we find, and uses each of them and each
// host.
func everything(p *platform.Platform) string {
	var b strings.Builder
	for _, src := range p.Hosts {
		if src.Name == "" {
			continue // it could not be named
		}
		for l := range p.Links.All() {
			if l.Policy == platform.Wifi {
				fmt.Fprintf(&b, "wifi_rate %s %s 0\n", escape(l.Name()), escape(src.Name))
			}
		}
		for i := range 3 {
			fmt.Fprintf(&b, "exec %d %s 1e9\n", i, escape(src.Name))
		}
		for _, d := range src.Disks() {
			fmt.Fprintf(&b, "io 0 %s %s read 1e8\n", escape(src.Name), d.Name)
		}
		for _, dst := range p.Hosts {
			if _, err := p.Route(src, dst); err != nil || dst.Name == "" {
				continue
			}
			fmt.Fprintf(&b, "route %s %s\n", escape(src.Name), escape(dst.Name))
			fmt.Fprintf(&b, "comm 0 %s %s 1000000\n", escape(src.Name), escape(dst.Name))
		}
	}
	return b.String()
}

// document puts elements into a platform of version 4.1, unless they are one.
func document(text string) string {
	if strings.Contains(text, "<platform") {
		return text
	}
	return "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n<platform version=\"4.1\">\n" + text + "</platform>\n"
}

// TestFormat wants the files of testdata/format.txtar to be accepted or refused
// as SimGrid does, and to mean the same.
func TestFormat(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "format.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		text := string(f.Data)
		if strings.HasSuffix(f.Name, ".xml") {
			text = document(text)
		}
		write(t, dir, f.Name, text)
	}
	for _, f := range archive.Files {
		name, isCase := strings.CutSuffix(f.Name, ".xml")
		if !isCase || name == "other" {
			continue
		}
		_, reason, differs := strings.Cut(strings.SplitN(string(f.Data), "\n", 2)[0], "<!-- differs: ")
		t.Run(name, func(t *testing.T) {
			compareFormat(t, filepath.Join(dir, f.Name), differs, strings.TrimSuffix(reason, " -->"))
		})
	}
}

func compareFormat(t *testing.T, file string, differs bool, reason string) {
	theirs, refused := describe(file)
	p, err := platform.Load(file)
	var placed *platform.Error
	if err != nil && !errors.As(err, &placed) {
		t.Errorf("an error without a place: %v", err)
	}
	switch {
	case (refused == nil) != (err == nil):
		if !differs {
			text, _ := os.ReadFile(file)
			t.Errorf("we: %v\nSimGrid: %v\n%s", err, refused, text)
		}
		return
	case differs:
		t.Errorf("%s, says the file; both accept or refuse it, though", reason)
	case err != nil:
		return
	}
	if d := cmp.Diff(theirs, description(p)); d != "" {
		t.Errorf("SimGrid's description and ours:\n%s", d)
	}
	if len(p.Hosts) == 0 {
		return
	}
	scenarioFile := write(t, t.TempDir(), "scenario.txt", everything(p))
	differences, _, err := compare(file, scenarioFile, setting{"LV08", true})
	if errors.Is(err, errGivesUp) {
		t.Log(err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	report(t, differences, "go test ./internal/oracle -run TestFormat/"+strings.TrimSuffix(filepath.Base(file), ".xml"))
}
