package main

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A test is one part of a filter. All of a filter's parts have to hold.
type test interface {
	matches(document []byte) bool
}

// comparison: some value at the path, or in an array there, compares so with the operand.
type comparison struct {
	path    path
	op      string // $eq $gt $gte $lt $lte
	operand bsoncore.Value
}

// oneOf: some value at the path is one of these.
type oneOf struct {
	path     path
	operands []bsoncore.Value
	keys     map[string]bool
}

// unequal: no value at the path is the operand.
type unequal struct {
	path    path
	operand bsoncore.Value
}

// within: some element of the array at the path passes all comparisons.
type within struct {
	path  path
	tests []comparison
}

// exists: the path leads to something, or to nothing.
type exists struct {
	path   path
	wanted bool
}

type either struct {
	ways [][]test
}

func (c comparison) holds(v bsoncore.Value) bool {
	if kinds[v.Type] != kinds[c.operand.Type] {
		return false // only values of the same kind are compared
	}
	order := compare(v, c.operand)
	switch c.op {
	case "$eq":
		return order == 0
	case "$gt":
		return order > 0
	case "$gte":
		return order >= 0
	case "$lt":
		return order < 0
	}
	return order <= 0
}

// some: a value at the path, or an element of an array there.
func some(p path, document []byte, holds func(v bsoncore.Value) bool) bool {
	found := false
	p.visit(document, func(v bsoncore.Value, _ bool) bool {
		if found = holds(v); !found && v.Type == bsoncore.TypeArray {
			each(v.Data, func(_ []byte, element bsoncore.Value) bool {
				found = holds(element)
				return !found
			})
		}
		return !found
	})
	return found
}

func (c comparison) matches(document []byte) bool {
	return some(c.path, document, c.holds)
}

func (o oneOf) matches(document []byte) bool {
	return some(o.path, document, func(v bsoncore.Value) bool {
		var space [64]byte
		key, err := appendKey(space[:0], v)
		return err == nil && o.keys[string(key)]
	})
}

func (u unequal) matches(document []byte) bool {
	return !comparison{u.path, "$eq", u.operand}.matches(document)
}

func (e exists) matches(document []byte) bool {
	found := false
	e.path.visit(document, func(_ bsoncore.Value, there bool) bool {
		found = found || there
		return !found
	})
	return found == e.wanted
}

func (w within) matches(document []byte) bool {
	found := false
	w.path.visit(document, func(v bsoncore.Value, _ bool) bool {
		if v.Type == bsoncore.TypeArray {
			each(v.Data, func(_ []byte, element bsoncore.Value) bool {
				found = true
				for _, one := range w.tests {
					found = found && one.holds(element)
				}
				return !found
			})
		}
		return !found
	})
	return found
}

func (e either) matches(document []byte) bool {
	for _, way := range e.ways {
		if all(way, document) {
			return true
		}
	}
	return false
}

func all(tests []test, document []byte) bool {
	for _, one := range tests {
		if !one.matches(document) {
			return false
		}
	}
	return true
}

// parseFilter reads a filter, $and flattened. What it does not know it refuses by name.
func parseFilter(document []byte) ([]test, error) {
	var tests []test
	var err error
	each(document, func(name []byte, v bsoncore.Value) bool {
		var parsed []test
		switch string(name) {
		case "$and":
			var parts [][]test
			if parts, err = parseFilters("$and", v); err == nil {
				for _, part := range parts {
					parsed = append(parsed, part...)
				}
			}
		case "$or":
			var parts [][]test
			parts, err = parseFilters("$or", v)
			parsed = []test{either{parts}}
		case "$comment":
		default:
			if name[0] == '$' {
				err = badValue("unknown top level operator: %s", name)
			} else {
				parsed, err = parseField(string(name), v)
			}
		}
		tests = append(tests, parsed...)
		return err == nil
	})
	return tests, err
}

func parseFilters(op string, v bsoncore.Value) ([][]test, error) {
	if v.Type != bsoncore.TypeArray {
		return nil, badValue("%s must be an array", op)
	}
	var parts [][]test
	var err error
	each(v.Data, func(_ []byte, element bsoncore.Value) bool {
		if element.Type != bsoncore.TypeEmbeddedDocument {
			err = badValue("%s entries need to be full objects", op)
			return false
		}
		var part []test
		part, err = parseFilter(element.Data)
		parts = append(parts, part)
		return err == nil
	})
	if err == nil && len(parts) == 0 {
		err = badValue("%s must be a nonempty array", op)
	}
	return parts, err
}

func parseField(name string, v bsoncore.Value) ([]test, error) {
	at, err := parsePath(name)
	if err != nil {
		return nil, err
	}
	if !hasOperators(v) {
		one, err := newComparison(at, "$eq", v)
		return []test{one}, err
	}
	var tests []test
	each(v.Data, func(op []byte, operand bsoncore.Value) bool {
		var one test
		one, err = parseOperator(at, string(op), operand)
		tests = append(tests, one)
		return err == nil
	})
	return tests, err
}

func parseOperator(at path, op string, operand bsoncore.Value) (test, error) {
	switch op {
	case "$eq", "$gt", "$gte", "$lt", "$lte":
		return newComparison(at, op, operand)
	case "$ne":
		_, err := newComparison(at, "$eq", operand)
		return unequal{at, operand}, err
	case "$in":
		return parseIn(at, operand)
	case "$exists":
		return exists{at, truth(operand)}, nil
	case "$elemMatch":
		return parseWithin(at, operand)
	}
	return nil, badValue("unknown operator: %s", op)
}

func newComparison(at path, op string, operand bsoncore.Value) (comparison, error) {
	if _, err := keyOf(operand); err != nil {
		return comparison{}, err
	}
	if operand.Type == bsoncore.TypeNull && op != "$eq" {
		return comparison{}, unsupported("%s with null is not known", op)
	}
	return comparison{at, op, operand}, nil
}

func parseIn(at path, operand bsoncore.Value) (test, error) {
	if operand.Type != bsoncore.TypeArray {
		return nil, badValue("$in needs an array")
	}
	in := oneOf{at, nil, map[string]bool{}}
	var err error
	each(operand.Data, func(_ []byte, v bsoncore.Value) bool {
		var key string
		if key, err = keyOf(v); err == nil && !in.keys[key] {
			in.keys[key] = true
			in.operands = append(in.operands, v)
		}
		return err == nil
	})
	return in, err
}

func parseWithin(at path, operand bsoncore.Value) (test, error) {
	if operand.Type != bsoncore.TypeEmbeddedDocument || !hasOperators(operand) {
		return nil, unsupported("$elemMatch is known with comparisons of the element itself only")
	}
	w := within{path: at}
	var err error
	each(operand.Data, func(op []byte, v bsoncore.Value) bool {
		var one test
		if one, err = parseOperator(at, string(op), v); err != nil {
			return false
		}
		compared, ok := one.(comparison)
		if !ok {
			err = unsupported("%s within $elemMatch is not known", op)
			return false
		}
		w.tests = append(w.tests, compared)
		return true
	})
	return w, err
}

func hasOperators(v bsoncore.Value) bool {
	found := false
	if v.Type == bsoncore.TypeEmbeddedDocument {
		each(v.Data, func(name []byte, _ bsoncore.Value) bool {
			found = len(name) > 0 && name[0] == '$'
			return false
		})
	}
	return found
}
