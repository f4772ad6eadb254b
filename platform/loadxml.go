package platform

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/simterpose/simterpose/internal/strictyaml"
)

// Load reads a platform from a file: SimGrid's XML, the inline YAML form
// (names that end in .yaml or .yml), or a network graph of Shadow (.gml).
func Load(path string) (*Platform, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return ReadYAML(path, text)
	case ".gml":
		return ReadGML(path, text)
	}
	return ReadXML(path, string(text))
}

// ReadXML reads a platform in SimGrid's format from text. The file's name is
// for messages, and for finding the files that it refers to.
func ReadXML(file, text string) (*Platform, error) {
	l := &loader{assembly: newAssembly(file), scanner: scanner{file: file, text: text, line: 1}}
	if err := l.read(); err != nil {
		return nil, err
	}
	if l.Root == nil && len(l.Actors) == 0 {
		l.warnf("the platform is empty")
	}
	return l.finish()
}

// ReadDeployment reads a deployment in SimGrid's format, whose actors run on
// hosts of p.
func (p *Platform) ReadDeployment(file, text string) ([]Actor, error) {
	l := &loader{assembly: &assembly{Platform: p}, scanner: scanner{file: file, text: text, line: 1}, deployment: true}
	if err := l.read(); err != nil {
		return nil, err
	}
	return l.actors, nil
}

// loader reads SimGrid's XML.
type loader struct {
	*assembly
	scanner
	version    int // hundredths
	deployment bool
	open       []frame
	actors     []Actor
	star       *starParts
	stars      []*starParts
	profiles   map[string]*Profile
	connects   []connection
	units      bool // a missing unit has been warned about
}

// frame is an open element.
type frame struct {
	content
	line       int
	attributes []attribute
	properties Properties
	arguments  []string
	disks      []Disk
	links      []linkInRoute
	data       strings.Builder
}

// linkInRoute is a <link_ctn>: the link crossed there and on the way back.
type linkInRoute struct{ there, back *Link }

// get returns the value of an attribute, or its default.
func (f *frame) get(name string) string {
	for _, a := range f.attributes {
		if a.name == name {
			return a.value
		}
	}
	r := f.element.rule(name)
	if r == nil {
		panic("platform: element " + f.element.name + " has no attribute " + name)
	}
	return r.value
}

// fail gives an error the place and name of the element.
func (l *loader) fail(f *frame, err error) error {
	var placed *Error
	if errors.As(err, &placed) {
		return err
	}
	return &Error{Position{File: l.file, Line: f.line}, fmt.Sprintf("element <%s>: %v", f.element.name, err)}
}

func (l *loader) warnf(format string, arguments ...any) {
	l.Warnings = append(l.Warnings, fmt.Sprintf("%s:%d: ", l.file, l.line)+fmt.Sprintf(format, arguments...))
}

func (l *loader) read() error {
	doctype, err := l.prolog()
	if err != nil {
		return err
	}
	root := false
	for {
		event, err := l.next()
		if err != nil {
			return err
		}
		switch event {
		case begun:
			if len(l.open) == 0 && (root || l.name != "platform") {
				if root {
					return l.errorf("the end of the file expected after </platform>, found <%s>", l.name)
				}
				return l.errorf("element <platform> expected, found <%s>", l.name)
			}
			root = true
			if err := l.begin(); err != nil {
				return err
			}
			if len(l.open) == 1 && l.version >= 400 && slices.Index(documentTypes, doctype) > 1 || slices.Index(documentTypes, doctype) < 0 {
				return l.errorf(`<!DOCTYPE platform SYSTEM "%s"> expected, found the document type %q`, documentTypes[0], doctype)
			}
		case ended:
			if len(l.open) == 0 || l.name != l.open[len(l.open)-1].element.name {
				if len(l.open) == 0 {
					return l.errorf("the end of the file expected, found </%s>", l.name)
				}
				return l.errorf("</%s> expected, found </%s>", l.open[len(l.open)-1].element.name, l.name)
			}
			if err := l.end(); err != nil {
				return err
			}
		case characters:
			if err := l.characters(); err != nil {
				return err
			}
		case endOfFile:
			if len(l.open) > 0 {
				return l.errorf("</%s> expected, found the end of the file", l.open[len(l.open)-1].element.name)
			}
			return l.connect()
		}
	}
}

