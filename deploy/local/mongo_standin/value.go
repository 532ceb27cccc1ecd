package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A value's key is a text of bytes that sorts as MongoDB sorts the value, see
// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
// No key is the beginning of another, so keys of several values can stand one after the other. Each begins with its kind.
const (
	kindMin       = 0x10
	kindNothing   = 0x18 // in an index: an array that is empty
	kindNull      = 0x20
	kindNumber    = 0x30
	kindString    = 0x40
	kindDocument  = 0x50
	kindArray     = 0x60
	kindBinary    = 0x70
	kindObjectID  = 0x80
	kindBoolean   = 0x90
	kindDate      = 0xA0
	kindTimestamp = 0xB0
	kindMax       = 0xD0
)

// beyond follows a whole key: no kind is as great, upside down neither.
const beyond = "\xFF"

var kinds = map[bsoncore.Type]byte{
	bsoncore.TypeMinKey: kindMin, bsoncore.TypeUndefined: kindNothing, bsoncore.TypeNull: kindNull,
	bsoncore.TypeInt32: kindNumber, bsoncore.TypeInt64: kindNumber, bsoncore.TypeDouble: kindNumber,
	bsoncore.TypeString: kindString, bsoncore.TypeSymbol: kindString,
	bsoncore.TypeEmbeddedDocument: kindDocument, bsoncore.TypeArray: kindArray,
	bsoncore.TypeBinary: kindBinary, bsoncore.TypeObjectID: kindObjectID, bsoncore.TypeBoolean: kindBoolean,
	bsoncore.TypeDateTime: kindDate, bsoncore.TypeTimestamp: kindTimestamp, bsoncore.TypeMaxKey: kindMax,
}

var null = bsoncore.Value{Type: bsoncore.TypeNull}

// appendKey adds the key of a value.
func appendKey(to []byte, v bsoncore.Value) ([]byte, error) {
	kind, known := kinds[v.Type]
	if !known {
		return nil, unsupported("a value of BSON type %s cannot be compared", v.Type)
	}
	return appendContent(append(to, kind), v)
}

func appendContent(to []byte, v bsoncore.Value) ([]byte, error) {
	switch v.Type {
	case bsoncore.TypeInt32:
		return appendInteger(to, int64(v.Int32())), nil
	case bsoncore.TypeInt64:
		return appendInteger(to, v.Int64()), nil
	case bsoncore.TypeDouble:
		return appendNumber(to, v.Double(), 0), nil
	case bsoncore.TypeString, bsoncore.TypeSymbol:
		return appendText(to, v.Data[4:len(v.Data)-1]), nil
	case bsoncore.TypeBinary:
		subtype, content := v.Binary()
		to = binary.BigEndian.AppendUint32(to, uint32(len(content)))
		return append(append(to, subtype), content...), nil
	case bsoncore.TypeObjectID, bsoncore.TypeBoolean:
		return append(to, v.Data...), nil
	case bsoncore.TypeDateTime:
		return binary.BigEndian.AppendUint64(to, uint64(v.DateTime())^(1<<63)), nil
	case bsoncore.TypeTimestamp:
		t, i := v.Timestamp()
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(to, t), i), nil
	case bsoncore.TypeEmbeddedDocument:
		return appendMembers(to, v.Data, true)
	case bsoncore.TypeArray:
		return appendMembers(to, v.Data, false)
	}
	return to, nil // null, the least and the greatest are their kind alone
}

// appendMembers: of two documents the kinds of the first members are compared, then their names, then their values, then the next.
func appendMembers(to []byte, members []byte, named bool) ([]byte, error) {
	var err error
	each(members, func(name []byte, v bsoncore.Value) bool {
		kind, known := kinds[v.Type]
		if !known {
			err = unsupported("a value of BSON type %s cannot be compared", v.Type)
			return false
		}
		to = append(to, kind)
		if named {
			to = appendText(to, name)
		}
		to, err = appendContent(to, v)
		return err == nil
	})
	return append(to, 0), err
}

// appendText ends with 0 1 and has each 0 as 0 255, so that a text goes before those that begin with it.
func appendText(to, text []byte) []byte {
	for {
		zero := bytes.IndexByte(text, 0)
		if zero < 0 {
			return append(append(to, text...), 0, 1)
		}
		to = append(append(to, text[:zero]...), 0, 0xFF)
		text = text[zero+1:]
	}
}

// appendInteger: the nearest double, then how far the integer is from it. Rounding keeps the order.
func appendInteger(to []byte, number int64) []byte {
	near := float64(number)
	if near == 1<<63 {
		return appendNumber(to, near, int16(uint64(number)-1<<63))
	}
	return appendNumber(to, near, int16(number-int64(near)))
}

func appendNumber(to []byte, number float64, rest int16) []byte {
	bits := math.Float64bits(number)
	switch {
	case number == 0:
		bits = 1 << 63 // -0 too
	case math.IsNaN(number):
		bits = 0 // before all
	case number < 0:
		bits = ^bits
	default:
		bits |= 1 << 63
	}
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(to, bits), uint16(rest)^(1<<15))
}

func keyOf(v bsoncore.Value) (string, error) {
	key, err := appendKey(nil, v)
	return string(key), err
}

// turned is the key in an index that descends.
func turned(key []byte) {
	for place := range key {
		key[place] = ^key[place]
	}
}

// compare sorts two values that have keys.
func compare(a, b bsoncore.Value) int {
	if a.Type == bsoncore.TypeString && b.Type == bsoncore.TypeString {
		return bytes.Compare(a.Data[4:], b.Data[4:])
	}
	var first, second [64]byte
	x, err := appendKey(first[:0], a)
	if err != nil {
		return -1
	}
	y, err := appendKey(second[:0], b)
	if err != nil {
		return 1
	}
	return bytes.Compare(x, y)
}

func isNumber(t bsoncore.Type) bool {
	return kinds[t] == kindNumber
}

// integer reads a number of a command: limits, sizes, directions.
func integer(v bsoncore.Value) (int64, error) {
	switch v.Type {
	case bsoncore.TypeInt32:
		return int64(v.Int32()), nil
	case bsoncore.TypeInt64:
		return v.Int64(), nil
	case bsoncore.TypeDouble:
		if number := v.Double(); number == math.Trunc(number) && math.Abs(number) < 1<<53 {
			return int64(number), nil
		}
	}
	return 0, badValue("%s is no integer", v.Type)
}

// truth reads a flag: true, or a number that is not 0.
func truth(v bsoncore.Value) bool {
	if v.Type == bsoncore.TypeBoolean {
		return v.Boolean()
	}
	number, err := integer(v)
	return err == nil && number != 0
}

func textOf(v bsoncore.Value) (string, error) {
	text, ok := v.StringValueOK()
	if !ok {
		return "", fail(14, "TypeMismatch", fmt.Sprintf("%s is no text", v.Type))
	}
	return text, nil
}
