package main

import (
	"fmt"

	"github.com/simterpose/simterpose/platform"
)

// The platforms of the sweep: eight hosts around a switch, whose links have one
// of these bandwidths, in bits per second, and latencies, in seconds.
var (
	bandwidths = []float64{10e6, 100e6, 1e9, 10e9, 100e9}
	latencies  = []float64{1e-6, 10e-6, 100e-6, 1e-3}
)

// star returns such a platform.
func star(bandwidth, latency float64) (*platform.Platform, error) {
	return platform.ReadXML("star.xml", fmt.Sprintf(`<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="star" prefix="node-" suffix="" radical="1-8" speed="2Gf" bw="%gbps" lat="%gs"/>
</platform>`, bandwidth, latency))
}
