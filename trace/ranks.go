package trace

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Job is a run of an MPI program in a trace of threads: the actor of each rank,
// and the action from which on it is the rank.
type Job struct {
	Program string
	Actors  []int
	from    []int
}

// Jobs finds the runs of MPI programs, in order of their first ranks.
func (t *Trace) Jobs() []Job {
	var jobs []Job
	for number, records := range t.Actors {
		for i := range records {
			r := &records[i]
			if r.Action != Exec || r.Given < 2 {
				continue
			}
			// A shell that becomes the program has the rank twice.
			later := slices.ContainsFunc(records[i+1:], func(o Record) bool { return o.Action == Exec && o.Given > 1 })
			if later {
				continue
			}
			jobs = enlist(jobs, r, number, i)
		}
	}
	return slices.DeleteFunc(jobs, func(j Job) bool { return slices.Contains(j.Actors, Absent) })
}

// enlist adds a rank to the first job of its program that lacks it.
func enlist(jobs []Job, r *Record, actor, from int) []Job {
	for k := range jobs {
		j := &jobs[k]
		if j.Program != r.Label || r.Number < len(j.Actors) && j.Actors[r.Number] != Absent {
			continue
		}
		j.set(r.Number, actor, from)
		return jobs
	}
	j := Job{Program: r.Label}
	j.set(r.Number, actor, from)
	return append(jobs, j)
}

// RankVariables are those by which the launchers of MPICH, Open MPI and PMIx tell
// a process its rank.
var RankVariables = []string{"PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"}

// ExecOf is the action of a process that runs a program, where one of
// RankVariables has that value, "" if none is there.
func ExecOf(program, rank string) Record {
	r := Record{Action: Exec, Label: program, Given: 1}
	if number, err := strconv.Atoi(rank); err == nil && number >= 0 {
		r.Number, r.Given = number, 2
	}
	return r
}

// mostRanks bounds the ranks of a job.
const mostRanks = 1 << 16

func (j *Job) set(rank, actor, from int) {
	if rank >= mostRanks {
		return
	}
	for len(j.Actors) <= rank {
		j.Actors, j.from = append(j.Actors, Absent), append(j.from, 0)
	}
	j.Actors[rank], j.from[rank] = actor, from
}

// Ranks is a job as a time-independent trace that SMPI's replay reads: what each
// rank computes, how long it sleeps, and the messages between ranks. A message
// is what a rank writes to another one's socket before it does anything else;
// it is received when its last byte is read. What passes between ranks and
// launchers is left out, and collectives are the messages that they were.
func (t *Trace) Ranks(j Job) (*Trace, error) {
	p := projection{trace: t, ends: map[int]int{}, streams: map[int]*stream{}}
	p.findEnds(j)
	for rank, actor := range j.Actors {
		p.measure(j, rank, t.Actors[actor][j.from[rank]:])
	}
	out := &Trace{Header: Header{{"program", j.Program}}}
	for rank, actor := range j.Actors {
		records, err := p.rank(j, rank, t.Actors[actor][j.from[rank]:])
		if err != nil {
			return nil, err
		}
		out.Actors = append(out.Actors, records)
	}
	if p.messages == 0 && len(j.Actors) > 1 {
		return nil, errors.New("messages between ranks through sockets expected, found none: ranks on one host share memory, unless told not to")
	}
	out.dropUnreceived()
	return out, nil
}

// dropUnreceived takes out the messages that nobody receives: a rank may end
// without reading its last ones, which SMPI's replay does not bear.
func (t *Trace) dropUnreceived() {
	type message struct{ from, to, tag int }
	received := map[message]bool{}
	for rank, records := range t.Actors {
		for i := range records {
			if r := &records[i]; r.Action == Recv {
				received[message{r.Peer, rank, r.Tag}] = true
			}
		}
	}
	for rank, records := range t.Actors {
		t.Actors[rank] = slices.DeleteFunc(records, func(r Record) bool {
			return r.Action == ISend && !received[message{rank, r.Peer, r.Tag}]
		})
	}
}

// projection turns a job's threads into ranks.
type projection struct {
	trace   *Trace
	ends    map[int]int      // a socket's other end
	owner   map[int]int      // the rank that a socket belongs to
	streams map[int]*stream  // by the socket that is written
	tags    map[[2]int]int   // the next of each pair of ranks
	ports   map[hostPort]int // the rank that receives datagrams there
	// datagrams are by the socket that sends and the rank that receives.
	datagrams map[[2]int]*datagrams
	messages  int
}

// stream is one direction of a connection between two ranks.
type stream struct {
	from, to int
	ends     []float64 // positions in the stream where messages end
	tags     []int
	written  float64
	sent     int // messages that the sender has sent
	read     float64
	received int // messages that have been received
}

