package main

import (
	"sort"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// An interval of the keys of one field, in the order of the index: low <= key < high. A point is one value.
type interval struct {
	low, high string
	point     bool
}

var everything = []interval{{"", beyond, false}}

func isEverything(bounds []interval) bool {
	return len(bounds) == 1 && bounds[0] == everything[0]
}

func arePoints(bounds []interval) bool {
	for _, each := range bounds {
		if !each.point {
			return false
		}
	}
	return true
}

func pathOf(one test) path {
	switch t := one.(type) {
	case comparison:
		return t.path
	case oneOf:
		return t.path
	case unequal:
		return t.path
	case within:
		return t.path
	}
	return nil
}

// boundsOf is where the values are that may pass a test. It is never too little.
func boundsOf(one test, f *field) []interval {
	switch t := one.(type) {
	case comparison:
		if t.operand.Type != bsoncore.TypeArray { // an array has no key of its own
			return []interval{boundOf(t.op, t.operand, f.descends)}
		}
	case oneOf:
		found := make([]interval, 0, len(t.operands))
		for _, each := range t.operands {
			if each.Type == bsoncore.TypeArray {
				return everything
			}
			found = append(found, boundOf("$eq", each, f.descends))
		}
		return sorted(found)
	case unequal:
		if !f.many && t.operand.Type != bsoncore.TypeArray {
			point := boundOf("$eq", t.operand, f.descends)
			return []interval{{"", point.low, false}, {point.high, beyond, false}}
		}
	case within:
		found := everything
		for _, each := range t.tests {
			found = intersect(found, boundsOf(each, f))
		}
		return found
	}
	return everything
}

func boundOf(op string, operand bsoncore.Value, descends bool) interval {
	key, _ := appendKey(nil, operand)
	kind := key[0]
	after := op == "$gt" || op == "$lte"
	if descends {
		turned(key)
		kind = ^kind
		after = op == "$lt" || op == "$gte"
	}
	at := string(key)
	if op == "$eq" {
		return interval{at, at + beyond, true}
	}
	edge := at
	if after {
		edge = at + beyond
	}
	greater := op == "$gt" || op == "$gte"
	if greater != descends {
		return interval{edge, string([]byte{kind + 1}), false} // only values of the same kind are compared
	}
	return interval{string([]byte{kind}), edge, false}
}

func sorted(bounds []interval) []interval {
	sort.Slice(bounds, func(a, b int) bool { return bounds[a].low < bounds[b].low })
	return bounds
}

// intersect is what is in both; both are sorted.
func intersect(a, b []interval) []interval {
	var found []interval
	for len(a) > 0 && len(b) > 0 {
		low, high := max(a[0].low, b[0].low), min(a[0].high, b[0].high)
		if low < high {
			found = append(found, interval{low, high, a[0].point || b[0].point})
		}
		if a[0].high < b[0].high {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return found
}

// fieldBounds takes together what is asked of one field. Where a field holds arrays each test may be passed by another element, so
// only one of them (the one of this place) can bound it.
func fieldBounds(tests []test, f *field, chosen int) []interval {
	bounds, place := everything, 0
	for _, one := range tests {
		at := pathOf(one)
		if at == nil || at.String() != f.name {
			continue
		}
		if !f.many {
			bounds = intersect(bounds, boundsOf(one, f))
		} else if found := boundsOf(one, f); !isEverything(found) {
			if place == chosen {
				return found
			}
			place++
		}
	}
	return bounds
}

// choices is how many tests can bound a field that holds arrays.
func choices(tests []test, f *field) int {
	if !f.many {
		return 1
	}
	count := 0
	for _, one := range tests {
		if at := pathOf(one); at != nil && at.String() == f.name && !isEverything(boundsOf(one, f)) {
			count++
		}
	}
	return max(count, 1)
}
