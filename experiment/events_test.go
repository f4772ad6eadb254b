package experiment

import (
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/sim"
)

func TestEventErrors(t *testing.T) {
	for event, want := range map[string]string{
		`{at: 1s}`:                                            "one of link, host, partition and process expected",
		`{host: server, state: crash}`:                        "at: TIME or every: TIME expected",
		`{at: 1s, host: server}`:                              "what happens to the host expected",
		`{at: 1s, host: server, state: down}`:                 `state: crash or boot expected of a host, found "down"`,
		`{at: 1s, host: server, loss: 1%}`:                    "loss does not go with this event",
		`{at: 1s, host: servre, state: crash}`:                `no host "servre" (did you mean "server"?)`,
		`{at: 1s, link: wan, loss: 1%}`:                       `no link of the platform is named "wan"`,
		`{at: 1s, partition: [[server]]}`:                     "two groups of hosts or more expected",
		`{at: 1s, partition: [[server], ["*"]]}`:              `host "server" is on both sides`,
		`{at: 1s, process: server/none, signal: STOP}`:        `the experiment has no process "server/none"`,
		`{at: 1s, process: server/sh, signal: TERM, for: 1s}`: "only STOP can be undone",
		`{every: 1s, host: server, state: crash}`:             "until: TIME expected",
		`{at: 1s, jitter: 1s, host: server, state: crash}`:    "jitter and until go with every",
		`{at: 1s, host: "client-*", pick: 9, state: crash}`:   "pick: at most 3 expected, found 9",
		`{at: 1s, host: server, state: boot, unsynced: lost}`: "unsynced does not go with this event",
		`{at: 1s, host: server, state: crash, unsynced: no}`:  `kept or lost expected of a host, found "no"`,
		`{at: 1s, host: client-1, run: date}`:                 "run: a host with processes expected, as client-1 has none",
		`{at: 1s, host: server, run: [no-such-program]}`:      `program "no-such-program" not found`,
		`{at: 1s, partition: [[server], []]}`:                 "partition: hosts expected, found an empty list",
		`{every: 2s, until: 1s, host: server, dns: fail}`:     "until: a time from 2s on, when it happens first, expected, found 1s",
		`{at: 1s, host: server, disk: broken}`:                `disk: full or io-error or slow or ok expected`,
	} {
		_, err := load(t, hosts+"processes:\n  - {host: server, command: [sh]}\nevents:\n  - "+event+"\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "lab.yaml:") {
			t.Errorf("%s: %v, want %q", event, err, want)
		}
	}
}

func TestEventTimes(t *testing.T) {
	e, err := load(t, hosts+`processes:
  - {host: server, command: [sh]}
events:
  - {every: 30s, jitter: 10s, until: 5m, host: "client-*", pick: 1, state: crash, for: 10s}
`)
	if err != nil {
		t.Fatal(err)
	}
	const second = sim.Time(time.Second)
	v := e.Events[0]
	if v.At != 30*second || v.Every != 30*second || v.Jitter != 10*second || v.Until != 300*second || v.For != 10*second || v.Pick != 1 || len(v.Hosts) != 3 {
		t.Errorf("%+v", v)
	}
}
