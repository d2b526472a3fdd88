#!/usr/bin/env bats
# execmem.bats: what only a policy without execmem shows, and was first seen under a
# real SELinux (tests/vm).

load common

SELINUX=(--execheap --execmod --execmem)

# same_under [DENY-OPTION...] -- HOST PART: it prints and ends as natively.
same_under() {
	local policy=()

	while [ "$1" != -- ]; do
		policy+=("$1")
		shift
	done
	require_deny "${policy[@]}"
	run_as native "$HOSTS/$2" "$3"
	run_as mended "$JITMEND" deny "${policy[@]}" -- \
		"$JITMEND" run --log="$BATS_TEST_TMPDIR/log" -- "$HOSTS/$2" "$3"
	same_outcome native mended
	grep -q mended "$BATS_TEST_TMPDIR/log"
}

@test "/dev/zero, mapped shared, is made executable later" {
	same_under --mdwe -- devzero shared
	same_under "${SELINUX[@]}" -- devzero shared
}

# The kernel would refuse every mapping from then on, libc's own too.
@test "READ_IMPLIES_EXEC, before anything was refused" {
	same_under --read-implies-exec "${SELINUX[@]}" -- code-ways read-implies-exec
}

# ... and nothing of it where execmem is allowed.
@test "READ_IMPLIES_EXEC where it is allowed" {
	run_as native "$HOSTS/code-ways" read-implies-exec
	require_deny --read-implies-exec --execheap
	run_as mended "$JITMEND" deny --read-implies-exec --execheap -- \
		"$JITMEND" run --log="$BATS_TEST_TMPDIR/log" -- "$HOSTS/code-ways" read-implies-exec
	same_outcome native mended
}

# To SELinux a page at the heap's addresses stays heap, whatever is mapped there.
@test "code in the heap is turned often: at most one refusal of each kind" {
	local allocator

	! is_of_32_bits || skip "the code that the converter makes is x86_64's"
	require_strace
	require_deny "${SELINUX[@]}"
	for allocator in memalign-small aligned malloc file data-segment; do
		run_as mended "$JITMEND" deny "${SELINUX[@]}" -- \
			strace -f -qq -e trace=mprotect,pkey_mprotect,mmap,?mmap2 -o "$BATS_TEST_TMPDIR/trace" \
			"$JITMEND" run --log="$BATS_TEST_TMPDIR/log" -- "$HOSTS/converter" \
			--allocator="$allocator" --hex --repeat=9 \
			"$DATA/customers.dictionary" "$DATA/customers.hex"
		show mended
		cmp "$BATS_TEST_TMPDIR/mended.out" "$DATA/customers.csv"
		grep 'EXEC.* = -1 EACCES' "$BATS_TEST_TMPDIR/trace"
		# The first danger, and execmem.
		[ "$(grep -c 'EXEC.* = -1 EACCES' "$BATS_TEST_TMPDIR/trace")" -le 2 ]
	done
}

# refused COUNT HOST PART...: that many of its requests, and of ours, are.
refused() {
	require_strace
	require_deny "${SELINUX[@]}"
	run_as mended "$JITMEND" deny "${SELINUX[@]}" -- \
		strace -f -qq -e trace=mprotect,pkey_mprotect,mmap,?mmap2 -o "$BATS_TEST_TMPDIR/trace" \
		"$JITMEND" run --log="$BATS_TEST_TMPDIR/log" -- "$HOSTS/$2" "${@:3}"
	show mended
	grep 'EXEC.* = -1 EACCES' "$BATS_TEST_TMPDIR/trace"
	[ "$(grep -c 'EXEC.* = -1 EACCES' "$BATS_TEST_TMPDIR/trace")" -eq "$1" ]
}

# The trial of another way, which a rung makes, tells as much as a request of the host's.
@test "heap first, then a mapping: the second danger is not asked for again" {
	refused 2 code-calls unmap/heap
}

# What refuses memory that is written and executed, and is none of those that are known
# from the start, refuses code alone as well.
@test "memory that is written first, then code alone: refused once" {
	refused 1 code-ways rwx rx-first
}
