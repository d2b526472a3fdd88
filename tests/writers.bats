#!/usr/bin/env bats
# writers.bats: no store of another thread is lost or torn while pages become
# code under it.

# shellcheck disable=SC2154 # common.bash

load common
load alike

setup() {
	alike_setup
}

# keeps_all KIND [TOGGLES]: with the library, no store of the writers is missing.
keeps_all() {
	run_as native "$HOSTS/writers" "$@"
	run_as mended with_library "$HOSTS/writers" "$@"
	same_outcome native mended
	[ "$(cat mended.status)" -eq 0 ]
	logged mended
}

# requests: how many the log tells of: the last count of each site.
requests() {
	cat log.* | sed -n 's/.*"event":"count".*"site":\([0-9]*\),"count":\([0-9]*\),.*/\1 \2/p' |
		awk '{ count[$1] = $2 } END { for (site in count) sum += count[site]; print sum + 0 }'
}

@test "heap pages, 20,000 times code and data" {
	keeps_all heap
	[ "$(requests)" -ge 20000 ]
}

@test "pages from sbrk" {
	keeps_all sbrk 5000
}

@test "pages of a file" {
	keeps_all file 5000
}

@test "20,000 pages of files" {
	keeps_all files
	[ "$(requests)" -ge 20000 ]
}

@test "the kernel stores into a page for another thread" {
	keeps_all kernel 5000
}

@test "the test sees the one store that a writer leaves out" {
	run_as dropped "$HOSTS/writers" drop
	show dropped
	grep -qx 'lost 1, torn 0, refused 0' dropped.out
	[ "$(cat dropped.status)" -eq 1 ]
}

@test "the test sees what a naive replacement loses" {
	run_as naive "$HOSTS/writers" naive
	show naive
	grep -qE '^lost [1-9]' naive.out
	[ "$(cat naive.status)" -eq 1 ]
}
