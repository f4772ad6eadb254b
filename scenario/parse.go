package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
)

// Kind is what an item does.
type Kind uint8

// The kinds of items, as they are written in scenarios.
const (
	Comm Kind = iota
	Exec
	IO
	Sleep
	Route
	Hosts
	Links
	LinkOff
	LinkOn
	HostOff
	HostOn
	LinkBandwidth
	LinkLatency
	PState
	WifiRate
)

// argument is what an item's word means.
type argument uint8

const (
	start    argument = iota // a date
	src                      // a host
	dst                      // a host
	link                     // a link
	disk                     // the name of a disk of the host
	access                   // read or write
	data                     // an amount of data
	flops                    // an amount of work
	span                     // a duration
	rate                     // a bandwidth
	bound                    // a speed
	number                   // a natural number
	optional argument = 0x80 // may be left out
)

type form struct {
	name      string
	usage     string
	arguments []argument
}

var forms = [...]form{
	Comm:          {"comm", "START SRC DST BYTES [RATE]", []argument{start, src, dst, data, rate | optional}},
	Exec:          {"exec", "START HOST FLOPS [THREADS] [BOUND]", []argument{start, src, flops, number | optional, bound | optional}},
	IO:            {"io", "START HOST DISK read|write BYTES", []argument{start, src, disk, access, data}},
	Sleep:         {"sleep", "START HOST DURATION", []argument{start, src, span}},
	Route:         {"route", "SRC DST", []argument{src, dst}},
	Hosts:         {"hosts", "", nil},
	Links:         {"links", "", nil},
	LinkOff:       {"link_off", "T LINK", []argument{start, link}},
	LinkOn:        {"link_on", "T LINK", []argument{start, link}},
	HostOff:       {"host_off", "T HOST", []argument{start, src}},
	HostOn:        {"host_on", "T HOST", []argument{start, src}},
	LinkBandwidth: {"link_bw", "T LINK BPS", []argument{start, link, rate}},
	LinkLatency:   {"link_lat", "T LINK S", []argument{start, link, span}},
	PState:        {"pstate", "T HOST N", []argument{start, src, number}},
	WifiRate:      {"wifi_rate", "LINK HOST LEVEL", []argument{link, src, number}},
}

func (k Kind) String() string { return forms[k].name }

// Item is one line of a scenario.
type Item struct {
	Kind Kind
	Line int
	// Text is the line's words after its kind, as written, one space between.
	Text string

	Start    float64 // seconds
	Src, Dst *platform.Host
	Link     *platform.Link
	Disk     string
	Write    bool
	// Amount is in bytes, flops or seconds.
	Amount float64
	// Rate is in bytes or flops per second; 0 when not given.
	Rate float64
	// Number is a count of threads, a pstate or a level.
	Number int
}

// Error is a line that is not understood.
type Error struct {
	File    string
	Line    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

// Parse reads a scenario over p. Errors of lines are joined, each an *Error.
func Parse(file string, r io.Reader, p *platform.Platform) ([]Item, error) {
	var items []Item
	var problems []error
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		item, err := parseItem(words, p)
		if err != nil {
			problems = append(problems, &Error{file, n, err.Error()})
			if len(problems) == 20 {
				break
			}
			continue
		}
		item.Line = n
		items = append(items, item)
	}
	if err := lines.Err(); err != nil {
		problems = append(problems, &Error{file, n + 1, err.Error()})
	}
	return items, errors.Join(problems...)
}

func parseItem(words []string, p *platform.Platform) (Item, error) {
	item := Item{Number: -1}
	found := false
	for k := range forms {
		if forms[k].name == words[0] {
			item.Kind, found = Kind(k), true
		}
	}
	if !found {
		return item, fmt.Errorf("unknown item %q%s", words[0], suggestion(words[0], kinds()))
	}
	f := forms[item.Kind]
	words = words[1:]
	item.Text = strings.Join(words, " ")
	least := 0
	for _, a := range f.arguments {
		if a&optional == 0 {
			least++
		}
	}
	if len(words) < least || len(words) > len(f.arguments) {
		return item, fmt.Errorf("%s expected, found %q", strings.TrimSpace(f.name+" "+f.usage), strings.TrimSpace(f.name+" "+item.Text))
	}
	for i, word := range words {
		if err := item.set(f.arguments[i]&^optional, word, p); err != nil {
			return item, err
		}
	}
	return item, item.check()
}

