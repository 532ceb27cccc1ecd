package main

import (
	"bytes"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

const largestDocument = 16 * 1024 * 1024

// each goes through the members of a document or an array until f returns false.
func each(document []byte, f func(name []byte, v bsoncore.Value) bool) {
	if len(document) < 5 {
		return
	}
	rest := document[4 : len(document)-1]
	for len(rest) > 0 {
		element, after, ok := bsoncore.ReadElement(rest)
		if !ok {
			return
		}
		end := bytes.IndexByte(element[1:], 0) + 1
		if !f(element[1:end], bsoncore.Value{Type: bsoncore.Type(element[0]), Data: element[end+1:]}) {
			return
		}
		rest = after
	}
}

// get is the member of this name.
func get(document []byte, name string) (bsoncore.Value, bool) {
	if len(document) < 5 {
		return bsoncore.Value{}, false
	}
	rest := document[4 : len(document)-1]
	for len(rest) > 0 {
		element, after, ok := bsoncore.ReadElement(rest)
		if !ok {
			break
		}
		if end := len(name) + 1; len(element) > end && element[end] == 0 && string(element[1:end]) == name {
			return bsoncore.Value{Type: bsoncore.Type(element[0]), Data: element[end+1:]}, true
		}
		rest = after
	}
	return bsoncore.Value{}, false
}

// A path leads through documents, and through arrays to each document in them.
type path []string

func parsePath(text string) (path, error) {
	parts := strings.Split(text, ".")
	for _, part := range parts {
		if part == "" || part[0] == '$' {
			return nil, badValue("%q is no name of a field", text)
		}
	}
	for _, part := range parts[1:] {
		if _, err := strconv.Atoi(part); err == nil {
			return nil, unsupported("%q: a place in an array is not known as a part of a name", text)
		}
	}
	return path(parts), nil
}

func (p path) String() string {
	return strings.Join(p, ".")
}

// visit calls f with each value that the path leads to, arrays as they are; with null and false where it leads to nothing.
// It ends when f returns false.
func (p path) visit(document []byte, f func(v bsoncore.Value, there bool) bool) bool {
	found, there := get(document, p[0])
	switch {
	case !there:
		return f(null, false)
	case len(p) == 1:
		return f(found, true)
	case found.Type == bsoncore.TypeEmbeddedDocument:
		return p[1:].visit(found.Data, f)
	case found.Type != bsoncore.TypeArray:
		return f(null, false)
	}
	goesOn := true
	each(found.Data, func(_ []byte, element bsoncore.Value) bool {
		if element.Type == bsoncore.TypeEmbeddedDocument {
			goesOn = p[1:].visit(element.Data, f)
		}
		return goesOn
	})
	return goesOn
}

// project keeps these members, in the document's order; none: all of them.
func project(document bsoncore.Document, names map[string]bool) bsoncore.Document {
	if names == nil {
		return document
	}
	start, kept := bsoncore.AppendDocumentStart(make([]byte, 0, 256))
	each(document, func(name []byte, v bsoncore.Value) bool {
		if names[string(name)] {
			kept = bsoncore.AppendValueElement(kept, string(name), v)
		}
		return true
	})
	kept, _ = bsoncore.AppendDocumentEnd(kept, start)
	return kept
}

// parseProjection reads which members are asked for: names that stand alone, with 1.
func parseProjection(document []byte) (map[string]bool, error) {
	names := map[string]bool{"_id": true}
	var err error
	count := 0
	each(document, func(name []byte, v bsoncore.Value) bool {
		count++
		wanted := truth(v)
		switch {
		case strings.ContainsAny(string(name), ".$") || (v.Type != bsoncore.TypeBoolean && !isNumber(v.Type)):
			err = unsupported("a projection of %q by %s is not known", name, v.Type)
		case !wanted && string(name) != "_id":
			err = unsupported("a projection that leaves out %q is not known", name)
		case wanted:
			names[string(name)] = true
		default:
			delete(names, "_id")
		}
		return err == nil
	})
	if count == 0 {
		return nil, err
	}
	if len(names) == 0 {
		return nil, unsupported("a projection of nothing is not known")
	}
	return names, err
}