// findEnds finds which sockets are the ends of connections between ranks.
func (p *projection) findEnds(j Job) {
	p.owner, p.tags = map[int]int{}, map[[2]int]int{}
	p.ports, p.datagrams = map[hostPort]int{}, map[[2]int]*datagrams{}
	for actor, records := range p.trace.Actors {
		rank, ok := p.rankOf(j, actor)
		if !ok {
			continue
		}
		for i := range records {
			switch r := &records[i]; r.Action {
			case Connect:
				p.owner[r.Socket] = rank
			case Bind:
				p.owner[r.Socket] = rank
				p.ports[hostPort{p.trace.hostOf(actor), r.Port}] = rank
			case Accept:
				p.owner[r.Accepted] = rank
				p.ends[r.Accepted], p.ends[r.Peer] = r.Peer, r.Accepted
			}
		}
	}
	for socket, end := range p.ends {
		from, ours := p.owner[socket]
		to, theirs := p.owner[end]
		if ours && theirs {
			p.streams[socket] = &stream{from: from, to: to}
		}
	}
}

// rankOf is the rank whose process an actor is a thread of: others may accept
// connections for the one that uses them.
func (p *projection) rankOf(j Job, actor int) (rank int, ok bool) {
	records := p.trace.Actors[actor]
	if len(records) == 0 {
		return 0, false
	}
	for rank, a := range j.Actors {
		if main := p.trace.Actors[a][0]; main.Name == records[0].Name && main.PID == records[0].PID {
			return rank, true
		}
	}
	return 0, false
}

// measure finds where the messages that a rank sends end.
func (p *projection) measure(j Job, rank int, records []Record) {
	var last *stream
	for i := range records {
		r := &records[i]
		s := p.streams[r.Socket]
		switch {
		case r.Action == Delay || r.Action == Ready:
			continue // of a write that was done in several parts
		case r.Action == SendTo:
			if to, ok := p.receiver(j, rank, r); ok {
				p.add(rank, to, r)
			}
			last = nil
			continue
		case r.Action != Write || s == nil:
			last = nil
			continue
		}
		s.written += r.Amount
		if s == last {
			s.ends[len(s.ends)-1] = s.written
			continue
		}
		last = s
		pair := [2]int{rank, s.to}
		s.ends, s.tags = append(s.ends, s.written), append(s.tags, p.tags[pair])
		p.tags[pair]++
		p.messages++
	}
}

// rank writes one rank's actions.
func (p *projection) rank(j Job, rank int, records []Record) ([]Record, error) {
	var out []Record
	add := func(r Record) {
		r.Actor = rank
		r.Type, r.Type2 = Absent, Absent
		out = append(out, r)
	}
	pending := 0.0 // seconds
	flush := func() {
		if pending > 0 {
			add(Record{Action: Sleep, Amount: pending})
			pending = 0
		}
	}
	add(Record{Action: Init})
	var last *stream
	sent := 0
	for i := range records {
		r := &records[i]
		s := p.streams[r.Socket]
		if r.Action != Write && r.Action != Delay && r.Action != Ready {
			last = nil
		}
		switch {
		case r.Action == Delay || r.Action == Sleep:
			pending += r.Amount
		case r.Action == Compute:
			flush()
			add(Record{Action: Compute, Amount: r.Amount})
		case r.Action == Write && s != nil:
			if s == last {
				continue
			}
			last = s
			flush()
			size := s.ends[s.sent]
			if s.sent > 0 {
				size -= s.ends[s.sent-1]
			}
			add(Record{Action: ISend, Peer: s.to, Tag: s.tags[s.sent], Amount: size, Given: 3})
			s.sent++
			sent++
		case r.Action == SendTo:
			if to, ok := p.receiver(j, rank, r); ok {
				flush()
				add(Record{Action: ISend, Peer: to, Tag: p.datagrams[[2]int{r.Socket, to}].nextSent(), Amount: r.Amount, Given: 3})
				sent++
			}
		case r.Action == ReceiveFrom:
			if tag, ok := p.datagrams[[2]int{r.Peer, rank}].nextReceived(r.Amount); ok {
				flush()
				add(Record{Action: Recv, Peer: p.owner[r.Peer], Tag: tag, Amount: r.Amount, Given: 3})
			}
		case r.Action == Read && p.streams[p.ends[r.Socket]] != nil:
			s := p.streams[p.ends[r.Socket]]
			s.read += r.Amount
			for s.received < len(s.ends) && s.ends[s.received] <= s.read {
				flush()
				size := s.ends[s.received]
				if s.received > 0 {
					size -= s.ends[s.received-1]
				}
				add(Record{Action: Recv, Peer: s.from, Tag: s.tags[s.received], Amount: size, Given: 3})
				s.received++
			}
		case r.Action == Spawn:
			if child := p.trace.Actors[r.Peer]; usesSockets(child, p.streams) {
				return nil, fmt.Errorf("rank %d sends from one thread expected, found another one (actor %d)", rank, r.Peer)
			}
		}
	}
	flush()
	if sent > 0 {
		add(Record{Action: WaitAll})
	}
	add(Record{Action: Finalize})
	return out, nil
}

func usesSockets(records []Record, streams map[int]*stream) bool {
	return slices.ContainsFunc(records, func(r Record) bool {
		return (r.Action == Write || r.Action == Read) && streams[r.Socket] != nil
	})
}
