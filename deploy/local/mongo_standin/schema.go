package main

import (
	"fmt"
	"slices"
	"sort"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

func createIndexes(_ *server, d *database, a *command) (bson.D, error) {
	there, _, err := d.named(a)
	if err != nil {
		return nil, err
	}
	c, err := d.made(a)
	if err != nil {
		return nil, err
	}
	before := len(c.indexes)
	specs, _ := get(a.body, "indexes")
	each(specs.Data, func(_ []byte, spec bsoncore.Value) bool {
		err = c.createIndex(spec.Data)
		return err == nil
	})
	return bson.D{
		{Key: "numIndexesBefore", Value: int32(before)}, {Key: "numIndexesAfter", Value: int32(len(c.indexes))},
		{Key: "createdCollectionAutomatically", Value: there == nil},
	}, err
}

func (c *collection) createIndex(spec []byte) error {
	var key bsoncore.Document
	var name string
	unique := false
	var err error
	each(spec, func(option []byte, v bsoncore.Value) bool {
		switch string(option) {
		case "key":
			key = slices.Clone(v.Data)
		case "name":
			name, err = textOf(v)
		case "unique":
			unique = truth(v)
		case "v", "background":
		default:
			err = unsupported("an index with %q is not known", option)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	made, err := newIndex(name, key, unique)
	if err != nil {
		return err
	}
	for _, other := range c.indexes {
		isSame := other.pattern() == made.pattern()
		switch {
		case isSame && (other.name == name && other.unique == unique || other.name == "_id_"):
			return nil
		case other.name == name:
			return fail(86, "IndexKeySpecsConflict", fmt.Sprintf("an index named %s is there with another key", name))
		case isSame:
			return fail(85, "IndexOptionsConflict", fmt.Sprintf("the index is there as %s", other.name))
		}
	}
	return c.addIndex(made)
}

func (i *index) pattern() string {
	text := ""
	for _, f := range i.fields {
		text += fmt.Sprintf("%s:%t,", f.name, f.descends)
	}
	return text
}

func listIndexes(s *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fail(26, "NamespaceNotFound", "ns does not exist: "+d.name+"."+name)
	}
	var found []bsoncore.Document
	for _, index := range c.indexes {
		told := bson.D{{Key: "v", Value: int32(2)}, {Key: "key", Value: bson.Raw(index.spec)}, {Key: "name", Value: index.name}}
		if index.unique && index.name != "_id_" {
			told = append(told, bson.E{Key: "unique", Value: true})
		}
		found = append(found, marshalled(told))
	}
	return s.open(c.full, found, len(found)+1), nil
}

func listCollections(s *server, d *database, a *command) (bson.D, error) {
	var tests []test
	if v, there := get(a.body, "filter"); there {
		var err error
		if tests, err = parseFilter(v.Data); err != nil {
			return nil, err
		}
	}
	names := make([]string, 0, len(d.collections))
	for name := range d.collections {
		names = append(names, name)
	}
	sort.Strings(names)
	var found []bsoncore.Document
	for _, name := range names {
		told := marshalled(bson.D{
			{Key: "name", Value: name}, {Key: "type", Value: "collection"}, {Key: "options", Value: bson.D{}},
			{Key: "info", Value: bson.D{{Key: "readOnly", Value: false}}},
		})
		if all(tests, told) {
			found = append(found, told)
		}
	}
	return s.open(d.name+".$cmd.listCollections", found, len(found)+1), nil
}

func create(_ *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err == nil && c != nil {
		err = fail(48, "NamespaceExists", "collection "+c.full+" already exists")
	}
	if err == nil {
		d.collections[name] = newCollection(d.name, name)
	}
	return bson.D{}, err
}

func drop(_ *server, d *database, a *command) (bson.D, error) {
	c, name, err := d.named(a)
	if err != nil || c == nil {
		return bson.D{}, err
	}
	delete(d.collections, name)
	return bson.D{{Key: "nIndexesWas", Value: int32(len(c.indexes))}, {Key: "ns", Value: c.full}}, nil
}

func dropDatabase(_ *server, d *database, _ *command) (bson.D, error) {
	d.collections = map[string]*collection{}
	return bson.D{{Key: "dropped", Value: d.name}}, nil
}

func listDatabases(s *server, own *database, a *command) (bson.D, error) {
	if v, there := get(a.body, "filter"); there && len(v.Data) > 5 {
		return nil, unsupported("listDatabases.filter is not known")
	}
	s.Lock()
	all := make([]*database, 0, len(s.databases))
	for _, each := range s.databases {
		all = append(all, each)
	}
	s.Unlock()
	found := bson.A{}
	for _, each := range all {
		if each != own {
			each.RLock()
		}
		count := len(each.collections)
		if each != own {
			each.RUnlock()
		}
		if count > 0 {
			found = append(found, bson.D{{Key: "name", Value: each.name}, {Key: "sizeOnDisk", Value: int64(1)}, {Key: "empty", Value: false}})
		}
	}
	return bson.D{{Key: "databases", Value: found}, {Key: "totalSize", Value: int64(1)}}, nil
}
