package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Source derives the random streams of an experiment from its seed.
type Source struct{ seed uint64 }

// NewSource returns the source of the given seed.
func NewSource(seed uint64) Source { return Source{seed} }

// Stream returns the random stream of the given name. The same seed and name
// give the same numbers in every run and on every machine; streams of different
// names are independent. It is a ChaCha8 stream, so that it may also answer
// getrandom.
func (s Source) Stream(name string) *rand.ChaCha8 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], s.seed)
	h := sha256.New()
	h.Write(b[:])
	h.Write([]byte(name))
	return rand.NewChaCha8([32]byte(h.Sum(nil)))
}
