package main

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A search is a find as it was asked for.
type search struct {
	query
	skip, limit, batch int
	single             bool
	filter             bsoncore.Document
}

const firstBatch = 101

func parseFind(body bsoncore.Document) (*search, error) {
	asked := &search{batch: firstBatch}
	var err error
	each(body, func(name []byte, v bsoncore.Value) bool {
		switch string(name) {
		case "filter":
			asked.tests, err = parseFilter(v.Data)
		case "sort":
			asked.order, err = parseSort(v.Data)
		case "projection":
			asked.needs, err = parseProjection(v.Data)
		case "skip":
			asked.skip, err = count32(v)
		case "limit":
			asked.limit, err = count32(v)
		case "batchSize":
			asked.batch, err = count32(v)
		case "singleBatch":
			asked.single = truth(v)
		}
		return err == nil
	})
	if asked.limit < 0 {
		asked.limit, asked.single = -asked.limit, true
	}
	if asked.limit > 0 {
		asked.want = asked.skip + asked.limit
	}
	return asked, err
}

func count32(v bsoncore.Value) (int, error) {
	number, err := integer(v)
	return int(number), err
}

func parseSort(document []byte) ([]*field, error) {
	var order []*field
	var err error
	each(document, func(name []byte, v bsoncore.Value) bool {
		var at path
		if at, err = parsePath(string(name)); err != nil {
			return false
		}
		direction, wrong := integer(v)
		if wrong != nil || (direction != 1 && direction != -1) {
			err = unsupported("a sort of %q by %s is not known", name, v.Type)
			return false
		}
		order = append(order, &field{at, string(name), direction < 0, false})
		return true
	})
	return order, err
}

func find(s *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err != nil {
		return nil, err
	}
	asked, err := parseFind(a.body)
	if err != nil {
		return nil, err
	}
	var found []bsoncore.Document
	if c != nil {
		records, plan := c.run(asked.query)
		for _, each := range records[min(asked.skip, len(records)):] {
			found = append(found, project(each.document, asked.needs))
		}
		a.note(d, name, plan, len(found))
	}
	if asked.single {
		return cursorReply(0, d.name+"."+name, "firstBatch", found), nil
	}
	return s.open(d.name+"."+name, found, asked.batch), nil
}

func count(_ *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err != nil {
		return nil, err
	}
	q := query{needs: map[string]bool{}}
	skip, limit := 0, 0
	each(a.body, func(name []byte, v bsoncore.Value) bool {
		switch string(name) {
		case "query":
			q.tests, err = parseFilter(v.Data)
		case "skip":
			skip, err = count32(v)
		case "limit":
			limit, err = count32(v)
		}
		return err == nil
	})
	if err != nil || c == nil {
		return bson.D{{Key: "n", Value: int32(0)}}, err
	}
	if len(q.tests) == 0 && skip == 0 && limit == 0 {
		return bson.D{{Key: "n", Value: int32(c.size)}}, nil
	}
	if limit > 0 {
		q.want = skip + limit
	}
	records, plan := c.run(q)
	a.note(d, name, plan, 1)
	return bson.D{{Key: "n", Value: int32(max(0, len(records)-skip))}}, nil
}

// aggregate knows how many documents pass a filter, all together or for each value of a field:
//
//	[{$match: …}, {$group: {_id: constant or "$field", name: {$sum: 1}}}]
func aggregate(s *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err != nil {
		return nil, err
	}
	tests, grouped, err := parsePipeline(a.body)
	if err != nil {
		return nil, err
	}
	var found []bsoncore.Document
	if c != nil {
		q := query{tests: tests, needs: map[string]bool{}}
		if grouped.by != nil {
			q.needs[grouped.by.String()] = true
		}
		records, plan := c.run(q)
		found = grouped.count(records)
		a.note(d, name, plan, len(found))
	}
	return s.open(d.name+"."+name, found, firstBatch), nil
}

type group struct {
	by       path
	constant bsoncore.Value
	name     string
}

func parsePipeline(body []byte) ([]test, group, error) {
	pipeline, _ := get(body, "pipeline")
	var tests []test
	var grouped group
	var err error
	each(pipeline.Data, func(_ []byte, stage bsoncore.Value) bool {
		each(stage.Data, func(name []byte, v bsoncore.Value) bool {
			switch {
			case grouped.name != "" || (string(name) != "$match" && string(name) != "$group"):
				err = unsupported("an aggregation with %s at this place is not known", name)
			case string(name) == "$group":
				grouped, err = parseGroup(v.Data)
			default:
				var more []test
				more, err = parseFilter(v.Data)
				tests = append(tests, more...)
			}
			return err == nil
		})
		return err == nil
	})
	if err == nil && grouped.name == "" {
		err = unsupported("an aggregation without $group is not known")
	}
	return tests, grouped, err
}

func parseGroup(document []byte) (group, error) {
	grouped := group{constant: null}
	var err error
	each(document, func(name []byte, v bsoncore.Value) bool {
		if string(name) == "_id" {
			text, is := v.StringValueOK()
			switch {
			case is && len(text) > 1 && text[0] == '$':
				grouped.by, err = parsePath(text[1:])
			case v.Type == bsoncore.TypeEmbeddedDocument || v.Type == bsoncore.TypeArray:
				err = unsupported("$group by %s is not known", v.Type)
			default:
				grouped.constant = v
			}
			return err == nil
		}
		one, there := get(v.Data, "$sum")
		number, wrong := integer(one)
		if grouped.name != "" || !there || wrong != nil || number != 1 {
			err = unsupported("$group with anything but one {$sum: 1} is not known")
			return false
		}
		grouped.name = string(name)
		return true
	})
	return grouped, err
}

func (g group) count(records []*record) []bsoncore.Document {
	counts := map[string]int32{}
	values := map[string]bsoncore.Value{}
	var order []string
	last, lastKey := bsoncore.Value{}, ""
	for _, each := range records {
		value := g.constant
		if g.by != nil {
			value = null
			g.by.visit(each.document, func(v bsoncore.Value, _ bool) bool {
				value = v
				return false
			})
		}
		if value.Type != last.Type || !bytes.Equal(value.Data, last.Data) { // from an index they come one after the other
			key, _ := appendKey(nil, value)
			last, lastKey = value, string(key)
		}
		if counts[lastKey]++; counts[lastKey] == 1 {
			values[lastKey] = value
			order = append(order, lastKey)
		}
	}
	var found []bsoncore.Document
	for _, key := range order {
		start, built := bsoncore.AppendDocumentStart(nil)
		built = bsoncore.AppendValueElement(built, "_id", values[key])
		built = bsoncore.AppendInt32Element(built, g.name, counts[key])
		built, _ = bsoncore.AppendDocumentEnd(built, start)
		found = append(found, built)
	}
	return found
}
