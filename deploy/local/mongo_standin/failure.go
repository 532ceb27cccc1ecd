package main

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A failure of a command, with the code that drivers know it by, see
// https://www.mongodb.com/docs/manual/reference/error-codes/
type failure struct {
	code int32
	name string
	told string
	more bson.D
}

func (f *failure) Error() string {
	return f.told
}

func fail(code int32, name, told string) error {
	return &failure{code, name, told, nil}
}

func badValue(format string, values ...any) error {
	return fail(2, "BadValue", fmt.Sprintf(format, values...))
}

// unsupported is what MongoDB knows and this stand-in does not.
func unsupported(format string, values ...any) error {
	return fail(238, "NotImplemented", "stand-in of MongoDB: "+fmt.Sprintf(format, values...))
}

func asFailure(err error) *failure {
	if known, ok := err.(*failure); ok {
		return known
	}
	return &failure{1, "InternalError", err.Error(), nil}
}