// check holds numbers against what the platform has.
func (item *Item) check() error {
	switch item.Kind {
	case Exec:
		if item.Number == 0 {
			return errors.New("at least one thread expected, found 0")
		}
		item.Number = max(item.Number, 1)
	case PState:
		if n := len(item.Src.Speeds); item.Number >= n {
			return fmt.Errorf("a pstate of host %q from 0 to %d expected, found %d", item.Src.Name, n-1, item.Number)
		}
	case WifiRate:
		n := len(item.Link.Levels())
		switch {
		case item.Link.Policy != platform.Wifi:
			return fmt.Errorf("a Wifi link expected, found %q", item.Link.Name())
		case item.Number >= n:
			return fmt.Errorf("a level of link %q from 0 to %d expected, found %d", item.Link.Name(), n-1, item.Number)
		}
	}
	return nil
}

func kinds() []string {
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// mostSearched bounds the search for the name that was meant.
const mostSearched = 1000

// suggestion says what a name may have been meant for, if anything.
func suggestion(name string, known []string) string {
	if near := strictyaml.Nearest(name, known[:min(len(known), mostSearched)]); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

func (item *Item) set(a argument, word string, p *platform.Platform) (err error) {
	switch a {
	case start:
		item.Start, err = platform.ParseTime(word)
	case span:
		item.Amount, err = platform.ParseTime(word)
	case data:
		item.Amount, err = platform.ParseSize(word)
	case flops:
		item.Amount, err = platform.ParseWork(word)
	case rate:
		item.Rate, err = platform.ParseBandwidth(word)
	case bound:
		item.Rate, err = platform.ParseSpeed(word)
	case number:
		if item.Number, err = strconv.Atoi(word); err != nil || item.Number < 0 {
			err = fmt.Errorf("a whole number of 0 or more expected, found %q", word)
		}
	case access:
		if word != "read" && word != "write" {
			err = fmt.Errorf("read or write expected, found %q", word)
		}
		item.Write = word == "write"
	default:
		return item.setName(a, word, p)
	}
	for _, v := range []float64{item.Start, item.Amount, item.Rate} {
		if err == nil && (!(v >= 0) || math.IsInf(v, 1)) {
			err = fmt.Errorf("a finite number of 0 or more expected, found %q", word)
		}
	}
	return err
}

// setName looks up the host, link or disk that a word names.
func (item *Item) setName(a argument, word string, p *platform.Platform) error {
	name, err := url.PathUnescape(word)
	if err != nil {
		return fmt.Errorf("a name expected, with %%20 for a space and %%25 for a percent sign, found %q", word)
	}
	switch a {
	case src, dst:
		h := p.Host(name)
		if h == nil {
			return fmt.Errorf("no host %q in the platform%s", name, suggestion(name, hostNames(p.Hosts[:min(len(p.Hosts), mostSearched)])))
		}
		if a == src {
			item.Src = h
		} else {
			item.Dst = h
		}
	case link:
		if item.Link = p.Link(name); item.Link == nil {
			var known []string
			for l := range p.Links.All() {
				if known = append(known, l.Name()); len(known) == mostSearched {
					break
				}
			}
			return fmt.Errorf("no link %q in the platform%s", name, suggestion(name, known))
		}
	case disk:
		var known []string
		for _, d := range item.Src.Disks() {
			if d.Name == name {
				item.Disk = name
				return nil
			}
			known = append(known, d.Name)
		}
		return fmt.Errorf("no disk %q on host %q%s", name, item.Src.Name, suggestion(name, known))
	}
	return nil
}
