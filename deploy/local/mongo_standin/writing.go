package main

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// statements are the parts of a write: beside the command, or in it.
func (a *command) statements(name string) ([]bsoncore.Document, error) {
	found := a.beside[name]
	if v, there := get(a.body, name); there {
		each(v.Data, func(_ []byte, element bsoncore.Value) bool {
			found = append(found, element.Data)
			return true
		})
	}
	if len(found) == 0 || len(found) > 100_000 {
		return nil, fail(16, "InvalidLength", fmt.Sprintf("a write of %d statements", len(found)))
	}
	return found, nil
}

// inTurn does each statement; an ordered write ends with the first that fails. What failed is told by its place.
func (a *command) inTurn(name string, do func(place int, statement bsoncore.Document) error) (bson.D, error) {
	statements, err := a.statements(name)
	if err != nil {
		return nil, err
	}
	ordered := true
	if v, there := get(a.body, "ordered"); there {
		ordered = truth(v)
	}
	wrong := bson.A{}
	for place, statement := range statements {
		if err := do(place, statement); err != nil {
			told := asFailure(err)
			one := bson.D{
				{Key: "index", Value: int32(place)}, {Key: "code", Value: told.code}, {Key: "errmsg", Value: told.told},
			}
			wrong = append(wrong, append(one, told.more...))
			if ordered {
				break
			}
		}
	}
	if len(wrong) == 0 {
		return bson.D{}, nil
	}
	return bson.D{{Key: "writeErrors", Value: wrong}}, nil
}

func insert(_ *server, d *database, a *command) (bson.D, error) {
	c, err := d.made(a)
	if err != nil {
		return nil, err
	}
	n := int32(0)
	reply, err := a.inTurn("documents", func(_ int, document bsoncore.Document) error {
		err := c.insert(document)
		if err == nil {
			n++
		}
		return err
	})
	return append(bson.D{{Key: "n", Value: n}}, reply...), err
}

// A writing is one statement of an update or a delete.
type writing struct {
	tests         []test
	change        *update
	upsert, multi bool
}

func parseWriting(statement bsoncore.Document) (*writing, error) {
	w := &writing{}
	var err error
	each(statement, func(name []byte, v bsoncore.Value) bool {
		switch string(name) {
		case "q":
			w.tests, err = parseFilter(v.Data)
		case "u":
			w.change, err = parseUpdate(v)
		case "upsert":
			w.upsert = truth(v)
		case "multi":
			w.multi = truth(v)
		case "limit":
			w.multi = !truth(v)
		default:
			err = unsupported("%q of a write is not known", name)
		}
		return err == nil
	})
	if err == nil && w.change != nil && w.change.replacement != nil && w.multi {
		err = fail(9, "FailedToParse", "multi update is not supported for replacement-style update")
	}
	return w, err
}

// found are the records that a statement is about.
func (w *writing) found(c *collection) ([]*record, *candidate) {
	want := 1
	if w.multi {
		want = 0
	}
	return c.run(query{tests: w.tests, want: want})
}

func updates(_ *server, d *database, a *command) (bson.D, error) {
	c, err := d.made(a)
	if err != nil {
		return nil, err
	}
	n, changed, upserted := int32(0), int32(0), bson.A{}
	reply, err := a.inTurn("updates", func(place int, statement bsoncore.Document) error {
		w, err := parseWriting(statement)
		if err != nil {
			return err
		}
		if w.change == nil {
			return fail(9, "FailedToParse", "an update needs u")
		}
		records, plan := w.found(c)
		a.note(d, c.name, plan, len(records))
		for _, each := range records {
			isChanged, err := c.updated(each, w.change)
			if err != nil {
				return err
			}
			n++
			if isChanged {
				changed++
			}
		}
		if len(records) > 0 || !w.upsert {
			return nil
		}
		fresh, err := w.change.fresh(w.tests)
		if err != nil {
			return err
		}
		if err = c.insert(fresh); err == nil {
			n++
			id, _ := get(fresh, "_id")
			upserted = append(upserted, bson.D{
				{Key: "index", Value: int32(place)},
				{Key: "_id", Value: bson.RawValue{Type: bson.Type(id.Type), Value: id.Data}},
			})
		}
		return err
	})
	answer := bson.D{{Key: "n", Value: n}, {Key: "nModified", Value: changed}}
	if len(upserted) > 0 {
		answer = append(answer, bson.E{Key: "upserted", Value: upserted})
	}
	return append(answer, reply...), err
}

func deletes(_ *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err != nil {
		return nil, err
	}
	n := int32(0)
	reply, err := a.inTurn("deletes", func(_ int, statement bsoncore.Document) error {
		w, err := parseWriting(statement)
		if err != nil || c == nil {
			return err
		}
		records, plan := w.found(c)
		a.note(d, name, plan, len(records))
		for _, each := range records {
			if err := c.put(each, nil); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return append(bson.D{{Key: "n", Value: n}}, reply...), err
}
