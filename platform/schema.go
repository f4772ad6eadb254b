package platform

import (
	"fmt"
	"slices"
	"strings"
)

// element is what SimGrid's DTD says of an element.
type element struct {
	name       string
	attributes []attributeRule
	// models are the ways in which its children may be ordered: each is a
	// sequence of groups, and the children of one group come in any order and
	// number.
	models [][]group
	text   bool // holds character data
	// refuse is why the element is not read, if so.
	refuse string
}

type attributeRule struct {
	name     string
	required bool
	value    string   // the default
	choices  []string // the values that it may have, if not any
}

// group is the names of elements that may be mixed.
type group []string

func names(list string) group { return strings.Fields(list) }

// required returns a rule for each name.
func required(list string) []attributeRule {
	var rules []attributeRule
	for _, name := range names(list) {
		rules = append(rules, attributeRule{name: name, required: true})
	}
	return rules
}

// optional returns rules for names that may carry a default: name=value.
func optional(list string) []attributeRule {
	var rules []attributeRule
	for _, one := range names(list) {
		name, value, _ := strings.Cut(one, "=")
		rules = append(rules, attributeRule{name: name, value: value})
	}
	return rules
}

// choice returns a rule for an attribute with a fixed set of values, of which
// the first is the default.
func choice(name, choices string) []attributeRule {
	list := names(choices)
	return []attributeRule{{name: name, value: list[0], choices: list}}
}

var (
	properties  = group{"prop"}
	linkList    = [][]group{{{"link_ctn"}}}
	yesOrNo     = choice("symmetrical", "YES NO yes no")
	zoneContent = [][]group{
		{
			properties,
			names("zone AS cluster peer link backbone include"),
			names("zoneRoute ASroute bypassZoneRoute bypassASroute trace trace_connect include"),
			names("trace trace_connect"),
		},
		{
			properties,
			names("host router cabinet host_link link backbone trace trace_connect storage storage_type include"),
			names("route bypassRoute trace trace_connect include"),
		},
	}
	actorContent = [][]group{{names("argument prop")}}
)

// schema is SimGrid 3.32's DTD, with the attributes of version 3.
var schema = func() map[string]*element {
	all := []*element{
		{name: "platform", attributes: optional("version=0.0"), models: [][]group{{
			names("config random"),
			names("include cluster cabinet peer zone AS trace trace_connect"),
			names("actor process"),
		}}},
		{name: "config", attributes: optional("id"), models: [][]group{{properties}}},
		{name: "random", attributes: slices.Concat(required("id min max mean std_deviation"),
			optional("seed=2147483647 radical"), choice("generator", "DRAND48 RAND RNGSTREAM NONE"))},
		{name: "prop", attributes: required("id value")},
		{name: "include", attributes: required("file"), refuse: "was removed from the format in SimGrid 3.18; put the content here"},
		{name: "mount", attributes: required("storageId name"), refuse: "was removed from the format in SimGrid 3.27; use <disk>"},
		{
			name: "storage", attributes: slices.Concat(required("id typeId attach"), optional("content content_type=txt_unix")),
			refuse: "was removed from the format in SimGrid 3.27; use <disk>",
		},
		{
			name: "storage_type", attributes: slices.Concat(required("id model size"), optional("content content_type=txt_unix")),
			refuse: "was removed from the format in SimGrid 3.27; use <disk>",
		},
		{
			name: "host", attributes: slices.Concat(required("id speed"),
				optional("core=1 availability_file speed_file state_file coordinates pstate=0.0")),
			models: [][]group{{names("disk prop mount")}},
		},
		{name: "disk", attributes: slices.Concat(optional("id=/"), required("read_bw write_bw")), models: [][]group{{properties}}},
		{name: "router", attributes: slices.Concat(required("id"), optional("coordinates"))},
		{name: "link", attributes: slices.Concat(required("id bandwidth"),
			optional("bandwidth_file latency=0 latency_file state_file"),
			choice("sharing_policy", "SHARED SPLITDUPLEX FULLDUPLEX FATPIPE WIFI")), models: [][]group{{properties}}},
		{name: "backbone", attributes: required("id bandwidth latency")},
		{name: "host_link", attributes: required("id up down")},
		{name: "cluster", attributes: slices.Concat(required("id prefix suffix radical speed bw lat"),
			optional("core=1 topo_parameters bb_bw bb_lat=0s router_id limiter_link loopback_bw loopback_lat"),
			choice("sharing_policy", "SPLITDUPLEX SHARED FULLDUPLEX FATPIPE"),
			choice("topology", "FLAT TORUS FAT_TREE DRAGONFLY"),
			choice("bb_sharing_policy", "SHARED FATPIPE")), models: [][]group{{properties}}},
		{name: "cabinet", attributes: required("id prefix suffix radical speed bw lat")},
		{name: "peer", attributes: slices.Concat(required("id speed bw_in bw_out"),
			optional("lat coordinates availability_file speed_file state_file"))},
		{name: "route", attributes: slices.Concat(required("src dst"), yesOrNo), models: linkList},
		{name: "bypassRoute", attributes: required("src dst"), models: linkList},
		{name: "zoneRoute", attributes: slices.Concat(required("src dst gw_src gw_dst"), yesOrNo), models: linkList},
		{name: "ASroute", attributes: slices.Concat(required("src dst gw_src gw_dst"), yesOrNo), models: linkList},
		{name: "bypassZoneRoute", attributes: required("src dst gw_src gw_dst"), models: linkList},
		{name: "bypassASroute", attributes: required("src dst gw_src gw_dst"), models: linkList},
		{name: "link_ctn", attributes: slices.Concat(required("id"), choice("direction", "NONE UP DOWN"))},
		{name: "zone", attributes: required("id routing"), models: zoneContent},
		{name: "AS", attributes: required("id routing"), models: zoneContent},
		{name: "trace", attributes: slices.Concat(required("id"), optional("file"), required("periodicity")), text: true},
		{name: "trace_connect", attributes: slices.Concat(choice("kind", "HOST_AVAIL SPEED LINK_AVAIL BANDWIDTH LATENCY"),
			required("trace element"))},
		{name: "actor", attributes: slices.Concat(required("host function"), optional("start_time=-1.0 kill_time=-1.0"),
			choice("on_failure", "DIE RESTART")), models: actorContent},
		{name: "process", attributes: slices.Concat(required("host function"), optional("start_time=-1.0 kill_time=-1.0"),
			choice("on_failure", "DIE RESTART")), models: actorContent},
		{name: "argument", attributes: required("value")},
	}
	m := make(map[string]*element, len(all))
	for _, e := range all {
		m[e.name] = e
	}
	return m
}()

