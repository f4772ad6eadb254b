package trace

import (
	"fmt"
	"strconv"
)

// typeSizes are the sizes of SMPI's datatypes in bytes, by the numbers that its
// traces give them (CREATE_MPI_DATATYPE in smpi_datatype.cpp, SimGrid 3.32).
var typeSizes = [...]float64{
	8, 4, 1, 2, 8, 4, 1, 8, 1, 1, 2, 4, 8, 8, 16, 4, 1, 1, 2, 4, 8, 1, 2, 4, 8, 8, 16, 32, 8, 8,
	8, 16, 16, 8, 8, 8, 16, 16, 4, 4, 8, 16, 8, 16, 32, 1, 2, 4, 8, 16, 32, 0, 0, 1, 8,
}

// SMPI's numbers of two datatypes that a trace means without saying so.
const (
	TypeDouble = 0
	TypeByte   = 6
)

// Types is the number of datatypes.
const Types = len(typeSizes)

// SizeOf is the size of a datatype in bytes; 1 if it is Absent or not known.
func SizeOf(datatype int) float64 {
	if datatype < 0 || datatype >= Types {
		return 1
	}
	return typeSizes[datatype]
}

// Explain tells an action in words.
func (r *Record) Explain() string {
	bytes := func() string { return quantityText(max(r.Amount, 0)*SizeOf(r.Type)) + " bytes" }
	seconds := strconv.FormatFloat(r.Amount, 'g', -1, 64) + " s"
	switch r.Action {
	case Compute:
		return "computes " + quantityText(r.Amount) + " flops"
	case Sleep:
		return "sleeps " + seconds
	case Delay:
		return "is in calls for " + seconds
	case Send, ISend:
		return fmt.Sprintf("%ss %s to rank %d, tag %d", r.Action, bytes(), r.Peer, r.Tag)
	case Recv, IRecv:
		return fmt.Sprintf("%ss %s from rank %d, tag %d", r.Action, bytes(), r.Peer, r.Tag)
	case Begin:
		return fmt.Sprintf("begins on %s as process %s[%d], thread %d", r.Name, r.Label, r.PID, r.TID)
	case Spawn:
		return fmt.Sprintf("starts actor %d", r.Peer)
	case Exec:
		if r.Given > 1 {
			return fmt.Sprintf("runs %s as rank %d", r.Label, r.Number)
		}
		return "runs " + r.Label
	case End:
		return "ends"
	case Wake:
		return fmt.Sprintf("wakes actor %d", r.Peer)
	case Await:
		return fmt.Sprintf("waits for actor %d", r.Peer)
	case Put:
		return fmt.Sprintf("puts %s into pipe %d", bytes(), r.Peer)
	case Get:
		return fmt.Sprintf("gets %s out of pipe %d", bytes(), r.Peer)
	case Socket:
		return fmt.Sprintf("makes socket %d (%s)", r.Socket, r.Name)
	case Option:
		return fmt.Sprintf("sets option %d of level %d of socket %d to %x", r.Number, r.Flags, r.Socket, r.Data)
	case Bind:
		return fmt.Sprintf("binds socket %d to %s port %d", r.Socket, r.Name, r.Port)
	case Listen:
		return fmt.Sprintf("listens on socket %d, port %d, backlog %d", r.Socket, r.Port, r.Number)
	case Connect:
		return fmt.Sprintf("connects socket %d to %s port %d", r.Socket, r.Name, r.Port)
	case Connected:
		return fmt.Sprintf("waits until socket %d is connected", r.Socket)
	case Accept:
		return fmt.Sprintf("accepts socket %d, which connects by socket %d, from listener %d", r.Accepted, r.Peer, r.Socket)
	case Write:
		return fmt.Sprintf("writes %s to socket %d", bytes(), r.Socket)
	case Read:
		if r.Amount == 0 {
			return fmt.Sprintf("reads the end of socket %d", r.Socket)
		}
		return fmt.Sprintf("reads %s from socket %d", bytes(), r.Socket)
	case Shutdown:
		return fmt.Sprintf("shuts socket %d down (%s)", r.Socket, [...]string{"reading", "writing", "both"}[min(r.Flags, 2)])
	case Close:
		return fmt.Sprintf("closes socket %d", r.Socket)
	case Ready:
		return fmt.Sprintf("waits until socket %d is ready (%#x)", r.Socket, r.Flags)
	case SendTo:
		return fmt.Sprintf("sends %s by socket %d to %s port %d", bytes(), r.Socket, r.Name, r.Port)
	case ReceiveFrom:
		return fmt.Sprintf("receives %s by socket %d", bytes(), r.Socket)
	}
	return r.String()
}

func quantityText(v float64) string { return string(appendQuantity(nil, v)) }
