package experiment

import (
	"strings"
	"testing"
)

func TestMediation(t *testing.T) {
	const process = "processes: [{hosts: '*', command: [sh]}]\n"
	for _, c := range []struct {
		text string
		want string // for server and client-1, client-1 and client-2, server and server; then the hosts with any
	}{
		{"", "--- ----"},
		{"mediation: full\n", "--- ----"},
		{"mediation: translation\n", "TTT TTTT"},
		{"mediation: {default: translation}\n", "TTT TTTT"},
		{"mediation: {pairs: [{between: [client-1, server], use: translation}]}\n", "T-- TT--"},
		{"mediation: {default: translation, pairs: [{between: [server, 'client-[1-2]'], use: full}]}\n", "-TT TTTT"},
		{"mediation: {pairs: [{between: ['*', '*'], use: translation}, {between: ['client-*', 'client-*'], use: full}]}\n", "T-T TTTT"},
	} {
		e, err := load(t, hosts+c.text+process)
		if err != nil {
			t.Errorf("%s%v", c.text, err)
			continue
		}
		letter := func(translated bool) string {
			if translated {
				return "T"
			}
			return "-"
		}
		h := e.Platform.Host
		got := letter(e.Mediation.Translated(h("server"), h("client-1"))) +
			letter(e.Mediation.Translated(h("client-1"), h("client-2"))) +
			letter(e.Mediation.Translated(h("server"), h("server"))) + " "
		for _, host := range []string{"server", "client-1", "client-2", "client-3"} {
			got += letter(e.Mediation.Anywhere(h(host)))
		}
		if got != c.want {
			t.Errorf("%s%s, want %s", c.text, got, c.want)
		}
	}
}

func TestMediationFaults(t *testing.T) {
	const process = "processes: [{hosts: '*', command: [sh]}]\n"
	for text, want := range map[string]string{
		"mediation: half\n":                                                   `lab.yaml:6:12: mediation: full or translation expected, found "half"`,
		"mediation: {}\n":                                                     `lab.yaml:6:12: mediation: full or translation expected, found ""`,
		"mediation: {default: x}\n":                                           `lab.yaml:6:12: mediation: full or translation expected, found "x"`,
		"mediation: {pair: []}\n":                                             `lab.yaml:6:13: unknown key "pair"`,
		"mediation: [full]\n":                                                 `lab.yaml:6:12: `,
		"mediation: {pairs: [{use: full}]}\n":                                 `lab.yaml:6:21: key "between" is missing`,
		"mediation: {pairs: [{between: [server], use: full}]}\n":              `lab.yaml:6:21: between: two names of hosts, or patterns, expected, found 1`,
		"mediation: {pairs: [{between: [server, nobody], use: full}]}\n":      `lab.yaml:6:21: between: no host "nobody"`,
		"mediation: {pairs: [{between: [server, client-1], use: natural}]}\n": `lab.yaml:6:21: mediation: full or translation expected, found "natural"`,
	} {
		_, err := load(t, hosts+text+process)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s%v, want %s", text, err, want)
		}
	}
	both, name := "translation", "half"
	write(t, map[string]string{"lab.yaml": hosts + "mediation: {pairs: [{between: [server, client-1], use: full}]}\n" + process})
	if e, err := Load("lab.yaml", Overrides{Mediation: &both}); err != nil || !e.Mediation.Translation || e.Mediation.Pairs != nil {
		t.Errorf("%v with the flag", err)
	}
	if _, err := Load("lab.yaml", Overrides{Mediation: &name}); err == nil || err.Error() != `--mediation: full or translation expected, found "half"` {
		t.Error(err)
	}
}
