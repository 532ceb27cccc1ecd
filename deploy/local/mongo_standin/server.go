package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A database's commands each see it at one moment: readers beside each other, a writer alone.
type database struct {
	sync.RWMutex
	name        string
	collections map[string]*collection
	profiling   int64
}

type server struct {
	sync.Mutex
	databases map[string]*database
	cursors   map[int64]*cursor
	lastID    int64
}

func newServer() *server {
	return &server{databases: map[string]*database{}, cursors: map[int64]*cursor{}}
}

// A handler does a command on a database that it has to itself, or shares with readers.
type handler struct {
	do     func(s *server, d *database, a *command) (bson.D, error)
	writes bool
	fields string // those it knows
}

// What drivers may add to any command. There is one copy of the data and no session outlives a command, so these change nothing.
const everywhere = "lsid $db $readPreference $clusterTime writeConcern readConcern comment maxTimeMS apiVersion apiStrict apiDeprecationErrors"

// anything: a driver tells what it is and can do, none of which has to be answered.
const anything = "*"

var handlers map[string]handler

func init() {
	handlers = map[string]handler{
		"hello":    {do: hello, fields: anything},
		"ismaster": {do: hello, fields: anything}, "isMaster": {do: hello, fields: anything},
		"ping": {do: nothing}, "endSessions": {do: nothing},
		"buildInfo": {do: buildInfo}, "buildinfo": {do: buildInfo},
		"find":            {do: find, fields: "filter sort projection skip limit batchSize singleBatch noCursorTimeout allowDiskUse"},
		"getMore":         {do: getMore, fields: "collection batchSize"},
		"aggregate":       {do: aggregate, fields: "pipeline cursor allowDiskUse"},
		"count":           {do: count, fields: "query limit skip"},
		"explain":         {do: explain, fields: "verbosity"},
		"insert":          {do: insert, writes: true, fields: "documents ordered bypassDocumentValidation"},
		"update":          {do: updates, writes: true, fields: "updates ordered bypassDocumentValidation"},
		"delete":          {do: deletes, writes: true, fields: "deletes ordered"},
		"profile":         {do: profile, writes: true, fields: "slowms sampleRate"},
		"drop":            {do: drop, writes: true},
		"create":          {do: create, writes: true},
		"killCursors":     {do: killCursors, fields: "cursors"},
		"listIndexes":     {do: listIndexes, fields: "cursor"},
		"createIndexes":   {do: createIndexes, writes: true, fields: "indexes commitQuorum"},
		"listCollections": {do: listCollections, fields: "filter nameOnly authorizedCollections cursor"},
		"dropDatabase":    {do: dropDatabase, writes: true},
		"listDatabases":   {do: listDatabases, fields: "nameOnly filter authorizedDatabases"},
	}
}

// do answers a command; what fails is told in the answer.
func (s *server) do(asked *command) (answer []byte) {
	defer func() {
		if reason := recover(); reason != nil {
			s.say("%s failed: %v\n%s", asked.name, reason, debug.Stack())
			answer = failed(fail(1, "InternalError", fmt.Sprint(reason)))
		}
	}()
	known, there := handlers[asked.name]
	if !there {
		return failed(fail(59, "CommandNotFound", fmt.Sprintf("no such command: '%s' (stand-in of MongoDB)", asked.name)))
	}
	if err := asked.onlyKnows(known.fields); err != nil {
		return failed(err)
	}
	d := s.database(asked.database)
	reply, err := known.on(s, d, asked)
	d.keep(asked.notes)
	if err != nil {
		return failed(err)
	}
	return marshalled(append(reply, bson.E{Key: "ok", Value: 1.0}))
}

func (h handler) on(s *server, d *database, asked *command) (bson.D, error) {
	if h.writes {
		d.Lock()
		defer d.Unlock()
	} else {
		d.RLock()
		defer d.RUnlock()
	}
	return h.do(s, d, asked)
}

func failed(err error) []byte {
	told := asFailure(err)
	reply := bson.D{
		{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: told.told},
		{Key: "code", Value: told.code}, {Key: "codeName", Value: told.name},
	}
	return marshalled(append(reply, told.more...))
}

// onlyKnows refuses an option that is not known: it might change what is asked for.
func (a *command) onlyKnows(fields string) error {
	if fields == anything {
		return nil
	}
	known := strings.Fields(everywhere + " " + fields)
	var err error
	each(a.body, func(name []byte, _ bsoncore.Value) bool {
		if string(name) != a.name && !contains(known, string(name)) {
			err = unsupported("%s.%s is not known", a.name, name)
		}
		return err == nil
	})
	return err
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}

func (s *server) database(name string) *database {
	s.Lock()
	defer s.Unlock()
	found, there := s.databases[name]
	if !there {
		found = &database{name: name, collections: map[string]*collection{}}
		s.databases[name] = found
	}
	return found
}

// named is the collection that the command names; nil if it is not there.
func (d *database) named(a *command) (*collection, string, error) {
	v, _ := get(a.body, a.name)
	name, err := textOf(v)
	if err != nil || name == "" {
		return nil, "", fail(73, "InvalidNamespace", a.name+" needs the name of a collection")
	}
	return d.collections[name], name, nil
}

// made is it too, made where it was missing.
func (d *database) made(a *command) (*collection, error) {
	found, name, err := d.named(a)
	if err == nil && found == nil {
		found = newCollection(d.name, name)
		d.collections[name] = found
	}
	return found, err
}

func (s *server) say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().UTC().Format(time.RFC3339)}, values...)...)
}

func nothing(*server, *database, *command) (bson.D, error) {
	return bson.D{}, nil
}

// hello as MongoDB 7 says it that has no replicas.
func hello(_ *server, _ *database, a *command) (bson.D, error) {
	return bson.D{
		{Key: "helloOk", Value: true},
		{Key: "ismaster", Value: true},
		{Key: "isWritablePrimary", Value: true},
		{Key: "maxBsonObjectSize", Value: int32(largestDocument)},
		{Key: "maxMessageSizeBytes", Value: int32(largest)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)},
		{Key: "localTime", Value: time.Now()},
		{Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		{Key: "connectionId", Value: int32(1)},
		{Key: "minWireVersion", Value: int32(0)},
		{Key: "maxWireVersion", Value: int32(21)},
		{Key: "readOnly", Value: false},
	}, nil
}

func buildInfo(*server, *database, *command) (bson.D, error) {
	return bson.D{
		{Key: "version", Value: "7.0.0"},
		{Key: "versionArray", Value: bson.A{int32(7), int32(0), int32(0), int32(0)}},
		{Key: "modules", Value: bson.A{}},
		{Key: "standIn", Value: "a stand-in of MongoDB for measuring and tests, in memory; not MongoDB"},
		{Key: "maxBsonObjectSize", Value: int32(largestDocument)},
	}, nil
}