// characters takes text, which only <trace> has.
func (l *loader) characters() error {
	text := strings.Trim(l.data, " \t\r\n")
	if n := len(l.open); n > 0 && l.open[n-1].element.text {
		plain, bad := unescape(l.data)
		if bad != "" {
			return l.errorf("element <trace>: %q is no entity (write &amp; for &)", bad)
		}
		l.open[n-1].data.WriteString(plain)
		return nil
	}
	if text == "" {
		return nil
	}
	// The text may go on over several lines, of which the scanner is at the last.
	l.line -= strings.Count(strings.TrimLeft(l.data, " \t\r\n"), "\n")
	if n := len(l.open); n > 0 {
		return l.errorf("element <%s>: an element or </%[1]s> expected, found %q", l.open[n-1].element.name, firstWord(text))
	}
	return l.errorf("the end of the file expected, found %q", firstWord(text))
}

// begin takes the tag that begins an element.
func (l *loader) begin() error {
	name, line := l.name, l.line
	e := schema[name]
	if e == nil {
		if near := strictyaml.Nearest(name, elementNames()); near != "" {
			return l.errorf("unknown element <%s> (did you mean <%s>?)", name, near)
		}
		return l.errorf("unknown element <%s>", name)
	}
	if n := len(l.open); n > 0 {
		if err := l.open[n-1].child(name); err != nil {
			return l.errorf("element <%s>: %v", l.open[n-1].element.name, err)
		}
	}
	empty, err := l.readAttributes()
	if err != nil {
		return err
	}
	if len(l.open) > maxDepth {
		return l.errorf("elements are nested more than %d deep", maxDepth)
	}
	l.open = append(l.open, frame{content: contentOf(e), line: line, attributes: slices.Clone(l.attributes)})
	f := &l.open[len(l.open)-1]
	if e.name == "platform" {
		if err := l.platform(f); err != nil {
			return l.fail(f, err)
		}
	}
	if l.version < 400 {
		old(f)
	}
	if err := check(f); err != nil {
		return l.fail(f, err)
	}
	if e.refuse != "" {
		return l.fail(f, errors.New(e.refuse))
	}
	if l.deployment && !slices.Contains([]string{"platform", "config", "random", "prop", "actor", "process", "argument"}, name) {
		return l.fail(f, errors.New("<actor> expected: a deployment holds actors only"))
	}
	if err := l.enter(f); err != nil {
		return l.fail(f, err)
	}
	if empty {
		return l.end()
	}
	return nil
}

