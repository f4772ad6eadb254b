package strictyaml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type process struct {
	At      Position
	Host    string            `yaml:"host,required"`
	Hosts   Strings           `yaml:"hosts"`
	Command []string          `yaml:"command"`
	Daemon  bool              `yaml:"daemon"`
	Exit    *int              `yaml:"exit"`
	Env     map[string]string `yaml:"env"`
}

type lab struct {
	Seed      uint64    `yaml:"seed"`
	Ratio     float64   `yaml:"ratio"`
	Processes []process `yaml:"processes"`
}

func decode(text string) (lab, error) {
	var l lab
	node, err := Parse("lab.yaml", []byte(text))
	if err == nil {
		err = Decode("lab.yaml", node, &l)
	}
	return l, err
}

func TestDecode(t *testing.T) {
	got, err := decode(`# a comment
seed: 18446744073709551615
ratio: 1.5
processes:
  - host: a
    hosts: x
    command: [run, --port, 010, "7"]
    daemon: true
    env: {A: 1e3, B: yes}
  - {host: &h b, exit: 0, hosts: [*h, c]}
`)
	if err != nil {
		t.Fatal(err)
	}
	zero := 0
	want := lab{Seed: 18446744073709551615, Ratio: 1.5, Processes: []process{
		{
			At: Position{"lab.yaml", 5, 5}, Host: "a", Hosts: Strings{"x"}, Command: []string{"run", "--port", "010", "7"},
			Daemon: true, Env: map[string]string{"A": "1e3", "B": "yes"},
		},
		{At: Position{"lab.yaml", 10, 5}, Host: "b", Exit: &zero, Hosts: Strings{"b", "c"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       `lab.yaml:1:1: the file is empty`,
		"seed: 1\nproccesses: []":                `lab.yaml:2:1: unknown key "proccesses" (did you mean "processes"?)`,
		"zebra: 1":                               `lab.yaml:1:1: unknown key "zebra" (known here: seed, ratio, processes)`,
		"seed: -1":                               `lab.yaml:1:7: an integer expected, found "-1"`,
		"seed: 1\nseed: 2":                       `lab.yaml:2:1: mapping key "seed" already defined at [1:1]`,
		"processes: {host: a}":                   `lab.yaml:1:12: a list expected, found a mapping`,
		"processes:\n- command: []":              `lab.yaml:2:3: key "host" is missing`,
		"processes:\n- host: a\n  daemon: maybe": `lab.yaml:3:11: true or false expected, found "maybe"`,
		"processes:\n- host: a\n  damon: true":   `lab.yaml:3:3: unknown key "damon" (did you mean "daemon"?)`,
		"processes:\n- host: [a]":                `lab.yaml:2:9: text expected, found a list`,
		"processes:\n- host:":                    `lab.yaml:2:9: text expected, found nothing`,
		"ratio: .inf":                            `lab.yaml:1:8: a number expected, found ".inf"`,
		"a: &a [*a]":                             `lab.yaml:1:8: unknown alias "*a"`,
		"seed: *x":                               `lab.yaml:1:7: unknown alias "*x"`,
		"seed: [":                                `lab.yaml:1:7: sequence end token ']' not found`,
		"a: 1\n---\nb: 2":                        `lab.yaml:3:1: one document expected, found a second`,
		strings.Repeat("[", 1000):                `lab.yaml:1:1: nested more than 100 levels deep`,
	} {
		_, err := decode(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestAliasesOfAliasesAreBounded(t *testing.T) {
	text := "a: &a [1,2,3,4,5,6,7,8,9,0]\n"
	for c := 'b'; c < 'k'; c++ {
		text += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 10) + "]\n"
	}
	if _, err := Parse("lab.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "more than 1000000 values") {
		t.Error(err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"host", "hosts", "name", "command"}
	for name, want := range map[string]string{"hots": "host", "comand": "command", "HOST": "host", "x": "", "nmae": "name", "elephant": ""} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("seed: 1\nprocesses:\n  - {host: a, command: [x]}\n")
	f.Add("a: &a [*a, *a]")
	f.Add("? - ? - a")
	f.Fuzz(func(t *testing.T, text string) { decode(text) })
}