// content follows the children of an element through its models.
type content struct {
	element *element
	// group is the position in each model, or -1 when the model is no longer
	// possible. No element has more than two models.
	group [2]int
}

func contentOf(e *element) content {
	c := content{element: e, group: [2]int{-1, -1}}
	for i := range e.models {
		c.group[i] = 0
	}
	return c
}

// child takes the next child, or tells what is expected instead. Where the DTD
// is ambiguous, it goes the way that SimGrid's generated scanner goes: a child
// that may be in several later groups begins the last of them, and a zone that
// begins with a link holds hosts.
func (c *content) child(name string) error {
	next := [2]int{-1, -1}
	for i, model := range c.element.models {
		at := c.group[i]
		if at < 0 {
			continue
		}
		if slices.Contains(model[at], name) {
			next[i] = at
			continue
		}
		for g := at + 1; g < len(model); g++ {
			if slices.Contains(model[g], name) {
				next[i] = g
			}
		}
	}
	if next[0] < 0 && next[1] < 0 {
		return c.unexpected(name)
	}
	if next[0] > 0 && next[1] > 0 {
		if strings.HasPrefix(name, "trace") {
			next[1] = -1
		} else {
			next[0] = -1
		}
	}
	c.group = next
	return nil
}

// unexpected says what may stand where the element of the given name stands.
func (c *content) unexpected(name string) error {
	var expected []string
	for i, model := range c.element.models {
		if c.group[i] < 0 {
			continue
		}
		for _, g := range model[c.group[i]:] {
			for _, n := range g {
				if e := schema[n]; !slices.Contains(expected, n) && e.refuse == "" {
					expected = append(expected, n)
				}
			}
		}
	}
	if len(expected) == 0 {
		return fmt.Errorf("</%s> expected, found <%s>", c.element.name, name)
	}
	return fmt.Errorf("<%s> or </%s> expected, found <%s>", strings.Join(expected, ">, <"), c.element.name, name)
}

// rule returns the rule of an attribute, or nil.
func (e *element) rule(name string) *attributeRule {
	for i := range e.attributes {
		if e.attributes[i].name == name {
			return &e.attributes[i]
		}
	}
	return nil
}

func (e *element) attributeNames() []string {
	var list []string
	for _, r := range e.attributes {
		list = append(list, r.name)
	}
	return list
}
