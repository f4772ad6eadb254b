package sysvipc

import (
	"fmt"
	"strings"
)

// Proc is /proc/sysvipc/sem.
func (s *Semaphores) Proc() string {
	var b strings.Builder
	b.WriteString("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n")
	for _, index := range s.indices() {
		o := s.byIndex[index]
		fmt.Fprintf(&b, "%10d %10d  %4o %10d %5d %5d %5d %5d %10d %10d\n",
			o.Key, o.id, o.Mode, len(o.all), o.UID, o.GID, o.CreatorU, o.CreatorG, o.Operated, o.Changed)
	}
	return b.String()
}

// Proc is /proc/sysvipc/msg.
func (s *Queues) Proc() string {
	var b strings.Builder
	b.WriteString("       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n")
	for _, index := range s.indices() {
		q := s.byIndex[index]
		fmt.Fprintf(&b, "%10d %10d  %4o  %10d %10d %5d %5d %5d %5d %5d %5d %10d %10d %10d\n",
			q.Key, q.id, q.Mode, q.Bytes, len(q.messages), q.Sender, q.Receiver, q.UID, q.GID, q.CreatorU, q.CreatorG, q.Sent, q.Received, q.Changed)
	}
	return b.String()
}
