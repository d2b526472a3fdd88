#!/usr/bin/env bats
# descriptors.bats: hosts that close everything, or put files on every number,
# while their code lives in files of ours.

# shellcheck disable=SC2154 # common.bash

load common
load under

CLOSING=(stat-each ask-each close-loop close-twice close-listed closefrom ranges range-on-exec)
ONTO=(dup2-onto-each dup3-onto-each bad-dups)

setup() {
	under_setup
}

@test "closing every number" {
	same_under strict descriptors "${CLOSING[@]}"
}

@test "closing every number, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe descriptors "${CLOSING[@]}"
}

@test "closing every number by syscall()" {
	same_under strict descriptors --syscall "${CLOSING[@]}"
}

@test "a file of the host's on every number" {
	same_under strict descriptors "${ONTO[@]}"
}

@test "a file of the host's on every number, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe descriptors "${ONTO[@]}"
}

@test "a file of the host's on every number, by syscall()" {
	same_under strict descriptors --syscall "${ONTO[@]}"
}

@test "a file of the host's on every number that there is" {
	[ "$(ulimit -H -n)" != 1000 ] && ulimit -S -n 1000 ||
		skip "the limit on descriptors cannot be set"
	same_under strict descriptors "${ONTO[@]}"
	same_under strict descriptors --syscall "${ONTO[@]}"
}

# The log would begin anew if its descriptor had been lost.
@test "the log and the backtraces go on in one piece" {
	for part in "${CLOSING[@]}" dup2-onto-each; do
		rm -f log.strict
		same_under strict descriptors "$part"
		[ "$(grep -c '"event":"start"' log.strict)" -eq 1 ] || {
			echo "$part" && cat log.strict && false
		}
	done
}

@test "a table of descriptors of its own" {
	same_under strict descriptors range-unshared
	same_under strict descriptors --syscall range-unshared
}

@test "children that close everything" {
	same_under strict descriptors children
	same_under strict descriptors --syscall children
}

@test "children that close everything, under PR_SET_MDWE" {
	require_deny --mdwe
	same_under mdwe descriptors children
}

@test "where nothing is mended, nothing is different" {
	for part in "${CLOSING[@]}" "${ONTO[@]}" children; do
		native_and_mended "$HOSTS/descriptors" "$part"
	done
}
