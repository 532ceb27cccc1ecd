package main

import (
	"sort"

	"github.com/tidwall/btree"
)

// A stage gives records one by one. Each step is one unit of work, whether it gives one or not.
type stage interface {
	step() (*record, state)
}

type state int

const (
	advanced state = iota
	working
	ended
)

// counted is what was looked at.
type counted struct {
	keys, documents int
}

// scan reads spans of an index: groups side by side in the order of what follows their common beginning.
type scan struct {
	way   *way
	heads []*head
	seen  map[*record]bool
	count *counted
}

type head struct {
	spans  []span
	iter   btree.IterG[entry]
	skip   *skipping
	count  *counted
	inside bool
	at     entry
	rest   string // of the key, after what is common
}

func newScan(w *way, count *counted) *scan {
	s := &scan{way: w, count: count}
	if w.index.isMany() {
		s.seen = map[*record]bool{}
	}
	for _, group := range w.groups {
		h := &head{spans: group, iter: w.index.tree.Iter(), skip: w.skip, count: count}
		if h.next(w.backward) {
			s.heads = append(s.heads, h)
		}
	}
	return s
}

func (s *scan) step() (*record, state) {
	if len(s.heads) == 0 {
		return nil, ended
	}
	first := 0
	for n := 1; n < len(s.heads); n++ {
		if less := s.heads[n].rest < s.heads[first].rest; less != s.way.backward && s.heads[n].rest != s.heads[first].rest {
			first = n
		}
	}
	found := s.heads[first].at.record
	s.count.keys++
	if !s.heads[first].next(s.way.backward) {
		s.heads = append(s.heads[:first], s.heads[first+1:]...)
	}
	if s.seen != nil {
		if s.seen[found] {
			return nil, working
		}
		s.seen[found] = true
	}
	return found, advanced
}

// next goes to the next key of the spans; false when there is none.
func (h *head) next(backward bool) bool {
	for len(h.spans) > 0 {
		at := h.spans[0]
		if backward {
			at = h.spans[len(h.spans)-1]
		}
		var there bool
		switch {
		case h.inside && backward:
			there = h.iter.Prev()
		case h.inside:
			there = h.iter.Next()
		case backward:
			there = h.seek(at.high, backward)
		default:
			there = h.seek(at.low, backward)
		}
		if there {
			h.at = h.iter.Item()
			for at.low <= h.at.key && h.at.key < at.high {
				to, isAway := "", false
				if h.skip != nil {
					to, isAway = h.skip.target(h.at.key, backward)
				}
				if !isAway {
					h.inside, h.rest = true, h.at.key[at.cut:]
					return true
				}
				h.count.keys++
				if !h.seek(to, backward) {
					break
				}
				h.at = h.iter.Item()
			}
		}
		h.inside = false
		if backward {
			h.spans = h.spans[:len(h.spans)-1]
		} else {
			h.spans = h.spans[1:]
		}
	}
	return false
}

// seek goes to the first key from here on, or to the last before it.
func (h *head) seek(key string, backward bool) bool {
	there := h.iter.Seek(entry{key, nowhere})
	switch {
	case !backward:
		return there
	case there:
		return h.iter.Prev()
	}
	return h.iter.Last()
}

var nowhere = &record{}

// fetch makes the tests: on the key what a key tells, then on the document.
type fetch struct {
	from     stage
	keyed    []test
	tests    []test
	isNeeded bool // the document, even if it passes by its key
	count    *counted
}

func (f *fetch) step() (*record, state) {
	found, state := f.from.step()
	if state != advanced {
		return nil, state
	}
	if !all(f.keyed, found.document) {
		return nil, working
	}
	if f.isNeeded || len(f.tests) > 0 {
		f.count.documents++
	}
	if !all(f.tests, found.document) {
		return nil, working
	}
	return found, advanced
}

// inOrder reads all that comes and sorts it.
type inOrder struct {
	from  stage
	order []*field
	found []sortable
	ready bool
}

type sortable struct {
	key    string
	record *record
}

func (o *inOrder) step() (*record, state) {
	if !o.ready {
		found, state := o.from.step()
		switch state {
		case advanced:
			o.found = append(o.found, sortable{sortKey(found.document, o.order), found})
		case ended:
			sort.SliceStable(o.found, func(a, b int) bool { return o.found[a].key < o.found[b].key })
			o.ready = true
		}
		return nil, working
	}
	if len(o.found) == 0 {
		return nil, ended
	}
	first := o.found[0].record
	o.found = o.found[1:]
	return first, advanced
}

// sortKey: of an array its least element counts going up and its greatest going down.
func sortKey(document []byte, order []*field) string {
	var key []byte
	for _, f := range order {
		parts, _, err := f.keys(document)
		if err != nil || len(parts) == 0 {
			continue
		}
		least := parts[0]
		for _, part := range parts[1:] {
			if string(part) < string(least) {
				least = part
			}
		}
		key = append(key, least...)
	}
	return string(key)
}

// union is what any of several stages gives, each record once; side by side in their order if they have one.
type union struct {
	from  []stage
	order []*field
	heads []sortable
	seen  map[*record]bool
}

func (u *union) step() (*record, state) {
	for n := 0; n < len(u.from); n++ {
		if u.heads[n].record != nil {
			continue
		}
		found, state := u.from[n].step()
		switch state {
		case working:
			return nil, working
		case advanced:
			u.heads[n] = sortable{sortKey(found.document, u.order), found}
		case ended:
			u.from = append(u.from[:n], u.from[n+1:]...)
			u.heads = append(u.heads[:n], u.heads[n+1:]...)
			n--
		}
	}
	if len(u.from) == 0 {
		return nil, ended
	}
	first := 0
	for n := 1; n < len(u.heads); n++ {
		if u.heads[n].key < u.heads[first].key {
			first = n
		}
	}
	found := u.heads[first].record
	u.heads[first] = sortable{}
	if u.seen[found] {
		return nil, working
	}
	u.seen[found] = true
	return found, advanced
}
