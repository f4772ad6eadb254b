package testguests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestNative shows that Linux does what the guests assert.
func TestNative(t *testing.T) {
	for _, source := range singles(t) {
		t.Run(title(source), func(t *testing.T) {
			t.Parallel()
			p := native{path: command(t, source), folder: t.TempDir()}
			p.start(t)
			if state := p.wait(t); state != "exit status 0" {
				t.Errorf("ended with %s", state)
			}
			golden(t, title(source), p.printed(), true)
		})
	}
}

// TestNativePairs runs each server and its clients on the loopback.
func TestNativePairs(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			server := native{path: p.command(t, p.server, "127.0.0.1", port, 1), folder: t.TempDir()}
			server.start(t)
			server.waitFor(t, "listening")
			clients := make([]native, p.clients)
			for i := range clients {
				clients[i] = native{path: p.command(t, p.client, "127.0.0.1", port, 1), folder: t.TempDir()}
				clients[i].start(t)
			}
			for i := range clients {
				if state := clients[i].wait(t); state != p.clientEnds() {
					t.Errorf("client %d ended with %s", i, state)
				}
				golden(t, p.name+".client", clients[i].printed(), true)
			}
			if state := server.wait(t); state != "exit status 0" {
				t.Errorf("server ended with %s", state)
			}
			golden(t, p.name+".server", server.printed(), true)
		})
	}
}

// native is a program that runs on this machine.
type native struct {
	path   []string
	folder string

	command *exec.Cmd
	mu      sync.Mutex
	text    bytes.Buffer
	lines   chan string
	ended   chan error
}

func (p *native) start(t *testing.T) {
	t.Helper()
	p.command = exec.Command(p.path[0], p.path[1:]...)
	p.command.Dir = p.folder
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stderr = p.command.Stdout
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.lines, p.ended = make(chan string, 1000), make(chan error, 1)
	t.Cleanup(func() { syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) })
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&p.text, scanner.Text())
			p.mu.Unlock()
			select {
			case p.lines <- scanner.Text():
			default: // nobody waits for it
			}
		}
		io.Copy(io.Discard, out)
		p.ended <- p.command.Wait()
	}()
}

// nativeLimit is how long a guest may take on a machine that is busy.
const nativeLimit = time.Minute

// waitFor returns when the program has printed a line that begins so.
func (p *native) waitFor(t *testing.T, line string) {
	t.Helper()
	timeout := time.After(nativeLimit)
	for {
		select {
		case printed := <-p.lines:
			if strings.HasPrefix(printed, line) {
				return
			}
		case err := <-p.ended:
			t.Fatalf("%s ended (%v) and printed:\n%s", p.path, err, p.printed())
		case <-timeout:
			t.Fatalf("%s does not say %q; it printed:\n%s", p.path, line, p.printed())
		}
	}
}

// wait returns how the program ended, in the words of [os.ProcessState].
func (p *native) wait(t *testing.T) string {
	t.Helper()
	select {
	case err := <-p.ended:
		var status *exec.ExitError
		if err != nil && !errors.As(err, &status) {
			t.Fatal(err)
		}
		return p.command.ProcessState.String()
	case <-time.After(nativeLimit):
		t.Fatalf("%s does not end; it printed:\n%s", p.path, p.printed())
		panic("unreachable")
	}
}

func (p *native) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// freePort returns a port of the loopback that nobody uses for the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
