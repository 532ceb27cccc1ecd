package main

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// What was looked at for each command, as MongoDB's profiler writes it to system.profile when its level is 2:
// https://www.mongodb.com/docs/manual/reference/database-profiler/
const (
	profiled = "system.profile"
	mostKept = 20_000
)

func profile(_ *server, d *database, a *command) (bson.D, error) {
	v, _ := get(a.body, "profile")
	level, err := integer(v)
	if err != nil || level == 1 || level > 2 {
		return nil, unsupported("a profiler that only notes what is slow is not known")
	}
	was := d.profiling
	if level >= 0 {
		d.profiling = level
	}
	return bson.D{{Key: "was", Value: int32(was)}, {Key: "slowms", Value: int32(100)}, {Key: "sampleRate", Value: 1.0}}, nil
}

// note is written once the command is done: who only reads shares the database until then.
func (a *command) note(d *database, name string, plan *candidate, returned int) {
	if d.profiling != 0 && name != profiled {
		a.notes = append(a.notes, noted(d, a, name, plan, returned))
	}
}

func noted(d *database, a *command, name string, plan *candidate, returned int) []byte {
	return marshalled(bson.D{
		{Key: "op", Value: a.name}, {Key: "ns", Value: d.name + "." + name}, {Key: "command", Value: bson.Raw(a.body)},
		{Key: "keysExamined", Value: int32(plan.count.keys)}, {Key: "docsExamined", Value: int32(plan.count.documents)},
		{Key: "hasSortStage", Value: plan.sorts}, {Key: "nreturned", Value: int32(returned)},
		{Key: "planSummary", Value: plan.summary}, {Key: "ts", Value: time.Now()},
	})
}

func (d *database) keep(notes [][]byte) {
	if len(notes) == 0 {
		return
	}
	d.Lock()
	defer d.Unlock()
	c := d.collections[profiled]
	if c == nil {
		c = newCollection(d.name, profiled)
		d.collections[profiled] = c
	}
	for _, each := range notes {
		if err := c.insert(each); err != nil {
			return
		}
	}
	for c.size > mostKept {
		if oldest, there := c.indexes[0].tree.Min(); there {
			_ = c.put(oldest.record, nil)
		}
	}
}

// explain tells how a find is answered, and what it looked at.
func explain(_ *server, d *database, a *command) (bson.D, error) {
	v, _ := get(a.body, "explain")
	asked := &command{name: "find", body: v.Data}
	if err := asked.onlyKnows(handlers["find"].fields); err != nil {
		return nil, err
	}
	c, name, err := d.named(asked)
	if err != nil {
		return nil, err
	}
	q, err := parseFind(v.Data)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = newCollection(d.name, name)
	}
	records, plan := c.run(q.query)
	return bson.D{
		{Key: "queryPlanner", Value: bson.D{
			{Key: "namespace", Value: c.full},
			{Key: "winningPlan", Value: bson.D{{Key: "stage", Value: plan.summary}, {Key: "sorts", Value: plan.sorts}}},
		}},
		{Key: "executionStats", Value: bson.D{
			{Key: "executionSuccess", Value: true}, {Key: "nReturned", Value: int32(max(0, len(records)-q.skip))},
			{Key: "totalKeysExamined", Value: int32(plan.count.keys)},
			{Key: "totalDocsExamined", Value: int32(plan.count.documents)},
		}},
	}, nil
}
