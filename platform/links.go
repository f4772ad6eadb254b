package platform

import (
	"encoding/binary"
	"iter"
	"unsafe"
)

// Links are a platform's links in order of creation. They lie side by side in
// pieces that never move.
type Links struct {
	pieces []*[linkPiece]Link
	count  int
}

const linkPiece = 1 << 12

// Len is how many there are.
func (l *Links) Len() int { return l.count }

// At is the one of the given Index.
func (l *Links) At(index int) *Link { return &l.pieces[index/linkPiece][index%linkPiece] }

// All goes through all of them, in order.
func (l *Links) All() iter.Seq[*Link] {
	return func(yield func(*Link) bool) {
		for i := range l.count {
			if !yield(l.At(i)) {
				return
			}
		}
	}
}

// Add adds a link that is like the cable and has no name.
func (l *Links) Add(c *Cable) *Link {
	if l.count == linkPiece*len(l.pieces) {
		l.pieces = append(l.pieces, new([linkPiece]Link))
	}
	one := l.At(l.count)
	*one = Link{Cable: c, Index: int32(l.count)}
	l.count++
	return one
}

// linkNames holds the names of links, each behind its length. A name is known by
// where it lies, which takes a quarter of what a string does.
type linkNames struct{ pieces [][]byte }

// place is where a name lies: the number of the piece, then the position in it.
type namePlace uint32

const (
	positionBits = 16
	noName       = ^namePlace(0)
)

// add keeps a name. It returns noName when there is no room for more.
func (n *linkNames) add(name string) namePlace {
	last := len(n.pieces) - 1
	need := binary.MaxVarintLen64 + len(name)
	if last < 0 || cap(n.pieces[last])-len(n.pieces[last]) < need {
		size := 1 << 8
		if last >= 0 {
			size = min(1<<positionBits, 2*cap(n.pieces[last]))
		}
		if last++; last == 1<<(32-positionBits)-1 {
			return noName
		}
		n.pieces = append(n.pieces, make([]byte, 0, max(size, need)))
	}
	piece := &n.pieces[last]
	at := namePlace(last<<positionBits | len(*piece))
	*piece = append(binary.AppendUvarint(*piece, uint64(len(name))), name...)
	return at
}

// at is the name that lies there.
func (n *linkNames) at(p namePlace) string {
	piece := n.pieces[p>>positionBits][p&(1<<positionBits-1):]
	length, size := binary.Uvarint(piece)
	return unsafe.String(unsafe.SliceData(piece[size:]), int(length))
}
