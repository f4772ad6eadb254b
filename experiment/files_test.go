package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const filesHead = `platform:
  hosts: [{name: "h[1-3]"}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - {hosts: "*", command: "true"}
`

func loadFiles(t *testing.T, text string) (*Experiment, error) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{"x.yaml": filesHead + text, "plain": "{{index}}", "t.conf": "one\nid={{index}} of {{len hosts}}\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Load(filepath.Join(folder, "x.yaml"), Overrides{})
}

func TestFiles(t *testing.T) {
	e, err := loadFiles(t, `files:
  - hosts: [h2, h3]
    path: /etc/a/../b
    text: |
      {{host.name}} {{host.address}} {{index}}
      {{hosts}}{{range hosts}} {{.address6}}{{end}}
    mode: "4750"
    owner: daemon:adm
  - {host: h1, path: /x, source: plain}
  - {host: h1, path: /y, template: t.conf}
collect:
  - {hosts: "*", path: [/var/log, /etc/b/]}
`)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Files) != 4 || len(e.Collect) != 6 {
		t.Fatalf("%d files and %d to collect, want 4 and 6", len(e.Files), len(e.Collect))
	}
	f := e.Files[1]
	want := "h3 10.0.0.3 2\nh2 h3 fd00::a00:2 fd00::a00:3\n"
	if string(f.Content) != want || f.Host.Name != "h3" || f.Path != "/etc/b" || f.Owner != "daemon:adm" {
		t.Errorf("%+v with %q, want %q", f, f.Content, want)
	}
	if got := f.Mode.String(); got != "urwxr-x---" {
		t.Errorf("mode %s", got)
	}
	if f := e.Files[2]; filepath.Base(f.Source) != "plain" || f.Content != nil || f.Mode != 0o644 {
		t.Errorf("%+v", f)
	}
	if got := string(e.Files[3].Content); got != "one\nid=1 of 1\n" {
		t.Errorf("%q", got)
	}
	if c := e.Collect[5]; c.Host.Name != "h3" || c.Path != "/etc/b" {
		t.Errorf("%+v", c)
	}
}

func TestFilesErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`files: [{host: h1, path: etc/x, text: ""}]`, `x.yaml:6:9: path: an absolute path on the host expected, found "etc/x"`},
		{`files: [{host: h1, path: /x}]`, `x.yaml:6:9: one of text, source and template expected`},
		{`files: [{host: h1, path: /x, text: a, source: plain}]`, `one of text, source and template expected`},
		{`files: [{host: h1, path: /x, text: a, mode: "8"}]`, `mode: an octal number up to 7777 expected, found "8"`},
		{`files: [{host: h1, path: /x, text: a, owner: "a b"}]`, `owner: USER, USER:GROUP or :GROUP expected, found "a b"`},
		{`files: [{host: h9, path: /x, text: a}]`, `x.yaml:6:9: `},
		{`files: [{host: h1, path: /x, source: missing}]`, `source: stat `},
		{`files: [{host: h1, path: /x, text: a}, {hosts: "*", path: /./x, text: b}]`, `x.yaml:6:40: a second file /x on host "h1", the first is at `},
		{"files:\n  - host: h1\n    path: /x\n    text: |\n      fine\n      {{wrong}}\n", `x.yaml:11: function "wrong" not defined`},
		{"files:\n  - host: h1\n    path: /x\n    text: \"{{host.wrong}}\"\n", `x.yaml:9: <host>: map has no entry for key "wrong"`},
		{`files: [{host: h1, path: /x, test: a}]`, `text`},
		{`collect: [{host: h1, path: /}]`, `x.yaml:6:11: path: an absolute path on the host expected, found "/"`},
	} {
		_, err := loadFiles(t, test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s\n%v\nwant %s", test.text, err, test.want)
		}
	}
}
