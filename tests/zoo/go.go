// go.go: goroutines, a fault that becomes a panic, signals, children.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

type pair struct{ x int }

func deref(p *pair) (said string) {
	defer func() {
		if caught := recover(); caught != nil {
			said = fmt.Sprint("recovered: ", caught)
		}
	}()
	return fmt.Sprint(p.x)
}

func goroutines() int {
	var wait sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for i := 0; i < 200; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			bytes := make([]byte, 1<<16)
			for j := range bytes {
				bytes[j] = byte(i + j)
			}
			lock.Lock()
			sum += int(bytes[100])
			lock.Unlock()
		}(i)
	}
	wait.Wait()
	return sum
}

func signals() {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	select {
	case which := <-came:
		fmt.Println(which)
	case <-time.After(60 * time.Second):
		fmt.Println("no signal")
	}
}

func children() {
	for i := 0; i < 5; i++ {
		said, err := exec.Command("sh", "-c", "echo child").CombinedOutput()
		fmt.Print(string(said), err, "\n")
	}
	_, err := exec.Command("/nowhere").CombinedOutput()
	fmt.Println(err)
}

func main() {
	fmt.Println(goroutines())
	fmt.Println(deref(nil))
	signals()
	children()
	os.Exit(3)
}
