package prefetch

// Lines fetches the cache lines of the addresses, which need not be valid. They
// are numbers because they keep nothing alive.
//
//go:noescape
func Lines(addresses []uintptr)
