#!/usr/bin/env bats
# main-job.bats: tcc -run and GCL, which a policy kills, run again with jitmend.
#
# TinyCC puts its code on the malloc heap and makes it executable, writable as
# ever, together with whatever else lies on those pages. Each program here runs
# three times: natively; under execheap, where tcc must fail as its users know
# it; and under execheap with jitmend, where it must print what it printed
# natively.

load common

# What tcc says when it is refused.
TCC_MESSAGE='did you mean to configure --with-selinux'

tcc_is_killed_and_mended() {
	require_program tcc
	require_deny --execheap
	denied_and_mended --execheap -- tcc -run "$@"
	same_outcome native mended
	show denied
	failed denied
	says denied "$TCC_MESSAGE"
	show_log
	grep -q 'execheap' "$BATS_TEST_TMPDIR/log"
}

@test "tcc -run, arguments and exit status" {
	tcc_is_killed_and_mended "$DATA/tcc-hello.c" one "two words" three
	[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 3 ]
}

@test "tcc -run, malloc, realloc and free around the code" {
	tcc_is_killed_and_mended "$DATA/tcc-heap.c"
	grep -q 'all as they were written' "$BATS_TEST_TMPDIR/mended.out"
}

@test "tcc -run, signals caught" {
	tcc_is_killed_and_mended "$DATA/tcc-signals.c"
	grep -q 'the handler is mine' "$BATS_TEST_TMPDIR/mended.out"
}

@test "tcc -run, death by a signal" {
	tcc_is_killed_and_mended "$DATA/tcc-signals.c" die
	[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 143 ]
}

@test "tcc -run, exit from a function" {
	tcc_is_killed_and_mended "$DATA/tcc-exit.c" 42
	[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 42 ]
}

@test "tcc -run, children that go on in the code" {
	tcc_is_killed_and_mended "$DATA/tcc-children.c"
	grep -q 'it said 5, the parent counts 105' "$BATS_TEST_TMPDIR/mended.out"
}

@test "tcc -run, a filter of standard input" {
	input=$DATA/tcc-heap.c tcc_is_killed_and_mended "$DATA/tcc-filter.c"
	sort "$DATA/tcc-heap.c" | cmp - "$BATS_TEST_TMPDIR/mended.out"
}

@test "tcc -run, as a script's interpreter" {
	require_program tcc
	require_deny --execheap
	local script=$BATS_TEST_TMPDIR/script

	{
		echo "#!$(command -v tcc) -run"
		cat "$DATA/tcc-hello.c"
	} >"$script"
	chmod +x "$script"
	denied_and_mended --execheap -- "$script" word
	same_outcome native mended
	show denied
	failed denied
	says denied "$TCC_MESSAGE"
}

@test "tcc -run, its diagnostics and failures" {
	require_program tcc
	require_deny --execheap
	echo 'int main(void) { return missing(); }' >"$BATS_TEST_TMPDIR/wrong.c"
	denied_and_mended --execheap -- tcc -run "$BATS_TEST_TMPDIR/wrong.c"
	same_outcome native mended
	failed mended
	cmp "$BATS_TEST_TMPDIR/native.err" "$BATS_TEST_TMPDIR/mended.err"
}

@test "tcc -run, with no policy at all" {
	require_program tcc
	native_and_mended tcc -run "$DATA/tcc-children.c"
	cmp "$BATS_TEST_TMPDIR/native.err" "$BATS_TEST_TMPDIR/mended.err"
}

@test "tcc -run, mended beforehand with no policy at all" {
	require_program tcc
	JITMEND_POLICY=execheap,execmod native_and_mended tcc -run "$DATA/tcc-heap.c"
	show_log
	grep -q 'mprotect.*execheap' "$BATS_TEST_TMPDIR/log"
}

# GCL makes its data, which is a file's, executable in one piece with its heap,
# under READ_IMPLIES_EXEC, and compiles by way of gcc.
@test "GCL, code loaded into the heap and data of its own image" {
	require_program gcl gcc
	require_deny --execheap --execmod --read-implies-exec
	cd "$BATS_TEST_TMPDIR"
	denied_and_mended --execheap --execmod --read-implies-exec -- \
		gcl -batch -load "$DATA/gcl-compile.lisp"
	same_outcome native mended
	[ "$(cat mended.status)" -eq 3 ]
	show denied
	failed denied
	show_log
	grep -q 'execmod refused here (EACCES), mended by copying' log
}

@test "strace sees at most one refusal with tcc" {
	require_program tcc
	require_strace
	[ "$(refusals -- tcc -run "$DATA/tcc-heap.c")" -le 1 ]
	show mended
	[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 0 ]
}

@test "strace sees no refusal with tcc when the policy is told" {
	require_program tcc
	require_strace
	[ "$(refusals --policy=execheap,execmod -- tcc -run "$DATA/tcc-heap.c")" -eq 0 ]
	show mended
	[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 0 ]
}

@test "the log names tcc itself" {
	require_program tcc
	run_as mended "$JITMEND" run --policy=execheap --log="$BATS_TEST_TMPDIR/log" -- \
		tcc -run "$DATA/tcc-hello.c"
	show mended
	show_log
	grep -q ' at [^ ]*/[^ ]*tcc[^ ]*+0x[0-9a-f]' "$BATS_TEST_TMPDIR/log"
}
