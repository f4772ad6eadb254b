package platform

// Policy says how a link's bandwidth is divided among what crosses it.
type Policy uint8

const (
	// Shared divides the bandwidth among all that cross the link.
	Shared Policy = iota
	// FatPipe gives each the whole bandwidth.
	FatPipe
	// Wifi divides the time among stations, each with a rate of its own.
	Wifi
)

func (p Policy) String() string {
	switch p {
	case FatPipe:
		return "FATPIPE"
	case Wifi:
		return "WIFI"
	}
	return "SHARED"
}

// Link carries data between nodes. A full-duplex link of the file is two
// links, NAME_UP and NAME_DOWN. It is small, because platforms may have millions.
type Link struct {
	*Cable
	Index int32
	name  namePlace
}

// Cable is what links that are alike share.
type Cable struct {
	// Bandwidth is in bytes per second; of a Wifi link, that of level 0.
	Bandwidth float64
	// Latency is in seconds.
	Latency float64
	Policy  Policy

	half  half
	names *linkNames   // of the platform
	more  *linkDetails // nil for most links
	owner *Link        // the only link that has it; nil if there may be several
}

// Name is the link's name in the platform.
func (l *Link) Name() string {
	if l.names == nil {
		return ""
	}
	return l.names.at(l.name)
}

// own gives l a Cable that it does not share with others.
func (l *Link) own() {
	if l.owner == l {
		return
	}
	own := *l.Cable
	own.owner = l
	if l.more != nil {
		more := *l.more
		own.more = &more
	}
	l.Cable = &own
}

// details returns the link's own rare fields.
func (l *Link) details() *linkDetails {
	l.own()
	if l.more == nil {
		l.more = new(linkDetails)
	}
	return l.more
}

// half tells which part of a full-duplex link a link is. The other half is the
// link created next to it.
type half uint8

const (
	noHalf half = iota
	upHalf
	downHalf
)

// linkDetails is what only some links have.
type linkDetails struct {
	levels     []float64
	bandwidth  *Profile
	latency    *Profile
	state      *Profile
	properties Properties
	datagrams  DatagramFaults
}

// DatagramFaults says what a link does to datagrams besides delaying them. The
// values come from the link's properties loss, duplicate, reorder and corrupt
// (probabilities from 0 to 1, or with a percent sign) and jitter (a time).
type DatagramFaults struct {
	Loss, Duplicate, Reorder, Corrupt float64
	// Jitter is in seconds.
	Jitter float64
}

// Levels returns the bandwidths that a station of a Wifi link may have, in
// bytes per second, by level; of other links, their only bandwidth.
func (l *Link) Levels() []float64 {
	if l.more == nil || len(l.more.levels) == 0 {
		return []float64{l.Bandwidth}
	}
	return l.more.levels
}

// BandwidthProfile gives the link's bandwidth in bytes per second over time;
// nil when there is none.
func (l *Link) BandwidthProfile() *Profile {
	if l.more == nil {
		return nil
	}
	return l.more.bandwidth
}

// LatencyProfile gives the link's latency in seconds over time; nil when there
// is none.
func (l *Link) LatencyProfile() *Profile {
	if l.more == nil {
		return nil
	}
	return l.more.latency
}

// StateProfile turns the link off (values <= 0) and on; nil when there is none.
func (l *Link) StateProfile() *Profile {
	if l.more == nil {
		return nil
	}
	return l.more.state
}

// Properties returns the link's properties in the order of the file.
func (l *Link) Properties() Properties {
	if l.more == nil {
		return nil
	}
	return l.more.properties
}

// DatagramFaults returns what the link does to datagrams.
func (l *Link) DatagramFaults() DatagramFaults {
	if l.more == nil {
		return DatagramFaults{}
	}
	return l.more.datagrams
}
