package main

import (
	"encoding/binary"
)

// A skipping scan passes over keys that cannot be meant: where a later field is bounded and one before it is not, it seeks the next
// key that may fit, as MongoDB does.
type skipping struct {
	fields []*field
	first  int          // of the fields that are looked at
	bounds [][]interval // of it and those after it
}

func (w *way) skips(bounds [][]interval, first int) {
	w.skip = nil
	for place := first; place < len(bounds); place++ {
		if !isEverything(bounds[place]) {
			w.skip = &skipping{w.index.fields, first, bounds[first:]}
			w.bounded++
		}
	}
}

// target is where to seek for the next key that may fit; false when this one does.
func (s *skipping) target(key string, backward bool) (string, bool) {
	at := 0
	for place, f := range s.fields {
		end, known := part(key, at, f.descends)
		if !known {
			return "", false // not told: the tests are made on the document
		}
		if place >= s.first {
			if to, away := away(key[at:end], s.bounds[place-s.first], backward); away {
				return key[:at] + to, true
			}
		}
		at = end
	}
	return "", false
}

// away: the edge of the next interval, where a part lies in none.
func away(part string, bounds []interval, backward bool) (string, bool) {
	for _, each := range bounds {
		if each.low <= part && part < each.high {
			return "", false
		}
	}
	if backward {
		to := ""
		for _, each := range bounds {
			if each.high <= part {
				to = each.high
			}
		}
		return to, true
	}
	for _, each := range bounds {
		if each.low > part {
			return each.low, true
		}
	}
	return beyond, true
}

// part is where the key of one value ends that begins here. Of documents and arrays it is not told.
func part(key string, at int, descends bool) (int, bool) {
	turn := byte(0)
	if descends {
		turn = 0xFF
	}
	if at >= len(key) {
		return 0, false
	}
	at++
	switch key[at-1] ^ turn {
	case kindMin, kindNothing, kindNull, kindMax:
		return at, true
	case kindNumber:
		return at + 10, true
	case kindString:
		for ; at+1 < len(key); at++ {
			if key[at]^turn == 0 {
				if key[at+1]^turn == 1 {
					return at + 2, true
				}
				at++
			}
		}
	case kindBinary:
		if at+5 <= len(key) {
			size := binary.BigEndian.Uint32([]byte(key[at : at+4]))
			if descends {
				size = ^size
			}
			return at + 5 + int(size), true
		}
	case kindObjectID:
		return at + 12, true
	case kindBoolean:
		return at + 1, true
	case kindDate, kindTimestamp:
		return at + 8, true
	}
	return 0, false
}
