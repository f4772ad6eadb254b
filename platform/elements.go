package platform

import (
	"errors"
	"fmt"
	"strings"
)

// This file holds what each element of SimGrid's XML does.

// starParts is what a zone of routing="Cluster" is made of when it ends.
type starParts struct {
	zone     *Zone
	backbone *frame
	joined   []frame // <host_link>
	cabinets []frame
}

// connection is a <trace_connect>, made at the end of the file.
type connection struct {
	frame
	profile *Profile
}

// enter does what is due when an element begins.
func (l *loader) enter(f *frame) error {
	switch f.element.name {
	case "zone", "AS":
		kind, r, err := routingOf(f.get("routing"))
		if err != nil {
			return err
		}
		z, err := l.beginZone(strings.Clone(f.get("id")), kind, r)
		if err != nil {
			return err
		}
		l.stars = append(l.stars, l.star)
		l.star = &starParts{zone: z}
	case "route", "bypassRoute":
		return l.nodesExist(f, "src", "dst")
	case "zoneRoute", "ASroute", "bypassZoneRoute", "bypassASroute":
		return l.nodesExist(f, "src", "dst", "gw_src", "gw_dst")
	}
	return nil
}

func (l *loader) nodesExist(f *frame, attributes ...string) error {
	for _, name := range attributes {
		if l.node(f.get(name)) == nil {
			return fmt.Errorf("attribute %s: the name of a host, router or zone expected, found %q", name, f.get(name))
		}
	}
	return nil
}

// end takes the end of the innermost element.
func (l *loader) end() error {
	f := l.open[len(l.open)-1]
	l.open = l.open[:len(l.open)-1]
	if err := l.leave(&f); err != nil {
		return l.fail(&f, err)
	}
	return nil
}

// outer is the element around the one that ends.
func (l *loader) outer() *frame { return &l.open[len(l.open)-1] }

// leave does what is due when an element ends.
func (l *loader) leave(f *frame) error {
	switch f.element.name {
	case "prop":
		o := l.outer()
		// Of two properties of one name SimGrid keeps the first.
		if _, twice := o.properties.Get(f.get("id")); !twice {
			o.properties = append(o.properties, Property{strings.Clone(f.get("id")), strings.Clone(f.get("value"))})
		}
	case "config":
		return l.config(f)
	case "host":
		return l.host(f)
	case "disk":
		return l.disk(f)
	case "router":
		return l.router(f)
	case "link":
		return l.link(f)
	case "peer":
		return l.peer(f)
	case "cluster":
		return l.cluster(f)
	case "backbone":
		l.star.backbone = f
		return l.starOnly("backbone")
	case "host_link":
		l.star.joined = append(l.star.joined, *f)
		return l.starOnly("host_link")
	case "cabinet":
		if l.star == nil {
			l.warnf("element <cabinet> does nothing outside of a zone of routing=\"Cluster\"")
			return nil
		}
		l.star.cabinets = append(l.star.cabinets, *f)
		return l.starOnly("cabinet")
	case "link_ctn":
		return l.linkInRoute(f)
	case "route", "zoneRoute", "ASroute":
		return l.route(f)
	case "bypassRoute", "bypassZoneRoute", "bypassASroute":
		return l.bypassRoute(f)
	case "zone", "AS":
		return l.zoneEnds(f)
	case "trace":
		return l.trace(f)
	case "trace_connect":
		p := l.profiles[f.get("trace")]
		if p == nil {
			return fmt.Errorf("attribute trace: the id of a <trace> before this place expected, found %q", f.get("trace"))
		}
		l.connects = append(l.connects, connection{*f, p})
	case "argument":
		o := l.outer()
		o.arguments = append(o.arguments, strings.Clone(f.get("value")))
	case "actor", "process":
		return l.actor(f)
	}
	return nil
}

// starOnly warns about an element that SimGrid ignores in other zones.
func (l *loader) starOnly(name string) error {
	if l.star.zone.Routing != "Star" {
		l.warnf("element <%s> does nothing outside of a zone of routing=\"Cluster\"", name)
	}
	return nil
}

