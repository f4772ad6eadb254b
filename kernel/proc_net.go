package kernel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Files of /proc/net that the emulated network does not answer itself: they are the
// real ones of the host's namespace, through which no packet of a guest goes, without
// what the machine's kernel does there by itself and what it counts for all.

// netFiles give, by name below /proc/net, what guests see for the machine's text.
var netFiles = map[string]func(h *Host, text string) string{
	"dev":          nothingSent,
	"if_inet6":     inOrder,
	"netlink":      headOnly,
	"packet":       headOnly,
	"protocols":    protocols,
	"rt6_stats":    routeCounters,
	"snmp6":        noneCounted,
	"softnet_stat": perCore,
}

// netFolders are the same for all files of a folder.
var netFolders = map[string]func(h *Host, text string) string{
	"dev_snmp6/": noneCounted,
	"stat/":      perCoreBelowHead,
}

// netReport gives those files.
func (t *Task) netReport(name string) (string, bool) {
	f, ok := t.procFile(name)
	file, found := strings.CutPrefix(f.file, "net/")
	if !ok || !found {
		return "", false
	}
	change := netFiles[file]
	for folder, of := range netFolders {
		if strings.HasPrefix(file, folder) {
			change = of
		}
	}
	if change == nil {
		return tables{t}.ProcNet(file)
	}
	text, ok := t.machineText(f)
	if !ok {
		return "", false
	}
	return change(t.host(), text), true
}

// headOf is the first lines of a text.
func headOf(text string, lines int) string {
	end := 0
	for range lines {
		end += strings.IndexByte(text[end:], '\n') + 1 // 0 if there is none
	}
	return text[:end]
}

// headOnly is a table without rows.
func headOnly(_ *Host, text string) string { return headOf(text, 1) }

// nothingSent is a table of interfaces: behind each one's name all is 0.
func nothingSent(_ *Host, text string) string {
	head := headOf(text, 2)
	var b strings.Builder
	b.WriteString(head)
	for line := range strings.Lines(text[len(head):]) {
		name, counters, _ := strings.Cut(line, ":")
		b.WriteString(name + ":" + strings.TrimSuffix(zeros(counters), "\n") + "\n")
	}
	return b.String()
}

// zeros has a 0 for each number, in the same columns where there are more digits.
func zeros(numbers string) string {
	var b strings.Builder
	rest := numbers
	for rest != "" {
		start := strings.IndexAny(rest, "0123456789")
		if start < 0 {
			break
		}
		length := len(rest[start:]) - len(strings.TrimLeft(rest[start:], "0123456789"))
		b.WriteString(rest[:start] + strings.Repeat(" ", length-1) + "0")
		rest = rest[start+length:]
	}
	return b.String() + rest
}

// inOrder sorts the lines: the kernel's order depends on a random number.
func inOrder(_ *Host, text string) string {
	lines := slices.Collect(strings.Lines(text))
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// protocolUse are the name and the size of a protocol, its sockets, and its memory.
var protocolUse = regexp.MustCompile(`^(\S+ +\d+ ) *\d+ +(-?\d+)`)

// protocols has no sockets, and no memory that they use.
func protocols(_ *Host, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if use := protocolUse.FindStringSubmatchIndex(line); use != nil {
			memory := 0
			if strings.HasSuffix(line[:use[1]], "-1") {
				memory = -1
			}
			line = fmt.Sprintf("%s%6d  %6d%s", line[:use[3]], 0, memory, line[use[1]:])
		}
		b.WriteString(line)
	}
	return b.String()
}

// routeCounters tells that all nodes of routes that were ever allocated are in use.
func routeCounters(_ *Host, text string) string {
	words := strings.Fields(text)
	const allocated, entries = 2, 3
	if len(words) > entries {
		words[allocated] = words[entries]
	}
	return strings.Join(words, " ") + "\n"
}

// noneCounted is lines of a name and a counter.
func noneCounted(_ *Host, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		name, _, found := strings.Cut(line, "\t")
		if found && !strings.HasPrefix(line, "ifIndex") {
			line = name + "\t0\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// perCore is lines of hexadecimal counters, one for each processor.
func perCore(h *Host, text string) string {
	line := strings.Map(func(r rune) rune {
		if r == ' ' {
			return r
		}
		return '0'
	}, strings.TrimSuffix(headOf(text, 1), "\n"))
	return strings.Repeat(line+"\n", h.Cores)
}

// perCoreBelowHead is the same with a line of names.
func perCoreBelowHead(h *Host, text string) string {
	head := headOf(text, 1)
	return head + perCore(h, text[len(head):])
}
