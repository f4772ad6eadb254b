package scenario

import (
	"math"
	"slices"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
)

// State is how an item ended.
type State uint8

// The ways in which an item ends.
const (
	// Cancel is an item that would never end.
	Cancel State = iota
	Done
	FailNetwork
	FailHost
	FailStorage
)

var stateNames = [...]string{"CANCEL", "DONE", "FAIL_NETWORK", "FAIL_HOST", "FAIL_STORAGE"}

func (s State) String() string { return stateNames[s] }

// Result says when an item began and ended, in seconds, and how.
type Result struct {
	Start, Finish float64
	State         State
	// Latency and Route are a route's.
	Latency float64
	Route   []*platform.Link
}

// idleSteps is after how many changes of the platform in which no item began
// or ended those that are left are given up: profiles may repeat for ever.
const idleSteps = 1_000_000

// Run plays the items over n, which nothing else uses, and returns their
// results in the same order and the last clock.
func Run(n *network.Network, items []Item) (results []Result, clock float64) {
	r := &run{network: n, items: items, results: make([]Result, len(items))}
	n.HostChanged = r.hostChanged
	for i := range items {
		switch item := &items[i]; item.Kind {
		case Route, Hosts, Links:
			r.results[i].State = Done
			r.describe(i)
		case WifiRate:
			r.results[i].State = FailNetwork
			if n.SetWifiLevel(item.Link, item.Src, item.Number) == nil {
				r.results[i].State = Done
			}
		default:
			r.order = append(r.order, int32(i))
		}
	}
	slices.SortStableFunc(r.order, func(a, b int32) int {
		return compare(items[a].Start, items[b].Start)
	})
	r.left = len(r.order)
	if r.left > 0 {
		n.Engine().Wake(items[r.order[0]].Start, r.begin)
	}
	r.loop()
	return r.results, r.clock
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// run is a scenario in motion.
type run struct {
	network *network.Network
	items   []Item
	results []Result
	order   []int32 // items by start
	next    int     // in order
	left    int     // items that have not ended
	clock   float64
	asleep  map[*platform.Host][]int32
}

func (r *run) loop() {
	engine := r.network.Engine()
	for idle, left, next := 0, r.left, r.next; r.left > 0; idle++ {
		date := engine.Next()
		if math.IsInf(date, 1) || idle > idleSteps {
			break
		}
		engine.AdvanceTo(date)
		if r.left != left || r.next != next {
			idle, left, next = 0, r.left, r.next
		}
	}
	for _, i := range r.order {
		// An item that has not ended never will.
		if res := &r.results[i]; res.State == Cancel {
			res.Start, res.Finish = r.items[i].Start, r.clock
		}
	}
}

// describe answers what does not depend on time.
func (r *run) describe(i int) {
	item, result := &r.items[i], &r.results[i]
	if item.Kind != Route {
		return
	}
	links, latency, err := r.network.Router.AppendRoute(nil, item.Src, item.Dst)
	if err != nil {
		result.State = FailNetwork
	}
	result.Route, result.Latency = links, latency
}

// begin starts the items whose date has come, in the scenario's order.
func (r *run) begin() {
	now := r.network.Engine().Now()
	for r.next < len(r.order) && r.items[r.order[r.next]].Start <= now {
		i := r.order[r.next]
		r.next++
		r.results[i].Start = now
		r.start(i)
	}
	if r.next < len(r.order) {
		r.network.Engine().Wake(r.items[r.order[r.next]].Start, r.begin)
	}
}

func (r *run) start(i int32) {
	item := &r.items[i]
	n := r.network
	switch item.Kind {
	case Comm:
		r.startComm(i)
	case Exec:
		a := &fluid.Action{Ended: func(_ *fluid.Action, how fluid.State) { r.endAs(i, how, FailHost) }}
		if n.CPU(item.Src).Execute(a, item.Amount, item.Number, item.Rate) != nil {
			r.end(i, FailHost)
		}
	case IO:
		a := &fluid.Action{Ended: func(_ *fluid.Action, how fluid.State) { r.endAs(i, how, FailStorage) }}
		disk := n.Disk(item.Src, item.Disk)
		access := disk.Read
		if item.Write {
			access = disk.Write
		}
		if access(a, item.Amount) != nil {
			r.end(i, FailStorage)
		}
	case Sleep:
		r.startSleep(i)
	default:
		r.end(i, r.change(item))
	}
}

func (r *run) startComm(i int32) {
	item := &r.items[i]
	n := r.network
	if !n.HostOn(item.Src) || !n.HostOn(item.Dst) {
		r.end(i, FailHost)
		return
	}
	c := &network.Comm{Ended: func(_ *network.Comm, how fluid.State) { r.endAs(i, how, FailNetwork) }}
	if n.Communicate(c, item.Src, item.Dst, item.Amount, item.Rate) != nil {
		r.end(i, FailNetwork)
	}
}

// startSleep lets a host's time pass. SimGrid's shortest sleep is its timing
// precision.
func (r *run) startSleep(i int32) {
	item := &r.items[i]
	switch {
	case !r.network.HostOn(item.Src):
		r.end(i, FailHost)
		return
	case item.Amount == 0:
		r.end(i, Done)
		return
	}
	if r.asleep == nil {
		r.asleep = make(map[*platform.Host][]int32)
	}
	r.asleep[item.Src] = append(r.asleep[item.Src], i)
	engine := r.network.Engine()
	engine.Wake(engine.Now()+math.Max(item.Amount, fluid.TimePrecision), func() {
		list := r.asleep[item.Src]
		if k := slices.Index(list, i); k >= 0 {
			r.asleep[item.Src] = slices.Delete(list, k, k+1)
			r.end(i, Done)
		}
	})
}

// hostChanged fails the sleeps of a host that is turned off.
func (r *run) hostChanged(h *platform.Host, on bool) {
	if on {
		return
	}
	for _, i := range r.asleep[h] {
		r.end(i, FailHost)
	}
	delete(r.asleep, h)
}

// change applies a change of the platform.
func (r *run) change(item *Item) State {
	n := r.network
	switch item.Kind {
	case LinkOff, LinkOn:
		n.SetLinkState(item.Link, item.Kind == LinkOn)
	case HostOff, HostOn:
		n.SetHostState(item.Src, item.Kind == HostOn)
	case LinkBandwidth:
		n.SetBandwidth(item.Link, item.Rate)
	case LinkLatency:
		n.SetLatency(item.Link, item.Amount)
	case PState:
		if n.SetPState(item.Src, item.Number) != nil {
			return FailHost
		}
	}
	return Done
}

func (r *run) endAs(i int32, how fluid.State, failure State) {
	if how == fluid.Failed {
		r.end(i, failure)
		return
	}
	r.end(i, Done)
}

func (r *run) end(i int32, s State) {
	r.clock = r.network.Engine().Now()
	r.results[i].State = s
	r.results[i].Finish = r.clock
	r.left--
}
