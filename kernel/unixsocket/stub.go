package unixsocket

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

type Namespace struct{}
type Socket struct{ socket.Socket }

func New() *Namespace { return &Namespace{} }
func (n *Namespace) NewSocket(kind, protocol int, c socket.Credentials) (*Socket, unix.Errno) {
	return nil, unix.EAFNOSUPPORT
}
func (n *Namespace) NewPair(kind, protocol int, c socket.Credentials) (a, b *Socket, e unix.Errno) {
	return nil, nil, unix.EAFNOSUPPORT
}
func (n *Namespace) ProcNet() string                               { return "" }
func (s *Socket) BindPath(a socket.Address, key string) unix.Errno { return 0 }
func (s *Socket) KeyAddress(key string) socket.Address             { return nil }
func (s *Socket) ConnectKey(a socket.Address, key string, c socket.Credentials) (*waiter.Queue, unix.Errno) {
	return nil, 0
}
