package scenario

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
)

// Print writes one line an item and the last clock.
func Print(w io.Writer, items []Item, results []Result, n *network.Network, clock float64) error {
	b := bufio.NewWriter(w)
	for i := range items {
		item, r := &items[i], &results[i]
		fmt.Fprintf(b, "%d %s", i, item.Kind)
		if item.Text != "" {
			fmt.Fprintf(b, " %s", item.Text)
		}
		switch item.Kind {
		case Route:
			if r.State == Done {
				fmt.Fprintf(b, " lat=%.9f links=%s\n", r.Latency, joined(linkNames(slices.Values(r.Route))))
			} else {
				fmt.Fprintf(b, " state=%s\n", r.State)
			}
		case Hosts:
			fmt.Fprintf(b, " count=%d hosts=%s\n", len(n.Hosts), joined(hostNames(n.Hosts)))
		case Links:
			fmt.Fprintf(b, " count=%d links=%s\n", n.Links.Len(), joined(linkNames(n.Links.All())))
		default:
			fmt.Fprintf(b, " start=%.9f finish=%.9f duration=%.9f state=%s\n",
				r.Start, r.Finish, r.Finish-r.Start, r.State)
		}
	}
	fmt.Fprintf(b, "end clock=%.9f\n", clock)
	return b.Flush()
}

// The JSON form of a run: dates in seconds with all their digits.
type (
	jsonRun struct {
		Items []jsonItem `json:"items"`
		Clock float64    `json:"clock"`
	}
	jsonItem struct {
		Index    int        `json:"index"`
		Line     int        `json:"line"`
		Kind     string     `json:"kind"`
		Words    string     `json:"words,omitempty"`
		Start    *float64   `json:"start,omitempty"`
		Finish   *float64   `json:"finish,omitempty"`
		Duration *float64   `json:"duration,omitempty"`
		State    string     `json:"state"`
		Latency  *float64   `json:"latency,omitempty"`
		Route    []string   `json:"links,omitempty"`
		Hosts    []jsonHost `json:"hosts,omitempty"`
		Links    []jsonLink `json:"platform_links,omitempty"`
	}
	jsonHost struct {
		Name   string    `json:"name"`
		Speeds []float64 `json:"speeds"`
		PState int32     `json:"pstate"`
		Cores  int32     `json:"cores"`
	}
	jsonLink struct {
		Name      string    `json:"name"`
		Bandwidth []float64 `json:"bandwidth"`
		Latency   float64   `json:"latency"`
		Policy    string    `json:"policy"`
		Bytes     int64     `json:"bytes"`
		Messages  int64     `json:"messages"`
	}
)

// PrintJSON writes the results as one JSON object.
func PrintJSON(w io.Writer, items []Item, results []Result, n *network.Network, clock float64) error {
	out := jsonRun{Items: make([]jsonItem, len(items)), Clock: clock}
	for i := range items {
		out.Items[i] = jsonOf(i, &items[i], &results[i], n)
	}
	return json.NewEncoder(w).Encode(out)
}

func jsonOf(i int, item *Item, r *Result, n *network.Network) jsonItem {
	j := jsonItem{Index: i, Line: item.Line, Kind: item.Kind.String(), Words: item.Text, State: r.State.String()}
	switch item.Kind {
	case Route:
		if r.State == Done {
			j.Latency = &r.Latency
			j.Route = linkNames(slices.Values(r.Route))
		}
	case Hosts:
		for _, h := range n.Hosts {
			j.Hosts = append(j.Hosts, jsonHost{h.Name, h.Speeds, h.PState, h.Cores})
		}
	case Links:
		for l := range n.Links.All() {
			t := n.LinkTraffic(l)
			j.Links = append(j.Links, jsonLink{l.Name(), l.Levels(), l.Latency, l.Policy.String(), t.Bytes, t.Messages})
		}
	case WifiRate:
	default:
		duration := r.Finish - r.Start
		j.Start, j.Finish, j.Duration = &r.Start, &r.Finish, &duration
	}
	return j
}

// joined writes names as a scenario may name them again.
func joined(names []string) string {
	return strings.ReplaceAll(strings.Join(names, ","), " ", "%20")
}

func hostNames(hosts []*platform.Host) []string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	return names
}

func linkNames(links iter.Seq[*platform.Link]) (names []string) {
	for l := range links {
		names = append(names, l.Name())
	}
	return names
}
