// Runtime is a static Go program that uses what Go's runtime does without a C
// library: goroutines, timers, the network poller, signals, processes.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func main() {
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"goroutines", goroutines},
		{"timers", timers},
		{"deadlines", deadlines},
		{"web", web},
		{"datagrams", datagrams},
		{"signals", signals},
		{"processes", processes},
	} {
		fmt.Println(part.name)
		if err := part.run(); err != nil {
			fmt.Println("BAD", err)
			os.Exit(1)
		}
	}
}

func goroutines() error {
	results := make(chan int)
	var group sync.WaitGroup
	for i := range 1000 {
		group.Go(func() {
			runtime.Gosched()
			results <- i
		})
	}
	go func() { group.Wait(); close(results) }()
	sum := 0
	for n := range results {
		sum += n
	}
	fmt.Println("sum", sum)

	// More threads than processors: each goroutine keeps one in a system call.
	var locked sync.WaitGroup
	for range 20 {
		locked.Go(func() {
			runtime.LockOSThread()
			syscall.Nanosleep(&syscall.Timespec{Nsec: 20e6}, nil)
		})
	}
	locked.Wait()
	runtime.GC()
	fmt.Println("goroutines left", runtime.NumGoroutine())
	return nil
}

func timers() error {
	begin := time.Now()
	var order []string
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(70 * time.Millisecond)
	for len(order) < 4 {
		select {
		case <-ticker.C:
			order = append(order, "tick")
		case <-late:
			order = append(order, "late")
			late = nil
		}
	}
	fmt.Println(order, time.Since(begin) >= 70*time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	fmt.Println(ctx.Err())
	begin = time.Now()
	time.Sleep(100 * time.Millisecond)
	fmt.Println("slept", time.Since(begin).Round(100*time.Millisecond) >= 100*time.Millisecond)
	return nil
}

func deadlines() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Millisecond))
	_, err = l.Accept()
	fmt.Println("accept", errors.Is(err, os.ErrDeadlineExceeded))
	l.(*net.TCPListener).SetDeadline(time.Time{})
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err = c.Read(make([]byte, 1))
	fmt.Println("read", errors.Is(err, os.ErrDeadlineExceeded))
	c.SetReadDeadline(time.Time{})
	fmt.Fprintln(c, "line")
	line, err := bufio.NewReader(c).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)
	c.Close()
	l.Close()
	_, err = net.Dial("tcp", l.Addr().String())
	fmt.Println("refused", errors.Is(err, syscall.ECONNREFUSED))
	return nil
}

func web() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(time.Second)
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, n)
	})}
	go server.Serve(l)
	base := "http://" + l.Addr().String()
	var group sync.WaitGroup
	answers := make([]string, 10)
	for i := range answers {
		group.Go(func() {
			response, err := http.Post(fmt.Sprintf("%s/%d", base, i), "text/plain", io.LimitReader(zeros{}, int64(i)*30000))
			if err != nil {
				answers[i] = err.Error()
				return
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			answers[i] = string(text)
		})
	}
	group.Wait()
	for _, answer := range answers {
		fmt.Println(answer)
	}
	client := http.Client{Timeout: 100 * time.Millisecond}
	_, err = client.Get(base + "/slow")
	var timeout net.Error
	fmt.Println("timeout", errors.As(err, &timeout) && timeout.Timeout())
	return server.Shutdown(context.Background())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func datagrams() error {
	a, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b, err := net.Dial("udp", a.LocalAddr().String())
	if err != nil {
		return err
	}
	fmt.Fprint(b, "datagram")
	buffer := make([]byte, 100)
	n, from, err := a.ReadFrom(buffer)
	if err != nil {
		return err
	}
	fmt.Println(string(buffer[:n]), from.String() == b.LocalAddr().String())
	a.Close()
	fmt.Fprint(b, "x")
	b.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err = b.Read(buffer)
	fmt.Println("refused", errors.Is(err, syscall.ECONNREFUSED))
	return nil
}

func signals() error {
	got := make(chan os.Signal, 2)
	signal.Notify(got, syscall.SIGUSR1, syscall.SIGUSR2)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2} {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			return err
		}
		fmt.Println(<-got)
	}
	return nil
}

func processes() error {
	out, err := exec.Command("sh", "-c", "echo out; exit 3").Output()
	var status *exec.ExitError
	fmt.Printf("%q %v\n", out, errors.As(err, &status) && status.ExitCode() == 3)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = exec.CommandContext(ctx, "sleep", "100").Run()
	fmt.Println(err)
	c := exec.Command("tr", "a-z", "A-Z")
	in, _ := c.StdinPipe()
	result, _ := c.StdoutPipe()
	if err := c.Start(); err != nil {
		return err
	}
	fmt.Fprint(in, "words")
	in.Close()
	text, _ := io.ReadAll(result)
	fmt.Println(string(text), c.Wait())
	return nil
}
