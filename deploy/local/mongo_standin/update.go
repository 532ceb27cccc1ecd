package main

import (
	"bytes"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// An update says what becomes of members of a document, or what stands in its place.
type update struct {
	set, inserted map[string]bsoncore.Value
	unset         map[string]bool
	replacement   bsoncore.Document
}

func parseUpdate(v bsoncore.Value) (*update, error) {
	if v.Type != bsoncore.TypeEmbeddedDocument {
		return nil, unsupported("an update by %s is not known", v.Type)
	}
	u := &update{set: map[string]bsoncore.Value{}, inserted: map[string]bsoncore.Value{}, unset: map[string]bool{}}
	if !hasOperators(v) {
		u.replacement = v.Data
		return u, nil
	}
	known := map[string]bool{}
	var err error
	each(v.Data, func(op []byte, fields bsoncore.Value) bool {
		if fields.Type != bsoncore.TypeEmbeddedDocument {
			err = fail(9, "FailedToParse", "modifiers operate on fields")
			return false
		}
		each(fields.Data, func(name []byte, v bsoncore.Value) bool {
			text := string(name)
			switch {
			case strings.ContainsAny(text, ".$") || text == "":
				err = unsupported("an update of %q, which is not a member of the document itself, is not known", text)
			case known[text]:
				err = fail(40, "ConflictingUpdateOperators", "updating the path '"+text+"' would create a conflict at '"+text+"'")
			case string(op) == "$set":
				u.set[text] = v
			case string(op) == "$setOnInsert":
				u.inserted[text] = v
			case string(op) == "$unset":
				u.unset[text] = true
			default:
				err = fail(9, "FailedToParse", "unknown modifier: "+string(op))
			}
			known[text] = true
			return err == nil
		})
		return err == nil
	})
	return u, err
}

// apply gives the document as it is then.
func (u *update) apply(document bsoncore.Document) (bsoncore.Document, error) {
	id, _ := get(document, "_id")
	if u.replacement != nil {
		return u.replaced(id)
	}
	if other, there := u.set["_id"]; (there && compare(other, id) != 0) || u.unset["_id"] {
		return nil, immutable()
	}
	return edited(document, u.set, u.unset)
}

// replaced keeps the id.
func (u *update) replaced(id bsoncore.Value) (bsoncore.Document, error) {
	other, there := get(u.replacement, "_id")
	if there && id.Type != 0 && compare(other, id) != 0 {
		return nil, immutable()
	}
	if there || id.Type == 0 {
		return withID(u.replacement)
	}
	start, built := bsoncore.AppendDocumentStart(make([]byte, 0, len(u.replacement)+len(id.Data)+5))
	built = bsoncore.AppendValueElement(built, "_id", id)
	built = append(built, u.replacement[4:len(u.replacement)-1]...)
	return bsoncore.AppendDocumentEnd(built, start)
}

func immutable() error {
	return fail(66, "ImmutableField", "performing an update on the path '_id' would modify the immutable field '_id'")
}

// edited has members changed where they are, without those that go, and then those that are new, by name.
func edited(document []byte, set map[string]bsoncore.Value, unset map[string]bool) (bsoncore.Document, error) {
	start, built := bsoncore.AppendDocumentStart(make([]byte, 0, len(document)+256))
	changed := make(map[string]bool, len(set))
	each(document, func(name []byte, v bsoncore.Value) bool {
		if other, there := set[string(name)]; there {
			v, changed[string(name)] = other, true
		}
		if !unset[string(name)] {
			built = bsoncore.AppendValueElement(built, string(name), v)
		}
		return true
	})
	var added []string
	for name := range set {
		if !changed[name] {
			added = append(added, name)
		}
	}
	slices.Sort(added)
	for _, name := range added {
		built = bsoncore.AppendValueElement(built, name, set[name])
	}
	return bsoncore.AppendDocumentEnd(built, start)
}

// fresh is what an upsert inserts: what the filter asks to be equal, and the changes.
func (u *update) fresh(tests []test) (bsoncore.Document, error) {
	equal := map[string]bsoncore.Value{}
	for _, one := range tests {
		same, is := one.(comparison)
		if !is || same.op != "$eq" {
			continue
		}
		if len(same.path) > 1 {
			return nil, unsupported("an upsert by %q, which is not a member of the document itself, is not known", same.path)
		}
		equal[same.path[0]] = same.operand
	}
	if u.replacement != nil {
		return u.replaced(equal["_id"])
	}
	for name, v := range u.set {
		equal[name] = v
	}
	for name, v := range u.inserted {
		equal[name] = v
	}
	empty := []byte{5, 0, 0, 0, 0}
	built, err := edited(empty, equal, u.unset)
	if err != nil {
		return nil, err
	}
	return withID(built)
}

// updated changes one record; it tells whether anything is different then.
func (c *collection) updated(one *record, u *update) (bool, error) {
	document, err := u.apply(one.document)
	if err != nil || bytes.Equal(document, one.document) {
		return false, err
	}
	return true, c.put(one, document)
}
