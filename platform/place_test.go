package platform

import (
	"net/netip"
	"strings"
	"testing"
)

const treeFile = `<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><cluster id="tree" prefix="node-" suffix="" radical="0-3" speed="1Gf" bw="125MBps" lat="50us"
 topology="FAT_TREE" topo_parameters="2;2,2;1,2;1,1"/></platform>`

func TestPlacedHostsBringNameAndAddressesAndKeepTheirRoutes(t *testing.T) {
	p, err := ReadXML("tree.xml", treeFile)
	if err != nil {
		t.Fatal(err)
	}
	before, err := p.Route(p.Host("node-3"), p.Host("node-0"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Place([]Placement{
		{Host: p.Host("node-3"), Name: "server", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd01::1")}},
		{Host: p.Host("node-1"), Name: "node-2"},
		{Host: p.Host("node-2"), Name: "node-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := p.Host("server")
	after, err := p.Route(server, p.Host("node-0"))
	if err != nil || len(after.Links) != len(before.Links) || after.Links[0] != before.Links[0] {
		t.Errorf("the route of a placed host is %v (%v), was %v", after, err, before)
	}
	if p.Host("node-3") != nil || p.Host("node-1").Index != 2 || p.Host("node-2").Index != 1 {
		t.Error("names are not those that were given")
	}
	for name, want := range map[string]string{"server": "10.0.0.1 fd01::1", "node-0": "10.0.0.4 fd00::a00:4", "node-1": "10.0.0.3 fd00::a00:3"} {
		v4, v6 := p.Host(name).Addresses()
		if got := v4.String() + " " + v6.String(); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
		if p.HostByAddress(v4) != p.Host(name) || p.HostByAddress(v6) != p.Host(name) {
			t.Errorf("%s is not found by its addresses", name)
		}
	}
}

func TestPlaceRefusesNamesThatAreTaken(t *testing.T) {
	p, err := ReadXML("tree.xml", treeFile)
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.Host("node-0"), p.Host("node-1")
	for want, list := range map[string][]Placement{
		"both placed on":      {{Host: a, Name: "x"}, {Host: a, Name: "y"}},
		"placed on both":      {{Host: a, Name: "x"}, {Host: b, Name: "x"}},
		"another host of tha": {{Host: a, Name: "node-2"}},
		"router or zone":      {{Host: a, Name: "tree"}},
	} {
		if err := p.Place(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
