package main

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Of one index no more ranges are read than this, and no more of them merged for an order (MongoDB's
// internalQueryMaxScansToExplode).
const (
	mostSpans  = 10_000
	mostMerged = 200
)

// A query asks for records that pass all tests, in an order. `needs`: the members that are read of each; nil: all.
type query struct {
	tests []test
	order []*field
	needs map[string]bool
	want  int // so many are asked for; 0: all
}

// A span of keys: low <= key < high. `cut`: so many bytes are the same in all of its group.
type span struct {
	low, high string
	cut       int
}

// A way is how one index may be read for a query.
type way struct {
	index    *index
	groups   [][]span // each in order; those of several are merged
	backward bool
	ordered  bool // what it gives is in the order of the query
	bounded  int  // fields whose keys are bounded
	skip     *skipping
}

// ways are those of all indexes that bound what is read, or give the order.
func (c *collection) ways(q query) []*way {
	var found []*way
	for _, index := range c.indexes {
		first := index.fields[0]
		for chosen := range choices(q.tests, first) {
			if one := newWay(index, q, chosen); one.bounded > 0 || (one.ordered && len(q.order) > 0) {
				found = append(found, one)
				if index == c.indexes[0] && one.isPoint() {
					return []*way{one}
				}
			}
		}
	}
	return found
}

// isPoint: one value of one field.
func (w *way) isPoint() bool {
	return len(w.groups) == 1 && len(w.groups[0]) == 1 && w.groups[0][0].low+beyond == w.groups[0][0].high
}

func newWay(index *index, q query, chosen int) *way {
	w := &way{index: index}
	bounds := make([][]interval, len(index.fields))
	for place, f := range index.fields {
		if place > 0 {
			chosen = 0
		}
		bounds[place] = fieldBounds(q.tests, f, chosen)
	}
	cut, backward, ordered := orderOf(index, bounds, q.order)
	w.backward = backward
	w.spread(bounds, cut)
	w.ordered = ordered && len(w.groups) <= mostMerged
	if !w.ordered && len(w.groups) > 1 {
		w.spread(bounds, 0)
	}
	return w
}

// orderOf: whether reading the index gives the order, backward or not, once the fields before `cut` are one value each.
func orderOf(index *index, bounds [][]interval, order []*field) (cut int, backward, ordered bool) {
	fixed := map[string]bool{}
	for place, f := range index.fields {
		if !f.many && len(bounds[place]) == 1 && bounds[place][0].point {
			fixed[f.name] = true
		}
	}
	var wanted []*field
	for _, f := range order {
		if !fixed[f.name] {
			wanted = append(wanted, f)
		}
	}
	cut = -1
	for place, f := range index.fields {
		if len(wanted) == 0 {
			break
		}
		if !f.many && f.name == wanted[0].name {
			turn := f.descends != wanted[0].descends
			if cut < 0 {
				cut, backward = place, turn
			} else if turn != backward {
				return 0, false, false
			}
			wanted = wanted[1:]
			continue
		}
		single := len(bounds[place]) <= 1
		if !arePoints(bounds[place]) || (!single && cut >= 0) {
			return 0, false, false
		}
	}
	return max(cut, 0), backward, len(wanted) == 0
}

// spread makes spans of the bounds: a prefix for each value of the leading fields, then the range of the next.
func (w *way) spread(bounds [][]interval, cut int) {
	type prefix struct {
		key   string
		group int
		cut   int
	}
	prefixes := []prefix{{"", 0, 0}}
	w.groups, w.bounded = nil, 0
	groups := 1
	end := func(each prefix, low, high string) {
		for len(w.groups) < groups {
			w.groups = append(w.groups, nil)
		}
		w.groups[each.group] = append(w.groups[each.group], span{each.key + low, each.key + high, each.cut})
	}
	for place := range w.index.fields {
		if place == cut {
			groups = len(prefixes)
			for n := range prefixes {
				prefixes[n].group, prefixes[n].cut = n, len(prefixes[n].key)
			}
		}
		one := bounds[place]
		if !isEverything(one) {
			w.bounded++
		}
		if !arePoints(one) || len(one)*len(prefixes) > mostSpans {
			for _, each := range prefixes {
				for _, range_ := range one {
					end(each, range_.low, range_.high)
				}
			}
			w.skips(bounds, place+1)
			return
		}
		grown := make([]prefix, 0, len(one)*len(prefixes))
		for _, each := range prefixes {
			for _, point := range one {
				grown = append(grown, prefix{each.key + point.low, each.group, each.cut})
			}
		}
		prefixes = grown
	}
	for _, each := range prefixes {
		end(each, "", beyond)
	}
}

// names of the fields whose tests can be made on keys: no arrays there.
func (i *index) keyed() map[string]bool {
	names := map[string]bool{}
	for _, f := range i.fields {
		if !f.many {
			names[f.name] = true
		}
	}
	return names
}

// isExact: the bounds of the field let through what passes the test, and nothing else.
func (i *index) isExact(one test) bool {
	at := pathOf(one)
	for _, f := range i.fields {
		if at != nil && f.name == at.String() {
			return !f.many && !isEverything(boundsOf(one, f))
		}
	}
	return false
}

// onKeys: a key tells whether the test passes. It does not tell null from nothing.
func onKeys(one test, keyed map[string]bool) bool {
	switch t := one.(type) {
	case comparison:
		return keyed[t.path.String()] && t.operand.Type != bsoncore.TypeNull
	case oneOf:
		for _, each := range t.operands {
			if each.Type == bsoncore.TypeNull {
				return false
			}
		}
		return keyed[t.path.String()]
	case unequal:
		return keyed[t.path.String()]
	}
	return false
}
