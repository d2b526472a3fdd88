#!/usr/bin/env bats
# programs.bats: programs of Debian's for aarch64, by the wrapper, which generate code: they
# print the same under the strict policy as natively. tests/aarch64/run runs this, where
# tests/aarch64/fetch has unpacked them.

# shellcheck disable=SC2154 # common.bash sees to it

load ../common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# require_aarch64 NAME: the program of that name is one for aarch64.
require_aarch64() {
	local file machine=0

	! file=$(command -v "$1") || machine=$(od -An -tu2 -j18 -N2 "$(readlink -f "$file")")
	[ "$machine" -eq 183 ] || skip "there is no $1 for aarch64: tools/setup --for=aarch64"
}

# same COMMAND...: with its code mended.
same() {
	run_as native timeout -k 5 100 "$@"
	run_as mended timeout -k 5 300 "$JITMEND" run --policy=strict --log="$PWD/log" -- "$@"
	[ "$(cat native.status)" -lt 124 ]
	same_outcome native mended
	show_log
	grep -q '"done":"viewed"' log
}

@test "LuaJIT" {
	require_aarch64 luajit
	same luajit "$top_srcdir/tests/zoo/luajit.lua"
	grep -qx 'compiled: yes' mended.out
}

@test "tcc -run" {
	require_aarch64 tcc
	same tcc -run "$DATA/tcc-hello.c"
	[ -s mended.out ]
}

@test "tcc -run, its exit status" {
	require_aarch64 tcc
	same tcc -run "$DATA/tcc-exit.c"
}

@test "tcc -run, signals" {
	require_aarch64 tcc
	same tcc -run "$DATA/tcc-signals.c"
}

@test "tcc -run, children" {
	require_aarch64 tcc
	same tcc -run "$DATA/tcc-children.c"
}

@test "grep -P" {
	require_aarch64 grep
	awk 'BEGIN { for (i = 0; i < 3000; i++) print "abc level", i * i, "noon x" i }' >words
	same grep -P -n '\b(\d)\d*\1\b' words
	[ -s mended.out ]
}

@test "Guile" {
	require_aarch64 guile-3.0
	export GUILE_JIT_THRESHOLD=0 GUILE_AUTO_COMPILE=0
	same guile-3.0 -c '(define (f n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (display (f 15))'
	[ "$(cat mended.out)" = 610 ]
}
