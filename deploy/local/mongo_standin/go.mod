module hubbub/mongostandin

go 1.24

require (
	github.com/tidwall/btree v1.8.1
	go.mongodb.org/mongo-driver/v2 v2.4.0
)
