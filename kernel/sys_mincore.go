package kernel

import "os"

// Which pages of a file are in the machine's cache, and which of a process's own are
// in swap, is not a host's affair: it has all in memory.

func sysMincore(*Task) Outcome { return Outcome{Kind: Carry} }

// carriedMincore tells of each page that mincore was asked for that it is there.
func (t *Task) carriedMincore() {
	const resident = 1
	page := uint64(os.Getpagesize())
	ones := t.kernel().scratch[:]
	for i := range ones {
		ones[i] = resident
	}
	vector, pages := t.arg(2), (t.arg(1)+page-1)/page
	for pages > 0 {
		part := ones[:min(pages, uint64(len(ones)))]
		t.write(vector, part)
		vector += uint64(len(part))
		pages -= uint64(len(part))
	}
}
