package inet

import (
	"math/rand/v2"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/sim"
)

type Network struct{}
type Stack struct{}
type Config struct {
	Name      string
	Addresses []netip.Addr
	Random    *rand.ChaCha8
	Realtime  func() int64
}

func NewNetwork(q *sim.Queue, c Carrier) *Network   { return &Network{} }
func (n *Network) NewStack(c Config) *Stack         { return &Stack{} }
func (s *Stack) ProcNet(name string) (string, bool) { return "", false }
func (s *Stack) NewSocket(domain, kind, protocol int) (socket.Socket, unix.Errno) {
	return nil, unix.EAFNOSUPPORT
}
