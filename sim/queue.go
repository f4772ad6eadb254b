package sim

// Event is something that happens at an instant. It is owned by whoever
// schedules it and may be embedded, so that scheduling allocates nothing; the
// zero value with Fire set is ready for use.
type Event struct {
	// Fire is called when simulated time reaches the event, with the event
	// already out of the queue, so that it may schedule itself again.
	Fire func()

	when     Time
	sequence uint64
	index    int // position in the heap plus one; 0 when not scheduled
}

// Scheduled tells whether e waits in a queue.
func (e *Event) Scheduled() bool { return e.index != 0 }

// When is the instant for which e is (or was last) scheduled.
func (e *Event) When() Time { return e.when }

// Queue is the simulated clock and the events that move it. Events of the same
// instant fire in the order in which they were scheduled. The zero value is an
// empty queue at time 0.
type Queue struct {
	now      Time
	sequence uint64 // of what was scheduled last
	first    uint64 // of what was scheduled last by ScheduleFirst
	heap     []*Event
}

// firsts is how many events ScheduleFirst can schedule.
const firsts = 1 << 32

// Now is the current simulated time.
func (q *Queue) Now() Time { return q.now }

// Len is the number of scheduled events.
func (q *Queue) Len() int { return len(q.heap) }

// Schedule puts e in the queue at the given instant, moving it if it is
// already there. An instant in the past means now.
func (q *Queue) Schedule(e *Event, when Time) {
	q.sequence++
	q.put(e, when, firsts+q.sequence)
}

// ScheduleFirst is Schedule, but at its instant e comes before all that Schedule
// has put there, and after what ScheduleFirst has.
func (q *Queue) ScheduleFirst(e *Event, when Time) {
	q.first++
	q.put(e, when, q.first)
}

func (q *Queue) put(e *Event, when Time, sequence uint64) {
	if e.Fire == nil {
		panic("sim: event without Fire scheduled")
	}
	if when < q.now {
		when = q.now
	}
	e.sequence = sequence
	e.when = when
	if e.index == 0 {
		q.heap = append(q.heap, e)
		e.index = len(q.heap)
		q.up(e.index - 1)
		return
	}
	i := e.index - 1
	if !q.up(i) {
		q.down(i)
	}
}

// After schedules a new event that calls fire at the given instant.
func (q *Queue) After(when Time, fire func()) *Event {
	e := &Event{Fire: fire}
	q.Schedule(e, when)
	return e
}

// Cancel takes e out of the queue; it does nothing when e is not scheduled.
func (q *Queue) Cancel(e *Event) {
	if e.index == 0 {
		return
	}
	i := e.index - 1
	last := len(q.heap) - 1
	q.swap(i, last)
	q.heap[last] = nil
	q.heap = q.heap[:last]
	e.index = 0
	if i < last && !q.up(i) {
		q.down(i)
	}
}

// Next is the instant of the earliest event, or Never.
func (q *Queue) Next() Time {
	if len(q.heap) == 0 {
		return Never
	}
	return q.heap[0].when
}

// Step moves the clock to the earliest event and fires it. It returns false
// when there is none.
func (q *Queue) Step() bool {
	if len(q.heap) == 0 {
		return false
	}
	e := q.heap[0]
	q.Cancel(e)
	q.now = e.when
	e.Fire()
	return true
}

// Advance moves the clock to an instant that no event precedes.
func (q *Queue) Advance(to Time) {
	if to < q.now {
		panic("sim: clock moved backwards")
	}
	if to > q.Next() {
		panic("sim: clock moved past an event")
	}
	q.now = to
}

func (q *Queue) less(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	if a.when != b.when {
		return a.when < b.when
	}
	return a.sequence < b.sequence
}

func (q *Queue) swap(i, j int) {
	q.heap[i], q.heap[j] = q.heap[j], q.heap[i]
	q.heap[i].index = i + 1
	q.heap[j].index = j + 1
}

func (q *Queue) up(i int) (moved bool) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			break
		}
		q.swap(i, parent)
		i, moved = parent, true
	}
	return moved
}

func (q *Queue) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(q.heap) {
			return
		}
		if right := child + 1; right < len(q.heap) && q.less(right, child) {
			child = right
		}
		if !q.less(child, i) {
			return
		}
		q.swap(i, child)
		i = child
	}
}
