// Package prefetch lets the processor fetch memory that will soon be needed, while
// it goes on with something else.
package prefetch

// Line is the size of a cache line, in bytes.
const Line = 64
