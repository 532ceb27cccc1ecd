module hubbub/keda

go 1.25

require github.com/kedacore/keda/v2 v2.21.0