func (l *loader) host(f *frame) error {
	speeds, err := l.speeds(f)
	if err != nil {
		return err
	}
	cores, err := integer(f, "core")
	if err != nil {
		return err
	}
	pstate, err := integer(f, "pstate")
	if err != nil {
		return err
	}
	if pstate < 0 || pstate >= len(speeds) {
		return fmt.Errorf("attribute pstate: a number from 0 to %d expected, found %q", len(speeds)-1, f.get("pstate"))
	}
	h, err := l.addHost(l.texts.keep(f.get("id")), speeds, cores)
	if err != nil {
		return err
	}
	if pstate != 0 {
		h.own()
		h.PState = int32(pstate)
	}
	if err := l.hostFiles(f, h); err != nil {
		return err
	}
	if f.properties != nil {
		h.details().properties = f.properties
	}
	if f.disks != nil {
		h.details().disks = f.disks
	}
	return l.setAddresses(h, propertyAddresses(f.properties))
}

// hostFiles reads what <host> and <peer> have in common: coordinates and
// profiles.
func (l *loader) hostFiles(f *frame, h *Host) error {
	place, err := coordinates(f)
	if err != nil {
		return err
	}
	if place != nil {
		l.setPlace(&h.Node, place)
		if _, there := l.zone.routing.(*vivaldiRouting); !there {
			h.details().coordinates = place
		}
	}
	speed, err := l.profile(f, "availability_file")
	if err != nil {
		return err
	}
	if newer, err := l.profile(f, "speed_file"); err != nil {
		return err
	} else if newer != nil {
		speed = newer
	}
	state, err := l.profile(f, "state_file")
	if err != nil {
		return err
	}
	if speed != nil || state != nil {
		h.details().speed, h.details().state = speed, state
	}
	return nil
}

// setPlace notes the coordinates of a node for the routing of its zone.
func (l *loader) setPlace(n *Node, place []float64) {
	if v, ok := l.zone.routing.(*vivaldiRouting); ok {
		v.setPlace(n.local, place)
	}
}

func (l *loader) disk(f *frame) error {
	read, err := l.quantity(f, bandwidthUnits, "read_bw")
	if err != nil {
		return err
	}
	write, err := l.quantity(f, bandwidthUnits, "write_bw")
	if err != nil {
		return err
	}
	o := l.outer()
	o.disks = append(o.disks, Disk{
		Name: strings.Clone(f.get("id")), ReadBandwidth: read, WriteBandwidth: write, Properties: f.properties,
	})
	return nil
}

func (l *loader) router(f *frame) error {
	n, err := l.addRouter(strings.Clone(f.get("id")))
	if err != nil {
		return err
	}
	place, err := coordinates(f)
	if err == nil && place != nil {
		l.setPlace(n, place)
	}
	return err
}

func (l *loader) link(f *frame) error {
	var bandwidths []float64
	for one := range strings.FieldsFuncSeq(f.get("bandwidth"), func(c rune) bool { return c == ',' || c == ';' }) {
		b, err := l.value(f, bandwidthUnits, "bandwidth", one)
		if err != nil {
			return err
		}
		bandwidths = append(bandwidths, b)
	}
	latency, err := l.quantity(f, timeUnits, "latency")
	if err != nil {
		return err
	}
	policy := f.get("sharing_policy")
	wifi, isWifiZone := l.zone.routing.(*wifiRouting)
	if isWifiZone {
		policy = "WIFI"
		if wifi.link != nil {
			return fmt.Errorf("one link expected in a Wifi zone, which has %q already", wifi.link.Name())
		}
	}
	switch {
	case len(bandwidths) == 0:
		return fmt.Errorf("attribute bandwidth: a bandwidth such as 125MBps expected, found %q", f.get("bandwidth"))
	case !isWifiZone && len(bandwidths) > 1:
		return errors.New("attribute bandwidth: one value expected, a list is for the link of a Wifi zone")
	case isWifiZone && latency != 0:
		return errors.New("attribute latency: 0 expected for the link of a Wifi zone")
	}
	id := f.get("id")
	var links []*Link
	if policy == "SPLITDUPLEX" || policy == "FULLDUPLEX" {
		up, down, err := l.addSplit(id, bandwidths[0], latency)
		if err != nil {
			return err
		}
		links = []*Link{up, down}
	} else {
		c := Cable{Bandwidth: bandwidths[0], Latency: latency}
		switch policy {
		case "FATPIPE":
			c.Policy = FatPipe
		case "WIFI":
			c.Policy = Wifi
		}
		link, err := l.addCable(id, c)
		if err != nil {
			return err
		}
		links = []*Link{link}
	}
	var more linkDetails
	if more.bandwidth, err = l.profile(f, "bandwidth_file"); err != nil {
		return err
	}
	if more.latency, err = l.profile(f, "latency_file"); err != nil {
		return err
	}
	if more.state, err = l.profile(f, "state_file"); err != nil {
		return err
	}
	more.properties = f.properties
	if more.datagrams, err = datagramFaults(f.properties); err != nil {
		return err
	}
	if len(bandwidths) > 1 {
		more.levels = bandwidths
	}
	for _, link := range links {
		if more.bandwidth != nil || more.latency != nil || more.state != nil || more.properties != nil || more.levels != nil {
			*link.details() = more
		}
	}
	if isWifiZone {
		wifi.link = links[0]
	}
	return nil
}

