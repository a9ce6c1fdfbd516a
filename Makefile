# Everything a laptop and the checks of a change do, by one name each. `make help` lists them.
MODULES  := cmd deploy pkg services/collector services/grouper services/importer
BIN      := $(CURDIR)/.bin
FUZZTIME ?= 20s
export GOTOOLCHAIN := local

.PHONY: help statements demo test short lint fuzz loadtest bench tidy check build setup tools alone contract-servicebus contract-graph

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-22s %s\n", $$1, $$2}'

demo: ## one OEM file from the door to ready, in one process, against the simulator
	go run ./cmd/taxiway demo

setup: ## install what the tests need and this machine lacks (PostgreSQL; Debian)
	@sh tools/setup.sh

# checkptr instruments pointer arithmetic; in SQLite's translated C it costs more than the race detector itself.
RACE := -race -gcflags='modernc.org/...=-d=checkptr=0'

# No cached results: what a test reads outside of its module (docs, sources, other modules) is unknown to the cache.
test: setup ## all tests of all modules with the race detector
	go test $(RACE) -count=1 -timeout 60m work

short: setup ## all tests, without the race detector and the long runs
	go test -short -timeout 60m work

build: ## all binaries, each module on its own versions, into .bin/
	@for m in $(MODULES); do (cd $$m && GOWORK=off go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./... | \
	  xargs -r env GOWORK=off CGO_ENABLED=0 GOBIN=$(BIN) go install -trimpath -ldflags='-s -w') || exit 1; done

tools: ## the pinned developer tools, into .bin/
	cd tools && GOWORK=off GOBIN=$(BIN) go install tool

lint: tools ## gofumpt, go vet, golangci-lint in every module
	@test -z "$$($(BIN)/gofumpt -l $(MODULES))" || { echo 'not gofumpt-ed:'; $(BIN)/gofumpt -l $(MODULES); exit 1; }
	go vet work
	$(BIN)/golangci-lint run $$(go list -m -f '{{.Dir}}/...')

fuzz: ## each fuzz target for FUZZTIME (default 20s)
	@sh tools/fuzz.sh $(FUZZTIME)

loadtest: setup ## all tests, twice at once, on a machine kept busy by 16 loops: half an hour
	@sh tools/loadtest.sh

bench: ## benchmarks beside their floors; the ratios are what counts
	go test -run '^$$' -bench . -benchmem -timeout 30m work

tidy: ## go.mod and go.sum of every module
	go work sync
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy) || exit 1; done

alone: ## each module builds, vets and is tidy without the workspace
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy -diff && GOWORK=off go build ./... && GOWORK=off go vet ./...) || exit 1; done

contract-servicebus: ## the broker suite against SERVICEBUS_CONNECTION_STRING, or the simulator when it is not set
	go test -count=1 -v -run 'TestContract' ./pkg/broker/sbbroker

contract-graph: ## a table of what Microsoft Graph does: of the tenant TAXIWAY_ENTRA_TENANT, or of the simulator when it is not set
	@if [ -n "$$TAXIWAY_ENTRA_TENANT" ]; then go run ./deploy/contractgraph $(ARGS); \
	else go test -count=1 -v -run 'TestTable' ./deploy/contractgraph; fi

check: lint alone test ## everything a change must pass

statements: ## the statements of production code, by folder
	@cd tools && GOWORK=off go run ./statements ..
