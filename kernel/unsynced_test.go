package kernel

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// unsyncedTest is a file whose writes are followed.
type unsyncedTest struct {
	*testing.T
	u    *unsyncedWrites
	path string
}

func newUnsyncedTest(t *testing.T) *unsyncedTest {
	u := &unsyncedWrites{files: map[fileIdentity]*unsyncedFile{}}
	t.Cleanup(u.settleAll)
	return &unsyncedTest{t, u, filepath.Join(t.TempDir(), "file")}
}

// write writes to a file of a name, which it makes.
func (t *unsyncedTest) write(path string, offset int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	t.u.note(path, &s, offset, int64(len(b)))
	if _, err := f.WriteAt(b, offset); err != nil {
		t.Fatal(err)
	}
}

func (t *unsyncedTest) content() []byte {
	t.Helper()
	b, err := os.ReadFile(t.path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (t *unsyncedTest) putBack() {
	t.Helper()
	for _, f := range t.u.order {
		if err := f.putBack(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileComesBackAsItWasBeforeWhatIsNotSynchronized(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		file := newUnsyncedTest(t)
		file.write(file.path, 0, []byte("0123456789"))
		file.u.settleAll()
		var before [][]byte // what the file held at the start of each period
		const periods = 12
		for period := range int64(periods) {
			file.u.flush(sim.Time(period) * flusherPeriod)
			before = append(before, file.content())
			for range random.IntN(6) {
				b := bytes.Repeat([]byte{byte('a' + random.IntN(26))}, 1+random.IntN(20))
				file.write(file.path, int64(random.IntN(40)), b)
			}
		}
		file.putBack()
		const kept = int64(flusherAge / flusherPeriod)
		if got, want := file.content(), before[periods-1-kept]; !bytes.Equal(got, want) {
			t.Errorf("seed %d: %q, want %q", seed, got, want)
		}
	}
}

func TestTooMuchThatIsNotSynchronizedIsWritten(t *testing.T) {
	file := newUnsyncedTest(t)
	for i := range maximumUnsyncedFiles + 1 {
		file.write(file.path+string(rune('a'+i)), 0, []byte("x"))
	}
	if n := len(file.u.order); n != maximumUnsyncedFiles {
		t.Errorf("%d files are followed, want %d", n, maximumUnsyncedFiles)
	}
	file.u.settleAll()
	file.write(file.path, 0, []byte("old"))
	if err := os.Truncate(file.path, 2*maximumUnsynced); err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		file.write(file.path, i*maximumUnsynced/2, make([]byte, maximumUnsynced/2))
	}
	if file.u.bytes != 0 || len(file.u.order) != 0 {
		t.Errorf("%d bytes of %d files are kept, want none", file.u.bytes, len(file.u.order))
	}
}
