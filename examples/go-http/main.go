// Command go-http is a small HTTP server, and a client that sends it requests
// at the same time, some of which take longer than the client wants to wait.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		http.HandleFunc("/sleep", sleep)
		log.Fatal(http.ListenAndServe(":8080", nil))
	case len(os.Args) == 3 && os.Args[1] == "fetch":
		fetchAll(os.Args[2])
	default:
		log.Fatal("usage: go-http serve | fetch URL")
	}
}

// sleep answers after as long as the request asks for.
func sleep(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(d):
		fmt.Fprintf(w, "slept %v", d)
	case <-r.Context().Done():
	}
}

// fetchAll sends five requests at once and prints the answers in order.
func fetchAll(url string) {
	durations := []string{"100ms", "200ms", "1s", "3s", "1m"}
	answers := make([]string, len(durations))
	var all sync.WaitGroup
	for i, d := range durations {
		all.Go(func() { answers[i] = fetch(url + "/sleep?for=" + d) })
	}
	all.Wait()
	for _, a := range answers {
		fmt.Println(a)
	}
}

func fetch(url string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	begin := time.Now()
	answer, err := get(ctx, url)
	took := time.Since(begin).Round(time.Millisecond)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("deadline exceeded after %v", took)
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s in %v", answer, took)
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