// datagramFaults reads the properties of a link that say what it does to
// datagrams.
func datagramFaults(properties Properties) (faults DatagramFaults, err error) {
	for _, q := range properties {
		var into *float64
		switch q.Name {
		case "loss":
			into = &faults.Loss
		case "duplicate":
			into = &faults.Duplicate
		case "reorder":
			into = &faults.Reorder
		case "corrupt":
			into = &faults.Corrupt
		case "jitter":
			if faults.Jitter, err = ParseTime(q.Value); err == nil {
				err = notNegative("jitter", faults.Jitter)
			}
			if err != nil {
				return faults, fmt.Errorf("property jitter: %w", err)
			}
			continue
		default:
			continue
		}
		if *into, err = probability(q.Value); err != nil {
			return faults, fmt.Errorf("property %s: %w", q.Name, err)
		}
	}
	return faults, nil
}

// probability reads a number from 0 to 1, or with a percent sign to 100.
func probability(text string) (float64, error) {
	value, rest, err := strtod(text)
	if err == nil && rest == "%" {
		value, rest = value/100, ""
	}
	if err != nil || rest != "" || !(value >= 0 && value <= 1) {
		return 0, fmt.Errorf("a probability such as 0.01 or 1%% expected, found %q", shorten(text, 100))
	}
	return value, nil
}

func (l *loader) peer(f *frame) error {
	if l.zone == nil {
		return errors.New("a peer belongs into a zone of routing=\"Vivaldi\"")
	}
	v, ok := l.zone.routing.(*vivaldiRouting)
	if !ok {
		return errors.New("a peer belongs into a zone of routing=\"Vivaldi\"")
	}
	speed, err := l.quantity(f, speedUnits, "speed")
	if err != nil {
		return err
	}
	in, err := l.quantity(f, bandwidthUnits, "bw_in")
	if err != nil {
		return err
	}
	out, err := l.quantity(f, bandwidthUnits, "bw_out")
	if err != nil {
		return err
	}
	if f.get("lat") != "" {
		l.warnf("element <peer>: attribute lat does nothing; the third coordinate is the latency to the network")
	}
	id := l.texts.keep(f.get("id"))
	h, err := l.addHost(id, []float64{speed}, 1)
	if err != nil {
		return err
	}
	if err := l.hostFiles(f, h); err != nil {
		return err
	}
	up, err := l.addLink("link_"+id+"_UP", out, 0)
	if err != nil {
		return err
	}
	down, err := l.addLink("link_"+id+"_DOWN", in, 0)
	if err != nil {
		return err
	}
	v.join(&h.Node, up, down)
	return nil
}

