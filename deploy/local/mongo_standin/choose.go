package main

import (
	"fmt"
	"strings"
)

// A candidate is a whole plan for a query, and what it has found so far.
type candidate struct {
	stage   stage
	count   *counted
	summary string // as MongoDB's profiler tells it
	sorts   bool   // it reads all before it gives the first
	fetches bool   // it looks at documents, not at keys alone
	bounded int
	works   int
	found   []*record
	ended   bool
}

const (
	// least decides between plans that did as much: MongoDB prefers those without a sort, and those that need no document.
	least = 0.0001

	trialResults = 101
	trialWorks   = 10_000
)

// run answers a query by the plan that does best in a trial, as MongoDB chooses: it gives the most for its work until one
// has enough, https://www.mongodb.com/docs/manual/core/query-plans/
func (c *collection) run(q query) ([]*record, *candidate) {
	best := c.choose(q)
	for !best.ended && (q.want == 0 || len(best.found) < q.want) {
		best.work()
	}
	if q.want > 0 && len(best.found) > q.want {
		best.found = best.found[:q.want]
	}
	return best.found, best
}

func (c *collection) choose(q query) *candidate {
	tried := c.candidates(q)
	if len(tried) == 1 {
		return tried[0]
	}
	enough := trialResults
	if q.want > 0 {
		enough = min(enough, q.want)
	}
	for range trialWorks {
		for _, one := range tried {
			one.work()
			if one.ended || len(one.found) >= enough {
				return best(tried)
			}
		}
	}
	return best(tried)
}

func best(tried []*candidate) *candidate {
	first := tried[0]
	for _, one := range tried[1:] {
		if one.score() > first.score() {
			first = one
		}
	}
	return first
}

func (c *candidate) score() float64 {
	score := float64(len(c.found)) / float64(max(c.works, 1))
	if c.ended {
		score++
	}
	if !c.sorts {
		score += least
	}
	if !c.fetches {
		score += least
	}
	return score
}

func (c *candidate) work() {
	found, state := c.stage.step()
	c.works++
	switch state {
	case advanced:
		c.found = append(c.found, found)
	case ended:
		c.ended = true
	}
}

// candidates: each index that helps, and each $or whose ways all have an index. Else everything is read.
func (c *collection) candidates(q query) []*candidate {
	var found []*candidate
	ways := c.ways(q)
	for _, way := range ways {
		found = append(found, fromIndex(way, q))
	}
	if len(ways) != 1 || !ways[0].isPoint() {
		for place, one := range q.tests {
			if or, is := one.(either); is {
				if plan := c.fromEach(or, place, q); plan != nil {
					found = append(found, plan)
				}
			}
		}
	}
	if len(found) == 0 {
		found = append(found, c.fromAll(q))
	}
	return found
}

func fromIndex(w *way, q query) *candidate {
	count := &counted{}
	from := &fetch{from: newScan(w, count), count: count}
	keyed := w.index.keyed()
	for _, one := range q.tests {
		if onKeys(one, keyed) {
			if w.skip != nil || !w.index.isExact(one) {
				from.keyed = append(from.keyed, one)
			}
		} else {
			from.tests = append(from.tests, one)
		}
	}
	from.isNeeded = q.needs == nil
	for name := range q.needs {
		from.isNeeded = from.isNeeded || !keyed[name]
	}
	var names []string
	for _, f := range w.index.fields {
		direction := 1
		if f.descends {
			direction = -1
		}
		names = append(names, fmt.Sprintf("%s: %d", f.name, direction))
	}
	summary := "IXSCAN { " + strings.Join(names, ", ") + " }"
	fetches := from.isNeeded || len(from.tests) > 0
	made := &candidate{stage: from, count: count, summary: summary, bounded: w.bounded, fetches: fetches}
	return made.inOrder(q, w.ordered)
}

func (c *candidate) inOrder(q query, ordered bool) *candidate {
	if len(q.order) > 0 && !ordered {
		c.stage, c.sorts = &inOrder{from: c.stage, order: q.order}, true
	}
	return c
}

func (c *collection) fromAll(q query) *candidate {
	count := &counted{}
	all := &way{index: c.indexes[0], groups: [][]span{{{"", beyond, 0}}}}
	made := &candidate{stage: &fetch{newScan(all, &counted{}), nil, q.tests, true, count}, count: count, summary: "COLLSCAN", fetches: true}
	return made.inOrder(q, false)
}

// fromEach reads each way of an $or by an index of its own, together with what is asked beside the $or.
func (c *collection) fromEach(or either, place int, q query) *candidate {
	beside := append(append([]test{}, q.tests[:place]...), q.tests[place+1:]...)
	count := &counted{}
	var stages []stage
	var summaries []string
	ordered := true
	for _, tests := range or.ways {
		part := c.firmest(query{append(append([]test{}, beside...), tests...), q.order, q.needs, 0})
		if part == nil {
			return nil
		}
		ordered = ordered && !part.sorts
		part.count.into(count)
		stages = append(stages, &adding{part.stage, part.count, count})
		summaries = append(summaries, part.summary)
	}
	from := &union{from: stages, order: q.order, heads: make([]sortable, len(stages)), seen: map[*record]bool{}}
	made := &candidate{stage: from, count: count, summary: strings.Join(summaries, ", "), sorts: !ordered, bounded: 1, fetches: true}
	return made
}

// firmest is the plan of the most bounded fields, best one that needs no sorting.
func (c *collection) firmest(q query) *candidate {
	var first *candidate
	for _, one := range c.candidates(q) {
		if one.bounded == 0 {
			continue
		}
		if first == nil || (first.sorts && !one.sorts) || (first.sorts == one.sorts && one.bounded > first.bounded) {
			first = one
		}
	}
	return first
}

// adding counts what a part looks at for the whole.
type adding struct {
	stage
	part, whole *counted
}

func (a *adding) step() (*record, state) {
	found, state := a.stage.step()
	a.part.into(a.whole)
	return found, state
}

// into moves what was counted.
func (c *counted) into(whole *counted) {
	whole.keys += c.keys
	whole.documents += c.documents
	*c = counted{}
}
