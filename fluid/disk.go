package fluid

// Disk is a storage device, as SimGrid's model S19 has it: reads share the
// bandwidth for reading, writes that for writing, and all share the larger.
type Disk struct {
	model             *Model
	read, write, both Constraint
	off               bool
}

// RoundToBytes makes the model compute progress at every step of the engine in
// whole bytes, as SimGrid's disks do. It must be set before actions start.
// Without it steps do not matter, which is what guests want.
func (m *Model) RoundToBytes() { m.rounded = true }

// NewDisk adds a disk of the given bandwidths in bytes per second.
func (m *Model) NewDisk(read, write float64) *Disk {
	s := &m.system
	return &Disk{
		model: m,
		read:  s.AddConstraint(read, Shared),
		write: s.AddConstraint(write, Shared),
		both:  s.AddConstraint(max(read, write), Shared),
	}
}

// Read starts reading so many bytes.
func (d *Disk) Read(a *Action, bytes float64) error { return d.start(a, bytes, d.read) }

// Write starts writing so many bytes.
func (d *Disk) Write(a *Action, bytes float64) error { return d.start(a, bytes, d.write) }

func (d *Disk) start(a *Action, bytes float64, direction Constraint) error {
	if d.off {
		return ErrOff
	}
	d.model.Start(a, Work{Amount: bytes, Penalty: 1, Uses: 2})
	a.Use(d.both, 1)
	a.Use(direction, 1)
	d.model.engine.touch()
	return nil
}

// TurnOff fails what is being read and written and lets nothing start.
func (d *Disk) TurnOff() {
	d.off = true
	d.model.FailUsers(d.both)
}

// TurnOn lets reads and writes start again.
func (d *Disk) TurnOn() { d.off = false }
