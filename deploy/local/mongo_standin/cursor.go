package main

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A cursor holds what was found and not yet fetched. It was all found at the moment of the find.
type cursor struct {
	full string
	rest []bsoncore.Document
	used time.Time
}

const forgotten = 10 * time.Minute

// take cuts off a batch: so many documents (0: as fit), and not more than a message may hold.
func take(found []bsoncore.Document, count int) (batch, rest []bsoncore.Document) {
	bytes := 0
	for place, each := range found {
		bytes += len(each)
		if (count > 0 && place == count) || (place > 0 && bytes > largestDocument) {
			return found[:place], found[place:]
		}
	}
	return found, nil
}

func (s *server) open(full string, found []bsoncore.Document, count int) bson.D {
	if count == 0 { // a cursor, and nothing yet
		if len(found) > 0 {
			return cursorReply(s.keep(&cursor{full: full, rest: found}), full, "firstBatch", nil)
		}
	}
	batch, rest := take(found, count)
	var id int64
	if len(rest) > 0 {
		id = s.keep(&cursor{full: full, rest: rest})
	}
	return cursorReply(id, full, "firstBatch", batch)
}

func (s *server) keep(c *cursor) int64 {
	s.Lock()
	defer s.Unlock()
	now := time.Now()
	for id, each := range s.cursors {
		if now.Sub(each.used) > forgotten {
			delete(s.cursors, id)
		}
	}
	s.lastID++
	c.used = now
	s.cursors[s.lastID] = c
	return s.lastID
}

func getMore(s *server, d *database, a *command) (bson.D, error) {
	v, _ := get(a.body, "getMore")
	id, err := integer(v)
	if err != nil {
		return nil, err
	}
	count := 0
	if v, there := get(a.body, "batchSize"); there {
		if count, err = count32(v); err != nil {
			return nil, err
		}
	}
	s.Lock()
	defer s.Unlock()
	c, there := s.cursors[id]
	if !there {
		return nil, fail(43, "CursorNotFound", "cursor id is not known")
	}
	var batch []bsoncore.Document
	batch, c.rest = take(c.rest, count)
	c.used = time.Now()
	if len(c.rest) == 0 {
		delete(s.cursors, id)
		id = 0
	}
	return cursorReply(id, c.full, "nextBatch", batch), nil
}

func killCursors(s *server, _ *database, a *command) (bson.D, error) {
	killed, unknown := bson.A{}, bson.A{}
	ids, _ := get(a.body, "cursors")
	s.Lock()
	defer s.Unlock()
	each(ids.Data, func(_ []byte, v bsoncore.Value) bool {
		id, _ := integer(v)
		if _, there := s.cursors[id]; there {
			delete(s.cursors, id)
			killed = append(killed, id)
		} else {
			unknown = append(unknown, id)
		}
		return true
	})
	return bson.D{
		{Key: "cursorsKilled", Value: killed}, {Key: "cursorsNotFound", Value: unknown},
		{Key: "cursorsAlive", Value: bson.A{}}, {Key: "cursorsUnknown", Value: bson.A{}},
	}, nil
}

func cursorReply(id int64, full, name string, batch []bsoncore.Document) bson.D {
	documents := make([]bson.Raw, len(batch))
	for place, each := range batch {
		documents[place] = bson.Raw(each)
	}
	return bson.D{{Key: "cursor", Value: bson.D{
		{Key: name, Value: documents}, {Key: "id", Value: id}, {Key: "ns", Value: full},
	}}}
}
