package experiment

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/simterpose/simterpose/platform"
)

// hostTemplate is a text with {{host.name}} and its like, in the language of
// text/template.
type hostTemplate struct {
	template *template.Template
	begin    Position // of its first line
}

// hostView is a host as templates see it: a map, because its keys are written in
// lower case. One that is missing is an error.
type hostView map[string]string

func (h hostView) String() string { return h["name"] }

// hostList prints as the names, with a space between two.
type hostList []hostView

func (l hostList) String() string {
	names := make([]string, len(l))
	for i, h := range l {
		names[i] = h["name"]
	}
	return strings.Join(names, " ")
}

func viewOf(h *platform.Host) hostView {
	v4, v6 := h.Addresses()
	return hostView{"name": h.Name, "address": v4.String(), "address6": v6.String()}
}

func parseTemplate(begin Position, text string) (*hostTemplate, error) {
	t := &hostTemplate{begin: begin}
	var err error
	t.template, err = template.New("").Option("missingkey=error").Funcs(functions(nil, 0)).Parse(text)
	return t, t.explain(err)
}

// functions are what a template can name: the host that the file is for, its
// number among those of the entry, counted from 1, and all of these.
func functions(hosts []*platform.Host, number int) template.FuncMap {
	return template.FuncMap{
		"host": func() hostView { return viewOf(hosts[number]) },
		"hosts": func() hostList {
			var list hostList
			for _, h := range hosts {
				list = append(list, viewOf(h))
			}
			return list
		},
		"index": func() int { return number + 1 },
	}
}

// expand gives the text for one of the hosts.
func (t *hostTemplate) expand(hosts []*platform.Host, number int) ([]byte, error) {
	var b bytes.Buffer
	if err := t.template.Funcs(functions(hosts, number)).Execute(&b, nil); err != nil {
		return nil, t.explain(err)
	}
	return b.Bytes(), nil
}

// templateError is how text/template begins an error of a template without a
// name: with its line and, when it is executed, its column.
var templateError = regexp.MustCompile(`^template: :(\d+)(?::\d+)?: `)

// explain says where in the input an error is.
func (t *hostTemplate) explain(err error) error {
	if err == nil {
		return nil
	}
	at, message := t.begin, err.Error()
	at.Column = 0
	if m := templateError.FindStringSubmatch(message); m != nil {
		line, _ := strconv.Atoi(m[1])
		at.Line += line - 1
		message = strings.TrimPrefix(message[len(m[0]):], `executing "" at `)
	}
	return fmt.Errorf("%s: %s", at, message)
}
