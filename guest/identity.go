package guest

import (
	"encoding/binary"
	"io"
	"os"
)

// Identity is what the auxiliary vector tells a new program of its user
// (getauxval(3)).
type Identity struct {
	UID, EUID, GID, EGID uint32
	// Secure programs have more privileges than their caller.
	Secure bool
}

// Entries of the auxiliary vector (linux/auxvec.h).
const (
	atNull   = 0
	atUID    = 11
	atEUID   = 12
	atGID    = 13
	atEGID   = 14
	atSecure = 23
)

// write changes the auxiliary vector of a program that has not begun: it lies
// behind the arguments and the environment, to which the stack pointer points.
func (i Identity) write(memory *os.File, stack uint64) error {
	values := map[uint64]uint64{atUID: uint64(i.UID), atEUID: uint64(i.EUID), atGID: uint64(i.GID), atEGID: uint64(i.EGID)}
	if i.Secure {
		values[atSecure] = 1
	}
	var word [8]byte
	offset := int64(stack)
	next := func() (uint64, error) {
		_, err := memory.ReadAt(word[:], offset)
		offset += int64(len(word))
		return binary.LittleEndian.Uint64(word[:]), err
	}
	arguments, err := next()
	if err != nil {
		return err
	}
	offset += 8 * int64(arguments+1)
	for {
		variable, err := next()
		if err != nil {
			return err
		}
		if variable == 0 {
			break
		}
	}
	for {
		key, err := next()
		if err != nil {
			return err
		}
		if key == atNull {
			return nil
		}
		if value, ok := values[key]; ok {
			binary.LittleEndian.PutUint64(word[:], value)
			if _, err := io.NewOffsetWriter(memory, offset).Write(word[:]); err != nil {
				return err
			}
		}
		offset += 8
	}
}
