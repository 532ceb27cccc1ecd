package main

import (
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A collection is its indexes: the first, on _id, has all documents.
type collection struct {
	name    string
	full    string // with the database's name
	indexes []*index
	numbers uint64
	size    int
}

func newCollection(database, name string) *collection {
	key, _ := bson.Marshal(bson.D{{Key: "_id", Value: int32(1)}})
	ids, _ := newIndex("_id_", key, true)
	return &collection{name: name, full: database + "." + name, indexes: []*index{ids}}
}

// change is what an index has to take in when a record gets another document.
type change struct {
	index   *index
	gone    []string
	come    []string
	many    []bool
	allCome []string
}

// put gives a record a document: a new one, or another (nil: none). All indexes follow, or it fails and nothing has happened.
func (c *collection) put(to *record, document bsoncore.Document) error {
	if len(document) > largestDocument {
		return fail(10334, "BSONObjectTooLarge", fmt.Sprintf("a document of %d bytes is too large", len(document)))
	}
	changes := make([]change, 0, len(c.indexes))
	for _, index := range c.indexes {
		one := change{index: index}
		var err error
		if document != nil {
			if one.come, one.many, err = index.keys(document); err != nil {
				return err
			}
			one.allCome = one.come
		}
		if to.document != nil {
			if one.gone, _, err = index.keys(to.document); err != nil {
				return err
			}
		}
		if slices.Equal(one.gone, one.come) {
			continue
		}
		one.gone, one.come = differing(one.gone, one.come)
		if other := index.taken(one.come, to); other != nil {
			return duplicate(c, index, document)
		}
		changes = append(changes, one)
	}
	for _, one := range changes {
		one.index.remove(one.gone, to)
		one.index.add(one.come, one.many, to)
	}
	switch {
	case to.document == nil:
		c.size++
	case document == nil:
		c.size--
	}
	to.document = document
	return nil
}

// differing leaves of each what the other does not have.
func differing(gone, come []string) ([]string, []string) {
	if len(gone) == 0 || len(come) == 0 {
		return gone, come
	}
	first, second := setOf(gone), setOf(come)
	return without(gone, second), without(come, first)
}

func setOf(keys []string) map[string]bool {
	set := make(map[string]bool, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	return set
}

func without(keys []string, others map[string]bool) []string {
	left := make([]string, 0, len(keys))
	for _, key := range keys {
		if !others[key] {
			left = append(left, key)
		}
	}
	return left
}

func (c *collection) insert(document bsoncore.Document) error {
	document, err := withID(document)
	if err != nil {
		return err
	}
	c.numbers++
	return c.put(&record{number: c.numbers}, document)
}

// withID has an _id as its first member.
func withID(document bsoncore.Document) (bsoncore.Document, error) {
	id, there := get(document, "_id")
	if !there {
		made := bson.NewObjectID()
		id = bsoncore.Value{Type: bsoncore.TypeObjectID, Data: made[:]}
	}
	if id.Type == bsoncore.TypeArray || id.Type == bsoncore.TypeRegex || id.Type == bsoncore.TypeUndefined {
		return nil, fail(2, "BadValue", fmt.Sprintf("the '_id' value cannot be of type %s", id.Type))
	}
	if len(document) > 8 && there && string(document[5:8]) == "_id" && document[8] == 0 {
		return slices.Clone(document), nil
	}
	start, built := bsoncore.AppendDocumentStart(make([]byte, 0, len(document)+17))
	built = bsoncore.AppendValueElement(built, "_id", id)
	each(document, func(name []byte, v bsoncore.Value) bool {
		if string(name) != "_id" {
			built = bsoncore.AppendValueElement(built, string(name), v)
		}
		return true
	})
	return bsoncore.AppendDocumentEnd(built, start)
}

// addIndex makes it of the documents that are there.
func (c *collection) addIndex(made *index) error {
	var err error
	c.indexes[0].tree.Scan(func(each entry) bool {
		var keys []string
		var many []bool
		if keys, many, err = made.keys(each.record.document); err != nil {
			return false
		}
		if made.taken(keys, each.record) != nil {
			err = duplicate(c, made, each.record.document)
			return false
		}
		made.add(keys, many, each.record)
		return true
	})
	if err == nil {
		c.indexes = append(c.indexes, made)
	}
	return err
}

// duplicate tells which key is there already, as https://www.mongodb.com/docs/manual/core/index-unique/ says.
func duplicate(c *collection, index *index, document []byte) error {
	values := bson.D{}
	for _, f := range index.fields {
		value := null
		f.path.visit(document, func(v bsoncore.Value, _ bool) bool {
			value = v
			return false
		})
		values = append(values, bson.E{Key: f.name, Value: bson.RawValue{Type: bson.Type(value.Type), Value: value.Data}})
	}
	shown, _ := bson.Marshal(values)
	told := fmt.Sprintf("E11000 duplicate key error collection: %s index: %s dup key: %s", c.full, index.name, bson.Raw(shown))
	return &failure{11000, "DuplicateKey", told, bson.D{
		{Key: "keyPattern", Value: bson.Raw(index.spec)}, {Key: "keyValue", Value: bson.Raw(shown)},
	}}
}
