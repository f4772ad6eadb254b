package testguests

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pair is a server and its clients. In the words of their commands HOST stands
// for the server's name or address, PORT for its port, and SECONDS(n) for a time
// to wait: n seconds emulated, one natively. The first word is a file in pairs/;
// a script is run by the interpreter for its suffix.
type pair struct {
	name    string
	server  string
	client  string
	clients int    // the same client so many times, at once
	ends    string // how a client ends, if not with exit status 0
}

// The original prototype's programs for two hosts, and those that its failures
// ask for.
var pairs = []pair{
	{name: "send", server: "exchange.c server send PORT 5 128", client: "exchange.c client send HOST PORT 5 128", clients: 1},
	{name: "sendto", server: "exchange.c server sendto PORT 5 128", client: "exchange.c client sendto HOST PORT 5 128", clients: 1},
	{name: "sendmsg", server: "exchange.c server sendmsg PORT 5 128", client: "exchange.c client sendmsg HOST PORT 5 128", clients: 1},
	{name: "write", server: "exchange.c server write PORT 5 128", client: "exchange.c client write HOST PORT 5 128", clients: 1},
	{name: "udp-sendto", server: "exchange.c server udp-sendto PORT 5 1000", client: "exchange.c client udp-sendto HOST PORT 5 1000", clients: 1},
	{name: "udp-sendmsg", server: "exchange.c server udp-sendmsg PORT 5 1000", client: "exchange.c client udp-sendmsg HOST PORT 5 1000", clients: 1},
	{name: "send-large", server: "exchange.c server send PORT 3 1000000", client: "exchange.c client send HOST PORT 3 1000000", clients: 1},

	{name: "select", server: "many.c server select PORT 1 SECONDS(30)", client: "many.c client HOST PORT 100000", clients: 1},
	{name: "poll", server: "many.c server poll PORT 1 SECONDS(30)", client: "many.c client HOST PORT 100000", clients: 1},
	{name: "epoll", server: "many.c server epoll PORT 1 SECONDS(30)", client: "many.c client HOST PORT 100000", clients: 1},
	{name: "select-many", server: "many.c server select PORT 8 SECONDS(30)", client: "many.c client HOST PORT 50000", clients: 8},
	{name: "poll-many", server: "many.c server poll PORT 8 SECONDS(30)", client: "many.c client HOST PORT 50000", clients: 8},
	{name: "epoll-many", server: "many.c server epoll PORT 30 SECONDS(30)", client: "many.c client HOST PORT 5000", clients: 30},

	{name: "early", server: "odd.c server early PORT", client: "odd.c client early HOST PORT", clients: 1},
	{name: "closed", server: "odd.c server closed PORT", client: "odd.c client closed HOST PORT", clients: 1},
	{name: "silent", server: "odd.c server silent PORT", client: "odd.c client silent HOST PORT", clients: 1},
	{name: "gone", server: "odd.c server gone PORT", client: "odd.c client gone HOST PORT", clients: 1, ends: "signal: killed"},
	{name: "refused", server: "odd.c server refused PORT SECONDS(5)", client: "odd.c client refused HOST PORT", clients: 1},

	{name: "multicast", server: "multicast.c server HOST PORT", client: "multicast.c client HOST PORT", clients: 1},

	{name: "python-single", server: "echo_server.py PORT 3 single", client: "echo_client.py HOST PORT 3", clients: 1},
	{name: "python-threaded", server: "echo_server.py PORT 6 threaded", client: "echo_client.py HOST PORT 3", clients: 2},
	{name: "ruby-single", server: "echo_server.rb PORT 3 single", client: "echo_client.rb HOST PORT 3", clients: 1},
	{name: "ruby-threaded", server: "echo_server.rb PORT 6 threaded", client: "echo_client.py HOST PORT 3", clients: 2},
}

// command returns the words of one side's command.
func (p *pair) command(t *testing.T, side, host, port string, seconds int) []string {
	t.Helper()
	words := strings.Fields(side)
	for i, word := range words {
		if n, ok := strings.CutPrefix(word, "SECONDS("); ok {
			word = strconv.Itoa(seconds)
			if seconds == 0 {
				word = strings.TrimSuffix(n, ")")
			}
		}
		switch word {
		case "HOST":
			word = host
		case "PORT":
			word = port
		}
		words[i] = word
	}
	return command(t, filepath.Join("pairs", words[0]), words[1:]...)
}

func (p *pair) clientEnds() string {
	if p.ends != "" {
		return p.ends
	}
	return "exit status 0"
}
