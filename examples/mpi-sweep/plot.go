package main

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// table is the makespans as text: a line for each latency, a column for each
// bandwidth.
func table(makespans [][]float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s", "makespan, s")
	for _, bandwidth := range bandwidths {
		fmt.Fprintf(&b, "%12s", bandwidthName(bandwidth))
	}
	for i, latency := range latencies {
		fmt.Fprintf(&b, "\n%-12s", latencyName(latency))
		for _, makespan := range makespans[i] {
			fmt.Fprintf(&b, "%12.6f", makespan)
		}
	}
	return b.String() + "\n"
}

func bandwidthName(v float64) string {
	if v >= 1e9 {
		return fmt.Sprintf("%g Gbit/s", v/1e9)
	}
	return fmt.Sprintf("%g Mbit/s", v/1e6)
}

func latencyName(v float64) string { return fmt.Sprintf("%g µs", math.Round(v*1e6)) }

// draw plots the makespans over the bandwidth, both logarithmic, into an SVG
// file.
func draw(makespans [][]float64, file string) error {
	p := plot.New()
	p.Title.Text = "Heat on a plate, 8 ranks: recorded once, replayed on 20 platforms"
	p.X.Label.Text = "bandwidth of a host's link, bit/s"
	p.Y.Label.Text = "makespan, s"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true
	var lines []any
	for i, latency := range latencies {
		points := make(plotter.XYs, len(bandwidths))
		for k, bandwidth := range bandwidths {
			points[k] = plotter.XY{X: bandwidth, Y: makespans[i][k]}
		}
		lines = append(lines, "latency "+latencyName(latency), points)
	}
	if err := plotutil.AddLinePoints(p, lines...); err != nil {
		return err
	}
	return p.Save(18*vg.Centimeter, 12*vg.Centimeter, file)
}
