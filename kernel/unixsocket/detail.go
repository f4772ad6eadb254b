package unixsocket

// Detail is what sock_diag(7) tells of a socket.
type Detail struct {
	Kind      int
	Listening bool
	Connected bool
	Name      []byte    // sun_path as it was bound; nil when not bound
	Peer      *Socket   // nil if there is none
	Waiting   []*Socket // those that have connected and are not accepted yet
	// Received and Sent are the bytes that SIOCINQ and SIOCOUTQ tell of. Of a
	// listening socket they are the connections that wait and the most of them.
	Received, Sent int

	ReceiveShut, SendShut bool
}

// Detail tells of the socket.
func (s *Socket) Detail() Detail {
	d := Detail{
		Kind: s.kind, Listening: s.state == listening, Connected: s.state == established, Peer: s.peer,
		ReceiveShut: s.receiveShut, SendShut: s.sendShut,
	}
	if len(s.name) > pathOffset {
		d.Name = s.name[pathOffset:]
	}
	if d.Listening {
		for c := s.firstConnection; c != nil; c = c.nextConnection {
			if c.peer != nil {
				d.Waiting = append(d.Waiting, c.peer)
			}
		}
		d.Received, d.Sent = s.connections, s.backlog
		return d
	}
	d.Received, d.Sent = s.readable(), s.sendCharge
	return d
}
