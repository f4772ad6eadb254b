package kernel

func sysTimerfdCreate(t *Task) Outcome  { return sysRefused(t) }
func sysTimerfdSettime(t *Task) Outcome { return sysRefused(t) }
func sysTimerfdGettime(t *Task) Outcome { return sysRefused(t) }
