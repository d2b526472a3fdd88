#!/usr/bin/env bats
# cross.bats: what is said of the library for aarch64, and a host that writes code as such
# processors have it. tests/aarch64/run runs this, and has built them.
#
# What the emulator does not show: it leaves the fault's syndrome out of signal
# frames, so that what a fault wanted is told by its instruction, and it has no
# caches to bring in line.

# shellcheck disable=SC2154 # common.bash sees to it

load ../common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

strict() {
	jitmend run --policy=strict -- "$@"
}

@test "neither library for aarch64 has libgcc's constructor in it" {
	require_program nm
	for library in libjitmend libjitmend-origins; do
		nm "$top_builddir/src/.libs/$library.so" >symbols
		[ -s symbols ]
		if grep have_lse_atomics symbols; then
			return 1
		fi
	done
}

@test "code on aarch64 is written, run and written again" {
	run_as native "$HOSTS/aarch64"
	run_as mended strict "$HOSTS/aarch64"
	show native mended
	[ "$(cat native.status)" -eq 0 ]
	[ "$(cat mended.status)" -eq 0 ]
	grep -q 'in turn: 0 wrong' native.out
	diff -u native.out mended.out
	grep -q 'by mapping the pages writable or executable in turn' mended.err
}

@test "no page on aarch64 is writable and executable" {
	run_as native "$HOSTS/aarch64" maps
	run_as mended strict "$HOSTS/aarch64" maps
	show native mended
	grep -q ' rwx' native.out
	[ "$(cat mended.out)" = "run: 61" ]
}

# Where exactly, and so what the emulator tells of it, is chance.
@test "code on aarch64 next to the emulator's own memory" {
	run_as native "$HOSTS/aarch64" taken
	[ "$(cat native.status)" -eq 0 ]
	for _ in 1 2 3 4 5; do
		run_as mended strict "$HOSTS/aarch64" taken
		same_outcome native mended
	done
	grep -q 'by mapping the pages writable or executable in turn' mended.err
}
