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
	"syscall"
)

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
	s := newServer()
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go s.serve(client)
	}
}
