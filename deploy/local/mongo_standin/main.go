// A stand-in of MongoDB: its protocol, its order of values and its indexes, in memory, for measuring and tests.
//
//	mongo-standin ADDRESS
//
// It knows what Hubbub asks of MongoDB, and refuses all else by name. Nothing outlives the process.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// What is held is nearly all there is; half as much again may lie about before it is swept.
const garbagePercent = 50

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: mongo-standin ADDRESS")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		<-ctx.Done()
		listener.Close()
	}()
	debug.SetGCPercent(garbagePercent)
	s := newServer()
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go s.serve(client)
	}
}
