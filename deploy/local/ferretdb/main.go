// FerretDB with SQLite behind it: a strict peer that speaks MongoDB's protocol.
//
//	ferretdb ADDRESS FOLDER
//
// HUBBUB_FERRETDB_CERTIFICATE and _KEY: TLS with these PEM files. HUBBUB_FERRETDB_USER and _PASSWORD: the one user, by SCRAM.
// The name of this module lets it use FerretDB's handlers, whose users the embeddable package does not offer.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/util/password"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb ADDRESS FOLDER")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, address, folder string) error {
	known, err := state.NewProvider("")
	if err != nil {
		return err
	}
	if err = known.Update(func(s *state.State) {
		s.DisableTelemetry()
		s.TelemetryLocked = true
	}); err != nil {
		return err
	}
	metrics := connmetrics.NewListenerMetrics()
	options := &registry.NewHandlerOpts{
		Logger:        slog.Default(),
		ConnMetrics:   metrics.ConnMetrics,
		StateProvider: known,
		SQLiteURL:     "file:" + folder + "/",
		TestOpts:      registry.TestOpts{CappedCleanupPercentage: 10, BatchSize: 100},
	}
	if user := os.Getenv("HUBBUB_FERRETDB_USER"); user != "" {
		options.EnableNewAuth = true
		options.SetupDatabase = "admin"
		options.SetupUsername = user
		options.SetupPassword = password.WrapPassword(os.Getenv("HUBBUB_FERRETDB_PASSWORD"))
		options.SetupTimeout = 20 * time.Second
	}
	handler, closeBackend, err := registry.NewHandler("sqlite", options)
	if err != nil {
		return err
	}
	defer closeBackend()
	listening := &clientconn.NewListenerOpts{
		Mode:    clientconn.NormalMode,
		Metrics: metrics,
		Handler: handler,
		Logger:  slog.Default(),
	}
	if certificate := os.Getenv("HUBBUB_FERRETDB_CERTIFICATE"); certificate != "" {
		listening.TLS = address
		listening.TLSCertFile = certificate
		listening.TLSKeyFile = os.Getenv("HUBBUB_FERRETDB_KEY")
	} else {
		listening.TCP = address
	}
	listener, err := clientconn.Listen(listening)
	if err != nil {
		return err
	}
	listener.Run(ctx)
	return nil
}
