package inet

import (
	"errors"
	"net/netip"
	"time"
)

// Carrier times what crosses the simulated network. The package network
// implements it over the platform and its models; tests may use one of their
// own. Both calls return at once; the functions given are called later, from
// the simulation's event loop, with the clock at the instant of arrival.
type Carrier interface {
	// Packet carries one datagram or one control segment of size bytes
	// (payload, without headers). arrive is called when it arrives: once, never
	// when it is lost, more than once when it is duplicated. Control segments
	// of TCP (reliable true) are delayed by loss instead of being lost; they
	// are still lost when the route is cut or a host is off.
	Packet(src, dst netip.Addr, size int, reliable bool, arrive func()) error

	// Direction opens one direction of a connection, a sequence of bytes.
	// arrived is called whenever bytes have arrived, in order, with the number
	// of bytes that arrived since the last call.
	Direction(src, dst netip.Addr, arrived func(n int)) (Direction, error)

	// HandshakeIsFree tells that connections are to cost no round trip.
	HandshakeIsFree() bool

	// RoundTrip is the latency of the route there and back, for estimates
	// that programs read (TCP_INFO) and for retransmission timeouts.
	RoundTrip(src, dst netip.Addr) time.Duration
}

// Direction is one direction of a connection. Bytes written while it is idle
// start a communication; bytes written while it is busy join it.
type Direction interface {
	// Write hands n more bytes to the network.
	Write(n int)
	// InFlight is the number of bytes written that have not arrived.
	InFlight() int
	// Window is the number of bytes that a sender would keep in flight now
	// (its congestion window), for the size of the send buffer and TCP_INFO.
	Window() int
	// Close gives up what is in flight: nothing arrives any more.
	Close()
}

// What a Carrier returns when the platform has no way to carry.
var (
	// ErrNoRoute means that there is no route between the two hosts.
	ErrNoRoute = errors.New("no route to host")
	// ErrNoHost means that no host has the destination address, and that the
	// address is not on a network of the platform.
	ErrNoHost = errors.New("no host with this address")
)
