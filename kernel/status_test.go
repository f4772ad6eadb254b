package kernel

import "testing"

func TestMasksOfProcessorsAreWrittenAsLinuxDoes(t *testing.T) {
	for _, c := range []struct {
		mask       []byte
		processors int
		text, list string
	}{
		{[]byte{1, 0, 0, 0, 0, 0, 0, 0}, 1, "1", "0"},
		{[]byte{0x0f, 0, 0, 0, 0, 0, 0, 0}, 4, "f", "0-3"},
		{[]byte{0x27, 0, 0, 0, 0, 0, 0, 0}, 12, "027", "0-2,5"},
		{[]byte{0, 0, 0, 0x80, 0x01, 0, 0, 0}, 36, "1,80000000", "31-32"},
	} {
		if text := MaskText(c.mask, c.processors); text != c.text {
			t.Errorf("%x of %d processors is %q, not %q", c.mask, c.processors, text, c.text)
		}
		if list := MaskList(c.mask); list != c.list {
			t.Errorf("%x is the list %q, not %q", c.mask, list, c.list)
		}
	}
}