func (l *loader) cluster(f *frame) (err error) {
	c := &cluster{
		id: strings.Clone(f.get("id")), prefix: strings.Clone(f.get("prefix")), suffix: strings.Clone(f.get("suffix")),
		policy: f.get("sharing_policy"), topology: f.get("topology"), parameters: f.get("topo_parameters"),
		router: strings.Clone(f.get("router_id")), properties: f.properties,
	}
	if c.numbers, err = parseRadical(f.get("radical")); err != nil {
		return err
	}
	if c.speeds, err = l.speeds(f); err != nil {
		return err
	}
	if c.cores, err = integer(f, "core"); err != nil {
		return err
	}
	for _, q := range []struct {
		name string
		unit *unitTable
		into *float64
	}{
		{"bw", bandwidthUnits, &c.bandwidth},
		{"lat", timeUnits, &c.latency},
		{"bb_bw", bandwidthUnits, &c.backboneBandwidth},
		{"bb_lat", timeUnits, &c.backboneLatency},
		{"limiter_link", bandwidthUnits, &c.limiter},
		{"loopback_bw", bandwidthUnits, &c.loopbackBandwidth},
		{"loopback_lat", timeUnits, &c.loopbackLatency},
	} {
		if q.name == "bw" || q.name == "lat" {
			*q.into, err = l.quantity(f, q.unit, q.name)
		} else {
			*q.into, err = l.given(f, q.unit, q.name)
		}
		if err != nil {
			return err
		}
	}
	if c.policy == "FULLDUPLEX" {
		c.policy = "SPLITDUPLEX"
	}
	if f.get("bb_sharing_policy") == "FATPIPE" {
		c.backbonePolicy = FatPipe
	}
	return l.addCluster(c)
}

func (l *loader) linkInRoute(f *frame) error {
	id := f.get("id")
	o := l.outer()
	if direction := f.get("direction"); direction != "NONE" {
		up, down := l.split(id)
		if up == nil {
			return fmt.Errorf("attribute id: the name of a link of sharing_policy=\"SPLITDUPLEX\" expected, found %q", id)
		}
		if direction == "DOWN" {
			up, down = down, up
		}
		o.links = append(o.links, linkInRoute{up, down})
		return nil
	}
	link := l.Link(id)
	if link == nil {
		if up, _ := l.split(id); up != nil {
			return fmt.Errorf("attribute direction: UP or DOWN expected for the full-duplex link %q", id)
		}
		return fmt.Errorf("attribute id: the name of a link expected, found %q", id)
	}
	o.links = append(o.links, linkInRoute{link, link})
	return nil
}

// links returns the links of a route there and back.
func (f *frame) bothWays() (there, back []*Link) {
	n := len(f.links)
	there, back = make([]*Link, n), make([]*Link, n)
	for i, in := range f.links {
		there[i], back[n-1-i] = in.there, in.back
	}
	return there, back
}

func (l *loader) route(f *frame) error {
	src, dst := l.node(f.get("src")), l.node(f.get("dst"))
	r, ok := l.zone.routing.(declarer)
	if !ok {
		return fmt.Errorf("zone %q is of a kind (%s) that takes no routes", l.zone.Name, l.zone.Routing)
	}
	there, back := f.bothWays()
	w, reverse := &way{links: there}, &way{links: back}
	if f.element.name != "route" {
		from, to, err := l.gateways(f, src, dst)
		if err != nil {
			return err
		}
		w.from, w.to, reverse.from, reverse.to = from, to, to, from
	} else if src.kind == zoneNode || dst.kind == zoneNode {
		return fmt.Errorf("hosts or routers expected at both ends (use <zoneRoute> between zones)")
	}
	if src.Zone != l.zone || dst.Zone != l.zone {
		return fmt.Errorf("both ends must lie in zone %q directly", l.zone.Name)
	}
	if len(there) == 0 {
		if src == dst && l.zone.Routing == "Star" {
			return nil // as in SimGrid, a loopback that does nothing
		}
		return errors.New("<link_ctn> expected: a route needs at least one link")
	}
	if err := r.declare(src, dst, w); err != nil {
		return err
	}
	if !strings.EqualFold(f.get("symmetrical"), "YES") {
		return nil
	}
	if src == dst {
		// Floyd and Dijkstra zones of SimGrid refuse this; Full takes it.
		if _, full := r.(*fullRouting); full || l.zone.Routing == "Star" {
			return nil
		}
	}
	return r.declare(dst, src, reverse)
}

