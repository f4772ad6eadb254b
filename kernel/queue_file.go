package kernel

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/mqueue"
)

// The files of /dev/mqueue. Each POSIX message queue has an ordinary file there, in
// memory, which stands for it: it is listed, removed and changed by the calls for
// files, and its owner and mode are the queue's. When one is opened, the queue is.

const queueFolder = "/dev/mqueue"

// makeQueueFile makes the file of a new queue. A host without the folder has queues
// without files.
func (t *Task) makeQueueFile(name string, q *mqueue.Queue) (fileIdentity, unix.Errno) {
	h := t.host()
	folder, errno := h.open(queueFolder, unix.O_PATH|unix.O_DIRECTORY)
	if errno != 0 {
		return fileIdentity{}, 0
	}
	defer unix.Close(folder)
	fd, err := unix.Openat(folder, name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fileIdentity{}, errnoOf(err)
	}
	defer unix.Close(fd)
	var s unix.Stat_t
	for _, err := range []error{unix.Ftruncate(fd, queueFileSize), unix.Fstat(fd, &s), h.SetOwner(fd, q.UID, q.GID), unix.Fchmod(fd, q.Mode)} {
		if err != nil {
			unix.Unlinkat(folder, name, 0)
			return fileIdentity{}, errnoOf(err)
		}
	}
	return fileIdentity{s.Dev, s.Ino}, 0
}

// removeQueueFile removes the file of a queue.
func (h *Host) removeQueueFile(name string) {
	if folder, errno := h.open(queueFolder, unix.O_PATH|unix.O_DIRECTORY); errno == 0 {
		unix.Unlinkat(folder, name, 0)
		unix.Close(folder)
	}
}

// messageQueue is the host's queue of a name, as its file is by now: it may have been
// removed, made anew or given to somebody else. It is nil if there is none.
func (h *Host) messageQueue(name string) *mqueue.Queue {
	n := h.messageQueues[name]
	fd, errno := h.open(path.Join(queueFolder, name), unix.O_PATH|unix.O_NOFOLLOW)
	if errno != 0 {
		if n.file != (fileIdentity{}) {
			delete(h.messageQueues, name)
			return nil
		}
		return n.queue
	}
	defer unix.Close(fd)
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil || s.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	if file := (fileIdentity{s.Dev, s.Ino}); n.file != file {
		n = namedQueue{&mqueue.Queue{Name: "/" + name, Messages: queueMessages, Size: queueSize}, file}
		h.messageQueues[name] = n
	}
	whom := h.ownerOf(fd, &s)
	n.queue.UID, n.queue.GID, n.queue.Mode = whom.uid, whom.gid, s.Mode&0o7777
	return n.queue
}

// namedQueue is a queue that has a name, and its file.
type namedQueue struct {
	queue *mqueue.Queue
	file  fileIdentity
}

// openQueueFile opens a queue by its file's name. done is false when there is none.
func (t *Task) openQueueFile(full string, flags int) (o Outcome, done bool) {
	name, found := strings.CutPrefix(full, queueFolder+"/")
	if !found || strings.Contains(name, "/") {
		return Outcome{}, false
	}
	q := t.host().messageQueue(name)
	switch {
	case q == nil:
		return Outcome{}, false
	case flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL:
		return fail(unix.EEXIST), true
	}
	return t.openQueue(name, q, flags, false), true
}

// openQueue gives the task a descriptor of a queue. Who has just created one may
// open it whatever its mode.
func (t *Task) openQueue(name string, q *mqueue.Queue, flags int, created bool) Outcome {
	access := flags & unix.O_ACCMODE
	switch {
	case created:
	case access == unix.O_ACCMODE:
		return fail(unix.EINVAL)
	case !t.mayOpenQueue(q, access):
		return fail(unix.EACCES)
	}
	placeholder, errno := queuePlaceholder(name, q.Mode, flags)
	if errno != 0 {
		return fail(errno)
	}
	return t.installAnswer(q.Open(access != unix.O_WRONLY, access != unix.O_RDONLY), placeholder, flags&(unix.O_NONBLOCK|unix.O_CLOEXEC))
}
