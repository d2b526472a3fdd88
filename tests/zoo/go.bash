# go.bash: a program of Go's, linked statically: it wants no executable memory, but
# has a way of its own with stacks, signals, threads and children, which the agent must
# not hurt.

needs=go
run_options=--all
passes_alone='it makes no code'
nothing_mended=$passes_alone

prepare() {
	cp "$zoo/go.go" main.go
	HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GO111MODULE=off CGO_ENABLED=0 go build -o guest main.go
}

load() {
	./guest
}
