// Command chaos-etcd uses an etcd cluster from several clients at once, while its
// hosts crash, and checks that what they saw is linearizable.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// input is an operation on one key; output is what a read found.
type (
	input struct {
		key   int
		write bool
		value int
	}
	output struct{ value int }
)

// register is the model of a store of keys: a read finds what was written last,
// 0 at first.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, keys)
		for _, o := range history {
			k := o.Input.(input).key
			parts[k] = append(parts[k], o)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, in, out any) (bool, any) {
		if in := in.(input); in.write {
			return true, in.value
		}
		return out.(output).value == state, state
	},
}

const keys = 3

// client makes one request after the other, each to a member by chance.
type client struct {
	id      int
	members []string
	random  *rand.Rand
	begin   time.Time
	http    http.Client
	history []porcupine.Operation
	failed  int
}

func (c *client) run(until time.Duration) {
	for n := 1; time.Since(c.begin) < until; n++ {
		in := input{key: c.random.IntN(keys), write: c.random.IntN(2) == 0, value: c.id*1_000_000 + n}
		call := time.Since(c.begin)
		found, err := c.request(in)
		o := porcupine.Operation{ClientId: c.id, Input: in, Call: int64(call), Output: output{found}, Return: int64(time.Since(c.begin))}
		switch {
		case err == nil:
			c.history = append(c.history, o)
		case in.write:
			// It may have happened, or may happen yet.
			c.failed++
			o.Return = math.MaxInt64
			c.history = append(c.history, o)
		default:
			c.failed++
		}
		time.Sleep(time.Duration(500+c.random.IntN(1000)) * time.Millisecond)
	}
}

// request asks a member, through its JSON gateway.
func (c *client) request(in input) (found int, err error) {
	path, body := "/v3/kv/range", map[string]string{"key": encode("key/" + strconv.Itoa(in.key))}
	if in.write {
		path, body["value"] = "/v3/kv/put", encode(strconv.Itoa(in.value))
	}
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	url := "http://" + c.members[c.random.IntN(len(c.members))] + ":2379" + path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		KVs []struct{ Value []byte }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d", response.StatusCode)
	}
	if len(answer.KVs) > 0 {
		return strconv.Atoi(string(answer.KVs[0].Value))
	}
	return 0, nil
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func main() {
	until := flag.Duration("for", time.Minute, "work for this `time`")
	clients := flag.Int("clients", 5, "`number` of clients")
	seed := flag.Uint64("seed", 1, "of what the clients do")
	flag.Parse()
	begin := time.Now()
	var all []*client
	var wait sync.WaitGroup
	for i := range *clients {
		c := &client{id: i, members: flag.Args(), random: rand.New(rand.NewPCG(*seed, uint64(i))), begin: begin}
		all = append(all, c)
		wait.Go(func() { c.run(*until) })
	}
	wait.Wait()
	var history []porcupine.Operation
	failed := 0
	for _, c := range all {
		history = append(history, c.history...)
		failed += c.failed
	}
	for _, o := range history {
		fmt.Println(o.ClientId, o.Input, o.Call, o.Output, o.Return)
	}
	fmt.Printf("%d operations, %d requests without an answer\n", len(history), failed)
	if !porcupine.CheckOperations(register, history) {
		fmt.Println("NOT linearizable")
		os.Exit(1)
	}
	fmt.Println("linearizable")
}
