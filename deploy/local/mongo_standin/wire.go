package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
const (
	opReply    = 1
	opQuery    = 2004
	opMessage  = 2013
	headerSize = 16
	largest    = 48_000_000

	checksumPresent = 1 << 0
	moreToCome      = 1 << 1
	requiredFlags   = 0xFFFF // of these an unknown one is an error
)

// A command as it came: its body, and documents that came beside it under a name.
type command struct {
	name     string
	database string
	body     bsoncore.Document
	beside   map[string][]bsoncore.Document
	isSilent bool // nobody waits for an answer
	notes    [][]byte
}

// serve answers a client until it hangs up.
func (s *server) serve(client net.Conn) {
	defer client.Close()
	for {
		header := make([]byte, headerSize)
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		size := int(binary.LittleEndian.Uint32(header))
		if size < headerSize || size > largest {
			return
		}
		content := make([]byte, size-headerSize)
		if _, err := io.ReadFull(client, content); err != nil {
			return
		}
		answer, err := s.answer(header, content)
		if err != nil {
			s.say("a message that cannot be read: %v", err)
			return
		}
		if answer == nil {
			continue
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (s *server) answer(header, content []byte) ([]byte, error) {
	id := binary.LittleEndian.Uint32(header[4:])
	switch code := binary.LittleEndian.Uint32(header[12:]); code {
	case opMessage:
		asked, err := readMessage(content)
		if err != nil {
			return nil, err
		}
		answered := s.do(asked)
		if asked.isSilent {
			return nil, nil
		}
		built := frame(id, opMessage)
		built = append(built, 0, 0, 0, 0, 0) // no flags; a body follows
		return sized(append(built, answered...)), nil
	case opQuery:
		asked, err := readQuery(content)
		if err != nil {
			return nil, err
		}
		built := frame(id, opReply)
		built = append(built, 8, 0, 0, 0)          // AwaitCapable
		built = append(built, make([]byte, 12)...) // no cursor, from the first
		built = append(built, 1, 0, 0, 0)          // one document
		return sized(append(built, s.do(asked)...)), nil
	default:
		return nil, fmt.Errorf("operation %d is not known", code)
	}
}

func frame(to uint32, code uint32) []byte {
	built := make([]byte, headerSize, 512)
	binary.LittleEndian.PutUint32(built[8:], to)
	binary.LittleEndian.PutUint32(built[12:], code)
	return built
}

func sized(built []byte) []byte {
	binary.LittleEndian.PutUint32(built, uint32(len(built)))
	return built
}

var errShort = errors.New("it ends too early")

func readMessage(content []byte) (*command, error) {
	if len(content) < 5 {
		return nil, errShort
	}
	flags := binary.LittleEndian.Uint32(content)
	if unknown := flags & requiredFlags &^ (checksumPresent | moreToCome); unknown != 0 {
		return nil, fmt.Errorf("flags %x are not known", unknown)
	}
	rest := content[4:]
	if flags&checksumPresent != 0 {
		if len(rest) < 4 {
			return nil, errShort
		}
		rest = rest[:len(rest)-4]
	}
	asked := &command{beside: map[string][]bsoncore.Document{}, isSilent: flags&moreToCome != 0}
	for len(rest) > 0 {
		kind := rest[0]
		rest = rest[1:]
		var ok bool
		switch kind {
		case 0:
			if asked.body, rest, ok = bsoncore.ReadDocument(rest); !ok {
				return nil, errShort
			}
		case 1:
			size, _, ok := bsoncore.ReadLength(rest)
			if !ok || int(size) > len(rest) || size < 5 {
				return nil, errShort
			}
			if err := asked.readBeside(rest[4:size]); err != nil {
				return nil, err
			}
			rest = rest[size:]
		default:
			return nil, fmt.Errorf("a section of kind %d is not known", kind)
		}
	}
	return asked, asked.open("")
}

func (a *command) readBeside(section []byte) error {
	end := bytes.IndexByte(section, 0)
	if end < 0 {
		return errShort
	}
	name, rest := string(section[:end]), section[end+1:]
	for len(rest) > 0 {
		document, after, ok := bsoncore.ReadDocument(rest)
		if !ok {
			return errShort
		}
		if err := document.Validate(); err != nil {
			return err
		}
		a.beside[name] = append(a.beside[name], document)
		rest = after
	}
	return nil
}

// readQuery: drivers ask by it who the server is, before they know what it speaks.
func readQuery(content []byte) (*command, error) {
	if len(content) < 5 {
		return nil, errShort
	}
	end := bytes.IndexByte(content[4:], 0) + 4
	if end < 4 || len(content) < end+9 {
		return nil, errShort
	}
	database, _, ok := bytes.Cut(content[4:end], []byte(".$cmd"))
	if !ok {
		return nil, errors.New("a query by an old message is not known")
	}
	body, _, ok := bsoncore.ReadDocument(content[end+9:])
	if !ok {
		return nil, errShort
	}
	asked := &command{body: body}
	return asked, asked.open(string(database))
}

// open reads the name of the command and the database.
func (a *command) open(database string) error {
	if len(a.body) == 0 {
		return errShort
	}
	if err := a.body.Validate(); err != nil {
		return err
	}
	each(a.body, func(name []byte, _ bsoncore.Value) bool {
		a.name = string(name)
		return false
	})
	a.database = database
	if v, there := get(a.body, "$db"); there {
		a.database, _ = v.StringValueOK()
	}
	return nil
}

func marshalled(answer bson.D) []byte {
	built, err := bson.Marshal(answer)
	if err != nil {
		panic(err) // only ours are marshalled
	}
	return built
}
