package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"golang.org/x/sys/unix"
)

// Client asks a Server.
type Client struct {
	path string
	http http.Client
}

// Dial returns a client of the server on a Unix socket.
func Dial(path string) *Client {
	var d net.Dialer
	return &Client{path, http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
	}}}
}

// Get and Post make a request. The answer is JSON and decoded into answer, or
// text, which a *string gets; nil drops it.
func (c *Client) Get(path string, answer any) error { return c.do(http.MethodGet, path, nil, answer) }

// Post makes a request with a body, which is encoded as JSON; see Get.
func (c *Client) Post(path string, body, answer any) error {
	return c.do(http.MethodPost, path, body, answer)
}

func (c *Client) do(method, path string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, "http://simterpose"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		// What it was asked does not matter, nor which calls have failed.
		if errno := unix.Errno(0); errors.As(err, &errno) {
			err = errno
		}
		return fmt.Errorf("no run listens on %s: %w", c.path, err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		var p Problem
		if json.Unmarshal(got, &p) != nil || p.Error == "" {
			p.Error = response.Status
		}
		return errors.New(p.Error)
	}
	switch into := answer.(type) {
	case nil:
		return nil
	case *string:
		*into = string(got)
		return nil
	}
	return json.Unmarshal(got, answer)
}
