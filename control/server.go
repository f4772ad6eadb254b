// Package control is the interface by which a run is steered from outside:
// HTTP with JSON over a Unix socket (docs/control.md).
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
)

// maxBody bounds what a request may hold, in bytes.
const maxBody = 1 << 20

// Server answers requests about one run.
type Server struct {
	listener net.Listener
	server   http.Server
}

// Listen makes a Unix socket, which only the user may use, and answers requests
// there until Close.
func Listen(path string, s *emulator.Steering) (*Server, error) {
	listener, err := net.Listen("unix", path)
	if errors.Is(err, unix.EADDRINUSE) && left(path) {
		if err = os.Remove(path); err == nil {
			listener, err = net.Listen("unix", path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	v := &Server{listener: listener, server: http.Server{Handler: Handler(s)}}
	go v.server.Serve(listener)
	return v, nil
}

// left tells whether a path is a socket that nobody listens on: a run that was
// killed has left it.
func left(path string) bool {
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, unix.ECONNREFUSED)
}

// Close removes the socket.
func (v *Server) Close() error { return v.server.Close() }

// Handler answers requests about one run.
func Handler(s *emulator.Steering) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			answer, err := f(r)
			if err != nil {
				status := http.StatusBadRequest
				if errors.Is(err, emulator.ErrOver) {
					status = http.StatusGone
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				json.NewEncoder(w).Encode(Problem{err.Error()})
				return
			}
			if text, ok := answer.(string); ok {
				w.Header().Set("Content-Type", "application/yaml")
				io.WriteString(w, text)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(answer)
		})
	}
	status := func() (any, error) { return s.Status() }
	handle("GET /status", func(*http.Request) (any, error) { return status() })
	handle("POST /pause", func(*http.Request) (any, error) {
		if err := s.Pause(); err != nil {
			return nil, err
		}
		return status()
	})
	handle("POST /resume", func(*http.Request) (any, error) { return struct{}{}, s.Resume() })
	handle("POST /step", func(r *http.Request) (any, error) {
		step := Step{Events: 1}
		if err := decode(r, &step); err != nil {
			return nil, err
		}
		if step.Events < 1 {
			return nil, fmt.Errorf("events: a number from 1 expected, found %d", step.Events)
		}
		if err := s.Step(step.Events); err != nil {
			return nil, err
		}
		return status()
	})
	handle("POST /until", func(r *http.Request) (any, error) {
		var until Until
		if err := decode(r, &until); err != nil {
			return nil, err
		}
		t, err := experiment.ParseTime(until.Time)
		if err != nil {
			return nil, err
		}
		if err := s.Until(t); err != nil {
			return nil, err
		}
		return status()
	})
	handle("GET /events", func(*http.Request) (any, error) { return s.Events() })
	handle("POST /events", func(r *http.Request) (any, error) {
		event, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
		return struct{}{}, s.Happen(event)
	})
	handle("POST /execute", func(r *http.Request) (any, error) {
		var x Execute
		if err := decode(r, &x); err != nil {
			return nil, err
		}
		if len(x.Command) == 0 {
			return nil, errors.New("command: a list of words expected")
		}
		return s.Execute(x.Host, x.Command)
	})
	handle("POST /attach", func(r *http.Request) (any, error) {
		var a Attach
		if err := decode(r, &a); err != nil {
			return nil, err
		}
		host, name, ok := strings.Cut(a.Process, "/")
		if !ok {
			return nil, fmt.Errorf("process: HOST/NAME expected, found %q", a.Process)
		}
		pid, err := s.Attach(host, name)
		return Attached{pid}, err
	})
	return mux
}

// decode reads a request's body; an empty one leaves v as it is.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}

// Bodies of requests and answers.
type (
	// Problem is the answer to a request that could not be met.
	Problem struct {
		Error string `json:"error"`
	}
	// Step is the body of POST /step.
	Step struct {
		Events int `json:"events"`
	}
	// Until is the body of POST /until.
	Until struct {
		Time string `json:"time"`
	}
	// Execute is the body of POST /execute.
	Execute struct {
		Host    string   `json:"host"`
		Command []string `json:"command"`
	}
	// Attach is the body of POST /attach, and Attached the answer.
	Attach struct {
		Process string `json:"process"` // HOST/NAME
	}
	// Attached names a process as the machine numbers it.
	Attached struct {
		MachinePID int `json:"machine_pid"`
	}
)
