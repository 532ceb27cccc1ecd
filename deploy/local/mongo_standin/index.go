package main

import (
	"slices"

	"github.com/tidwall/btree"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A record is a document where it lies: indexes lead to it.
type record struct {
	number   uint64
	document bsoncore.Document
}

// An entry of an index: entries of one key go by the number of their record.
type entry struct {
	key    string
	record *record
}

func before(a, b entry) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	return a.record.number < b.record.number
}

type field struct {
	path     path
	name     string
	descends bool
	many     bool // an array stood here in some document
}

// An index is a tree of the keys of all documents, as https://www.mongodb.com/docs/manual/indexes/ has it: an entry for each
// element where a field holds an array.
type index struct {
	name   string
	fields []*field
	unique bool
	tree   *btree.BTreeG[entry]
	spec   bsoncore.Document // as it was asked for: key
}

func newIndex(name string, key bsoncore.Document, unique bool) (*index, error) {
	made := &index{name: name, unique: unique, spec: key}
	made.tree = btree.NewBTreeGOptions(before, btree.Options{NoLocks: true, Degree: 64})
	var err error
	each(key, func(name []byte, v bsoncore.Value) bool {
		var direction int64
		var at path
		if at, err = parsePath(string(name)); err != nil {
			return false
		}
		if direction, err = integer(v); err != nil || (direction != 1 && direction != -1) {
			err = fail(67, "CannotCreateIndex", "an index is known by 1 or -1 only")
			return false
		}
		made.fields = append(made.fields, &field{at, string(name), direction < 0, false})
		return true
	})
	if err == nil && len(made.fields) == 0 {
		err = fail(67, "CannotCreateIndex", "an index needs a field")
	}
	return made, err
}

// keys are those of a document, each once. `many` says in which fields it has an array.
func (i *index) keys(document []byte) (keys []string, many []bool, err error) {
	parts := make([][][]byte, len(i.fields))
	many = make([]bool, len(i.fields))
	total, arrays := 1, 0
	for place, f := range i.fields {
		if parts[place], many[place], err = f.keys(document); err != nil {
			return nil, nil, err
		}
		if many[place] {
			if arrays++; arrays > 1 {
				return nil, nil, fail(171, "CannotIndexParallelArrays", "cannot index parallel arrays")
			}
		}
		total *= len(parts[place])
	}
	keys = make([]string, 0, total)
	var build func(key []byte, place int)
	build = func(key []byte, place int) {
		if place == len(parts) {
			keys = append(keys, string(key))
			return
		}
		for _, part := range parts[place] {
			build(append(key, part...), place+1)
		}
	}
	build(make([]byte, 0, 96), 0)
	if total > 1 {
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return keys, many, nil
}

// keys of one field, turned where it descends.
func (f *field) keys(document []byte) (parts [][]byte, many bool, err error) {
	built := make([]byte, 0, 64)
	add := func(v bsoncore.Value) bool {
		start := len(built)
		if built, err = appendKey(built, v); err != nil {
			return false
		}
		part := built[start:len(built):len(built)]
		if f.descends {
			turned(part)
		}
		parts = append(parts, part)
		return true
	}
	visits := 0
	f.path.visit(document, func(v bsoncore.Value, _ bool) bool {
		visits++
		if v.Type != bsoncore.TypeArray {
			return add(v)
		}
		many = true
		count := 0
		each(v.Data, func(_ []byte, element bsoncore.Value) bool {
			count++
			return add(element)
		})
		if count == 0 {
			return add(bsoncore.Value{Type: bsoncore.TypeUndefined})
		}
		return err == nil
	})
	if visits == 0 {
		many = true
		add(null)
	}
	return parts, many || visits > 1, err
}

// taken is the record that has one of the keys of a unique index already, but not this one.
func (i *index) taken(keys []string, but *record) *record {
	var found *record
	if i.unique {
		for _, key := range keys {
			i.tree.Ascend(entry{key, &record{}}, func(each entry) bool {
				if each.key == key && each.record != but {
					found = each.record
				}
				return each.key == key && found == nil
			})
		}
	}
	return found
}

func (i *index) add(keys []string, many []bool, to *record) {
	for place, isMany := range many {
		if isMany {
			i.fields[place].many = true
		}
	}
	for _, key := range keys {
		i.tree.Set(entry{key, to})
	}
}

func (i *index) remove(keys []string, from *record) {
	for _, key := range keys {
		i.tree.Delete(entry{key, from})
	}
}

func (i *index) isMany() bool {
	for _, f := range i.fields {
		if f.many {
			return true
		}
	}
	return false
}
