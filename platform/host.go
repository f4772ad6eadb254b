package platform

import "net/netip"

// Node is an end of routes inside a zone: a host, a router or a nested zone.
type Node struct {
	Name string
	// Zone is the zone that holds the node; nil for the outermost zone.
	Zone  *Zone
	local int32 // position among the nodes of Zone
	kind  nodeKind
}

type nodeKind uint8

const (
	hostNode nodeKind = iota
	routerNode
	zoneNode
)

// Host is a simulated computer. It is small, because platforms may have
// hundreds of thousands: what few hosts have is behind methods.
type Host struct {
	Node
	Index int32
	addr4 uint32 // big-endian order
	*Hardware
}

// Hardware is what hosts that are alike share.
type Hardware struct {
	// Speeds holds the speed of one core in flop/s, one element per pstate.
	Speeds []float64
	// PState is the pstate at the start.
	PState int32
	Cores  int32

	more  *hostDetails // nil for most hosts
	owner *Host        // the only host that has it; nil if there may be several
}

// own gives h a Hardware, with details, that it does not share with others.
func (h *Host) own() {
	if h.owner == h {
		return
	}
	own := *h.Hardware
	own.owner, own.more = h, new(hostDetails)
	if h.more != nil {
		*own.more = *h.more
	}
	h.Hardware = &own
}

// hostDetails is what only some hosts have.
type hostDetails struct {
	disks       []Disk
	speed       *Profile
	state       *Profile
	properties  Properties
	coordinates []float64  // outside of Vivaldi zones, which hold those inside
	addr6       netip.Addr // only when the file gives it
}

// Disk is a storage device of a host; bandwidths in bytes per second.
type Disk struct {
	Name           string
	ReadBandwidth  float64
	WriteBandwidth float64
	Properties     Properties
}

// Speed is the speed of one core at the start, in flop/s.
func (h *Host) Speed() float64 { return h.Speeds[h.PState] }

// Disks returns the host's disks in the order of the file.
func (h *Host) Disks() []Disk {
	if h.more == nil {
		return nil
	}
	return h.more.disks
}

// SpeedProfile scales the speed of the host over time (1 is full speed); nil
// when there is none.
func (h *Host) SpeedProfile() *Profile {
	if h.more == nil {
		return nil
	}
	return h.more.speed
}

// StateProfile turns the host off (values <= 0) and on; nil when there is none.
func (h *Host) StateProfile() *Profile {
	if h.more == nil {
		return nil
	}
	return h.more.state
}

// Properties returns the host's properties in the order of the file.
func (h *Host) Properties() Properties {
	if h.more == nil {
		return nil
	}
	return h.more.properties
}

// Coordinates returns the three coordinates of a Vivaldi host, in ms, or nil.
func (h *Host) Coordinates() []float64 {
	if v, ok := h.Zone.routing.(*vivaldiRouting); ok {
		return v.place(h.local)
	}
	if h.more == nil {
		return nil
	}
	return h.more.coordinates
}
