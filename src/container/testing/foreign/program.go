// A program in Go for a processor that is emulated: goroutines, collected memory, children, signals, and a
// server with its client.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func sumOfSquares(workers, numbers int) int {
	jobs, results := make(chan int), make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range jobs {
				results <- n * n
			}
		}()
	}
	go func() {
		for n := range numbers {
			jobs <- n
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	sum := 0
	for square := range results {
		sum += square
	}
	return sum
}

func collectedWords() int {
	words := map[string]int{}
	for i := range 20000 {
		words[fmt.Sprint("word ", i%500)] += len(strings.Repeat("x", i%100))
	}
	runtime.GC()
	names := make([]string, 0, len(words))
	for name := range words {
		names = append(names, name)
	}
	sort.Strings(names)
	return len(names)
}

func served() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"path": r.URL.Path})
	}))
	response, err := http.Get("http://" + listener.Addr().String() + "/some/path")
	check(err)
	body, err := io.ReadAll(response.Body)
	check(err)
	return strings.TrimSpace(string(body))
}

func main() {
	fmt.Println(runtime.GOARCH, sumOfSquares(8, 1000), collectedWords())
	fmt.Printf("%x\n", sha256.Sum256([]byte(strings.Repeat("linux", 10000))))

	command := exec.Command("sh", "-c", "tr a-z A-Z; exit 3")
	command.Stdin = strings.NewReader("through a child\n")
	output, err := command.Output()
	fmt.Print(string(output))
	fmt.Println(err)

	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	select {
	case s := <-caught:
		fmt.Println(s)
	case <-time.After(time.Minute):
		fmt.Println("no signal")
	}
	fmt.Println(served())
}
