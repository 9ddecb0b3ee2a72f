module example.com/server

go 1.26.1

require github.com/spirostack/spirodeploy v0.0.0

require (
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	gopkg.in/macaroon.v2 v2.1.0 // indirect
)

// In a copy, without this line: go get github.com/spirostack/spirodeploy/spirodeploy@latest
replace github.com/spirostack/spirodeploy => ../../..