func elementNames() []string {
	var list []string
	for name := range schema {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// check holds the attributes against the element's rules.
func check(f *frame) error {
	for _, a := range f.attributes {
		r := f.element.rule(a.name)
		if r == nil {
			known := f.element.attributeNames()
			if near := strictyaml.Nearest(a.name, known); near != "" {
				return fmt.Errorf("unknown attribute %s (did you mean %s?)", a.name, near)
			}
			return fmt.Errorf("unknown attribute %s (known: %s)", a.name, strings.Join(known, ", "))
		}
		if r.choices != nil && !slices.Contains(r.choices, a.value) {
			return fmt.Errorf("attribute %s: %s expected, found %q", a.name, strings.Join(r.choices, " or "), a.value)
		}
	}
	for _, r := range f.element.attributes {
		if r.required && !slices.ContainsFunc(f.attributes, func(a attribute) bool { return a.name == r.name }) {
			return fmt.Errorf("attribute %s is missing", r.name)
		}
	}
	return nil
}

// platform reads the version of the format.
func (l *loader) platform(f *frame) error {
	text := f.get("version")
	version, _, err := strtod(text)
	if err != nil {
		return fmt.Errorf("attribute version: a number such as 4.1 expected, found %q", text)
	}
	l.version = int(math.Round(100 * max(0, min(version, 1000))))
	switch {
	case l.version < 300:
		return fmt.Errorf("version 4.1 expected, found %s, which is too old (simgrid_update_xml converts such files)", text)
	case l.version > 410:
		return fmt.Errorf("version 4.1 expected, found %s, which is newer than this program knows", text)
	case l.version < 400:
		l.warnf("version %s of the format is read as 4.1, but SimGrid 3.32 refuses it (simgrid_update_xml converts such files)", text)
	}
	return nil
}

// old rewrites the attributes of an element of version 3.
func old(f *frame) {
	for i := range f.attributes {
		a := &f.attributes[i]
		switch {
		case a.name == "power" && f.element.rule("speed") != nil:
			a.name = "speed"
		case f.element.name == "trace_connect" && a.name == "kind" && a.value == "POWER":
			a.value = "SPEED"
		}
	}
}

// time, bandwidth, speed: the value of an attribute with a unit.
func (l *loader) value(f *frame, t *unitTable, name, text string) (float64, error) {
	value, unit, err := t.split(text)
	if err != nil {
		return 0, fmt.Errorf("attribute %s: %w", name, err)
	}
	if unit == "" {
		unit = t.base
		if value != 0 && !l.units {
			l.units = true
			l.line, f.line = f.line, l.line
			l.warnf("element <%s>: attribute %s: a value with a unit expected, %q taken as %s%s (said once)",
				f.element.name, name, text, text, unit)
			l.line, f.line = f.line, l.line
		}
	}
	value *= t.scales[unit]
	if err := notNegative(name, value); err != nil {
		return 0, fmt.Errorf("attribute %w", err)
	}
	return value, nil
}

func (l *loader) quantity(f *frame, t *unitTable, name string) (float64, error) {
	return l.value(f, t, name, f.get(name))
}

// given is quantity for an attribute whose absence means 0.
func (l *loader) given(f *frame, t *unitTable, name string) (float64, error) {
	if f.get(name) == "" {
		return 0, nil
	}
	return l.quantity(f, t, name)
}

// speeds reads a list with one speed for each pstate.
func (l *loader) speeds(f *frame) ([]float64, error) {
	var speeds []float64
	for one := range strings.SplitSeq(f.get("speed"), ",") {
		speed, err := l.value(f, speedUnits, "speed", strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		speeds = append(speeds, speed)
	}
	return speeds, nil
}

func integer(f *frame, name string) (int, error) {
	n, err := leadingInt(f.get(name))
	if err != nil {
		return 0, fmt.Errorf("attribute %s: an integer expected, found %q", name, f.get(name))
	}
	return n, nil
}

// seconds reads a plain number, as actors and traces have it.
func seconds(f *frame, name string) (float64, error) {
	value, _, err := strtod(f.get(name))
	if err != nil || math.IsNaN(value) {
		return 0, fmt.Errorf("attribute %s: a number of seconds expected, found %q", name, f.get(name))
	}
	return value, nil
}

// coordinates reads three numbers with single blanks between.
func coordinates(f *frame) ([]float64, error) {
	text := f.get("coordinates")
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, " ")
	var place []float64
	for _, part := range parts {
		if value, _, err := strtod(part); err == nil {
			place = append(place, value)
		}
	}
	if len(parts) != 3 || len(place) != 3 {
		return nil, fmt.Errorf("attribute coordinates: three numbers expected, as in %q, found %q", "25.5 9.4 1.4", text)
	}
	return place, nil
}

// profile reads the file that an attribute names, if any.
func (l *loader) profile(f *frame, name string) (*Profile, error) {
	path := f.get(name)
	if path == "" {
		return nil, nil
	}
	p, err := l.profileFile(path)
	if placed := (*Error)(nil); errors.As(err, &placed) {
		return nil, err // a line of the profile
	}
	if err != nil {
		return nil, fmt.Errorf("attribute %s: %w", name, err)
	}
	return p, nil
}

// maxProfile bounds the size of a profile's file, in bytes.
const maxProfile = 256 << 20

// profileFile reads a profile from a file, which is sought in the working
// directory, in the folder of the option path, and beside the platform's file,
// as SimGrid does.
func (l *loader) profileFile(path string) (*Profile, error) {
	for _, name := range []string{path, filepath.Join(l.Config["path"], path), filepath.Join(filepath.Dir(l.file), path)} {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if info.Size() > maxProfile {
			return nil, fmt.Errorf("%s has more than %d bytes", name, maxProfile)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		return ParseProfile(name, string(text), -1)
	}
	return nil, fmt.Errorf("no file %q here or in %q", path, filepath.Dir(l.file))
}

// route returns the routing of the given name, in the spelling of SimGrid.
func routingOf(name string) (kind string, r routing, err error) {
	kinds := []string{"Cluster", "Dijkstra", "DijkstraCache", "Floyd", "Full", "None", "Vivaldi", "Wifi"}
	i := slices.IndexFunc(kinds, func(k string) bool { return strings.EqualFold(k, name) })
	if i < 0 {
		return "", nil, fmt.Errorf("attribute routing: %s expected, found %s", strings.Join(kinds, " or "), strconv.Quote(name))
	}
	switch kinds[i] {
	case "Cluster":
		return "Star", new(starRouting), nil
	case "Dijkstra", "DijkstraCache":
		return kinds[i], new(dijkstraRouting), nil
	case "Floyd":
		return "Floyd", new(floydRouting), nil
	case "None":
		return "None", emptyRouting{}, nil
	case "Vivaldi":
		return "Vivaldi", new(vivaldiRouting), nil
	case "Wifi":
		return "Wifi", new(wifiRouting), nil
	}
	return "Full", new(fullRouting), nil
}
