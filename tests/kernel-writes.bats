#!/usr/bin/env bats
# kernel-writes.bats: system calls that write to pages which have just been
# executed. No signal tells of that; they would fail with EFAULT.

# shellcheck disable=SC2154 # common.bash

load common
load under

READING=(files fortified code-is-read vectors sockets others by-syscall)
STREAMS=(streams stream-buffers)
RESULTS=(results locks pending polls addresses waits directories)
REST=(bad-pointers in-children cancelled)

setup() {
	under_setup
}

@test "read and its kin, and sockets" {
	same_under strict kernel-writes "${READING[@]}"
}

@test "read and its kin, and sockets, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe kernel-writes "${READING[@]}"
}

@test "streams, and their buffers" {
	same_under strict kernel-writes "${STREAMS[@]}"
}

@test "streams, and their buffers, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe kernel-writes "${STREAMS[@]}"
}

@test "structures that are filled in" {
	same_under strict kernel-writes "${RESULTS[@]}"
}

@test "structures that are filled in, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe kernel-writes "${RESULTS[@]}"
}

@test "a read that waits while another thread executes the page" {
	same_under strict kernel-writes while-waiting
}

@test "a read that waits while another thread executes the page, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe kernel-writes while-waiting
}

@test "pointers that are bad, and code that is read-only" {
	same_under strict kernel-writes "${REST[@]}"
}

@test "pointers that are bad, and code that is read-only, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe kernel-writes "${REST[@]}"
}

@test "a program's variables right behind its code" {
	require_program tcc
	require_deny --mdwe
	export input=$DATA/tcc-variables.c
	run_as native tcc -run "$DATA/tcc-variables.c"
	run_as mdwe "$JITMEND" deny --mdwe -- \
		"$JITMEND" run --log="$BATS_TEST_TMPDIR/log.mdwe" -- tcc -run "$DATA/tcc-variables.c"
	same_outcome native mdwe
	[ "$(cat native.status)" -eq 0 ]
	grep -q mended log.mdwe
}
