package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/platform"
)

const graphPlatform = `
hosts: [{name: a}, {name: b}]
links: [{name: "l\\", bandwidth: 1MBps, latency: 400us, policy: SPLITDUPLEX}]
routes: [{from: a, to: b, links: ["l\\"]}]
`

func TestGraphDrawsFullDuplexLinksOnce(t *testing.T) {
	p, err := platform.ReadYAML("lab.yaml", []byte(graphPlatform))
	if err != nil {
		t.Fatal(err)
	}
	want := `graph platform {
	graph [layout=neato, overlap=false, splines=true, outputorder=edgesfirst];
	node [fontname=sans, fontsize=10];
	"a" [shape=box, style=filled, fillcolor=lightyellow];
	"b" [shape=box, style=filled, fillcolor=lightyellow];
	"link l\\" [shape=ellipse, style=filled, fillcolor=white, label="l\\\n1MBps 400us"];
	"a" -- "link l\\";
	"b" -- "link l\\";
}
`
	if got := graphOf(p); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestDrawingWithoutGraphvizSaysWhatToInstall(t *testing.T) {
	p, err := platform.ReadYAML("lab.yaml", []byte(graphPlatform))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	err = drawPlatform(io.Discard, p, filepath.Join(t.TempDir(), "lab.svg"))
	var missing *guest.MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "apt-get install graphviz") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}