// gateways returns the gateways of a route between zones.
func (l *loader) gateways(f *frame, src, dst *Node) (from, to *Node, err error) {
	from, to = l.node(f.get("gw_src")), l.node(f.get("gw_dst"))
	for _, end := range []struct {
		zone, gateway *Node
		name          string
	}{{src, from, "gw_src"}, {dst, to, "gw_dst"}} {
		switch {
		case end.zone.kind != zoneNode:
			return nil, nil, fmt.Errorf("%q is not a zone (use <route> between hosts and routers)", end.zone.Name)
		case end.gateway.kind == zoneNode:
			return nil, nil, fmt.Errorf("attribute %s: a host or router expected, %q is a zone", end.name, end.gateway.Name)
		case end.zone.Zone != l.zone:
			return nil, nil, fmt.Errorf("zone %q does not lie in zone %q directly", end.zone.Name, l.zone.Name)
		case !l.zoneOf(end.zone).contains(end.gateway):
			return nil, nil, fmt.Errorf("attribute %s: %q does not lie in zone %q", end.name, end.gateway.Name, end.zone.Name)
		}
	}
	if from == to {
		return nil, nil, fmt.Errorf("both gateways are %q", from.Name)
	}
	return from, to, nil
}

// zoneOf returns the zone whose node it is.
func (l *loader) zoneOf(n *Node) *Zone {
	for _, z := range n.Zone.Children {
		if &z.Node == n {
			return z
		}
	}
	panic("platform: a zone that its parent does not know")
}

func (l *loader) bypassRoute(f *frame) error {
	src, dst := l.node(f.get("src")), l.node(f.get("dst"))
	there, _ := f.bothWays()
	if len(there) == 0 {
		return errors.New("<link_ctn> expected: a bypass needs at least one link")
	}
	b := &bypass{links: there}
	if f.element.name != "bypassRoute" {
		b.from, b.to = l.node(f.get("gw_src")), l.node(f.get("gw_dst"))
	} else if src.kind == zoneNode || dst.kind == zoneNode {
		return errors.New("hosts or routers expected at both ends (use <bypassZoneRoute> between zones)")
	}
	key := pair{src, dst}
	if l.zone.bypasses[key] != nil {
		return fmt.Errorf("the bypass from %q to %q exists already", src.Name, dst.Name)
	}
	if l.zone.bypasses == nil {
		l.zone.bypasses = make(map[pair]*bypass)
	}
	l.zone.bypasses[key] = b
	return nil
}

func (l *loader) zoneEnds(f *frame) error {
	parts := l.star
	l.star, l.stars = l.stars[len(l.stars)-1], l.stars[:len(l.stars)-1]
	l.zone.Properties = f.properties
	if parts.zone.Routing == "Star" {
		if err := l.starEnds(parts); err != nil {
			return err
		}
	}
	return l.endZone()
}

// starEnds joins the hosts of a zone of routing="Cluster".
func (l *loader) starEnds(parts *starParts) error {
	star := parts.zone.routing.(*starRouting)
	if f := parts.backbone; f != nil {
		bandwidth, err := l.quantity(f, bandwidthUnits, "bandwidth")
		if err != nil {
			return l.fail(f, err)
		}
		latency, err := l.quantity(f, timeUnits, "latency")
		if err != nil {
			return l.fail(f, err)
		}
		link, err := l.addLink(f.get("id"), bandwidth, latency)
		if err != nil {
			return l.fail(f, err)
		}
		star.backbone = link
	}
	for i := range parts.joined {
		f := &parts.joined[i]
		h, up, down := l.Host(f.get("id")), l.Link(f.get("up")), l.Link(f.get("down"))
		switch {
		case h == nil || h.Zone != parts.zone:
			return l.fail(f, fmt.Errorf("attribute id: the name of a host of zone %q expected, found %q", parts.zone.Name, f.get("id")))
		case up == nil:
			return l.fail(f, fmt.Errorf("attribute up: the name of a link expected, found %q", f.get("up")))
		case down == nil:
			return l.fail(f, fmt.Errorf("attribute down: the name of a link expected, found %q", f.get("down")))
		}
		star.join(&h.Node, up, down)
	}
	for i := range parts.cabinets {
		if err := l.cabinet(&parts.cabinets[i], star); err != nil {
			return l.fail(&parts.cabinets[i], err)
		}
	}
	return nil
}

func (l *loader) cabinet(f *frame, star *starRouting) error {
	numbers, err := parseRadical(f.get("radical"))
	if err != nil {
		return err
	}
	speed, err := l.quantity(f, speedUnits, "speed")
	if err != nil {
		return err
	}
	bandwidth, err := l.quantity(f, bandwidthUnits, "bw")
	if err != nil {
		return err
	}
	latency, err := l.quantity(f, timeUnits, "lat")
	if err != nil {
		return err
	}
	speeds := []float64{speed}
	for _, n := range numbers {
		h, err := l.addHost(l.texts.name(f.get("prefix"), n, f.get("suffix")), speeds, 1)
		if err != nil {
			return err
		}
		up, err := l.addLink("link_"+h.Name+"_UP", bandwidth, latency)
		if err != nil {
			return err
		}
		down, err := l.addLink("link_"+h.Name+"_DOWN", bandwidth, latency)
		if err != nil {
			return err
		}
		star.join(&h.Node, up, down)
	}
	return nil
}

func (l *loader) trace(f *frame) error {
	id := strings.Clone(f.get("id"))
	period, err := seconds(f, "periodicity")
	if err != nil {
		return err
	}
	if l.profiles[id] != nil {
		return fmt.Errorf("a second trace named %q", id)
	}
	var p *Profile
	switch text := f.data.String(); {
	case f.get("file") != "":
		p, err = l.profile(f, "file")
	case text == "":
		return fmt.Errorf("trace %q needs a file or a content", id)
	default:
		p, err = parseProfile(l.scanner.file, text, period, f.line)
	}
	if err != nil {
		return err
	}
	if l.profiles == nil {
		l.profiles = make(map[string]*Profile)
	}
	l.profiles[id] = p
	return nil
}

// connect gives the profiles of <trace_connect> to their elements. A trace is
// connected once for each kind: SimGrid forgets further ones.
func (l *loader) connect() error {
	type use struct{ kind, trace string }
	used := make(map[use]bool)
	for i := range l.connects {
		c := &l.connects[i]
		kind, name := c.get("kind"), c.get("element")
		if u := (use{kind, c.get("trace")}); used[u] {
			l.Warnings = append(l.Warnings, fmt.Sprintf(
				"%s:%d: element <trace_connect>: trace %q is connected to another element already, to %q it is not (as in SimGrid)",
				l.scanner.file, c.line, u.trace, name))
			continue
		} else {
			used[u] = true
		}
		if kind == "HOST_AVAIL" || kind == "SPEED" {
			h := l.Host(name)
			if h == nil {
				return l.fail(&c.frame, fmt.Errorf("attribute element: the name of a host expected, found %q", name))
			}
			if kind == "SPEED" {
				h.details().speed = c.profile
			} else {
				h.details().state = c.profile
			}
			continue
		}
		link := l.Link(name)
		if link == nil {
			return l.fail(&c.frame, fmt.Errorf("attribute element: the name of a link expected, found %q", name))
		}
		details := link.details()
		switch kind {
		case "LINK_AVAIL":
			details.state = c.profile
		case "BANDWIDTH":
			details.bandwidth = c.profile
		case "LATENCY":
			details.latency = c.profile
		}
	}
	return nil
}

func (l *loader) actor(f *frame) error {
	h := l.Host(f.get("host"))
	if h == nil {
		return fmt.Errorf("attribute host: the name of a host expected, found %q", f.get("host"))
	}
	start, err := seconds(f, "start_time")
	if err != nil {
		return err
	}
	kill, err := seconds(f, "kill_time")
	if err != nil {
		return err
	}
	a := Actor{
		Host: h, Function: strings.Clone(f.get("function")), Arguments: f.arguments,
		StartTime: start, KillTime: kill, Restart: f.get("on_failure") == "RESTART",
		Properties: f.properties, Position: Position{File: l.scanner.file, Line: f.line},
	}
	if l.deployment {
		l.actors = append(l.actors, a)
	} else {
		l.Actors = append(l.Actors, a)
	}
	return nil
}
