#!/usr/bin/env bats
# converter.bats: a program that generates code at run time, with each of the
# ways to get memory for it that the articles on SELinux's memory checks tell of.
#
# It runs three times: natively; under a policy, which kills it in the articles'
# manner or does not concern it; and under the policy with jitmend, where it must
# print what the records hold.

load common

# converter ALLOCATOR [OPTION...]: the words of its command line, in $command.
converter() {
	command=("$HOSTS/converter" --allocator="$1" --hex "${@:2}"
		"$DATA/$dictionary.dictionary" "$DATA/$dictionary.hex")
}

setup() {
	skip_listed
	! is_of_32_bits || skip "the code that the converter makes is x86_64's"
	dictionary=customers
}

# right NAME: the run printed what the records hold.
right() {
	show "$1"
	cmp "$BATS_TEST_TMPDIR/$1.out" "$DATA/$dictionary.csv"
	[ "$(cat "$BATS_TEST_TMPDIR/$1.status")" -eq 0 ]
}

# In each way that matters: once, code and data by turns, and in threads.
shapes=("" "--repeat=9" "--threads=3 --repeat=4")

# killed ALLOCATOR MESSAGE POLICY-OPTION...: the policy kills it, with that
# message; jitmend mends it.
killed() {
	local allocator=$1 message=$2 shape

	shift 2
	require_deny "$@"
	for shape in "${shapes[@]}"; do
		# shellcheck disable=SC2086 # several words
		converter "$allocator" $shape
		denied_and_mended "$@" -- "${command[@]}"
		right native
		right mended
		show denied
		[ "$(cat "$BATS_TEST_TMPDIR/denied.err")" = "converter: $message" ]
		[ "$(cat "$BATS_TEST_TMPDIR/denied.status")" -eq 1 ]
		show_log
		grep -qE 'execheap|execmod|devzero' "$BATS_TEST_TMPDIR/log"
		[ ! -s "$BATS_TEST_TMPDIR/mended.err" ]
	done
}

# unharmed ALLOCATOR POLICY-OPTION...: the policy does not concern it.
unharmed() {
	local allocator=$1 shape

	shift
	require_deny "$@"
	for shape in "${shapes[@]}"; do
		# shellcheck disable=SC2086 # several words
		converter "$allocator" $shape
		denied_and_mended "$@" -- "${command[@]}"
		right native
		right denied
		right mended
		[ ! -s "$BATS_TEST_TMPDIR/mended.err" ]
		show_log
		[ "$(grep -c 'EACCES\|EPERM' "$BATS_TEST_TMPDIR/log")" -eq 0 ]
	done
}

REFUSED='mprotect: Permission denied'

@test "converter, MAP_ANONYMOUS" {
	unharmed anonymous --execheap --execmod
}

@test "converter, /dev/zero" {
	killed devzero "$REFUSED" --execheap --execmod
}

@test "converter, /dev/zero executable from the start" {
	unharmed devzero-rwx --execheap --execmod
}

@test "converter, posix_memalign, small" {
	killed memalign-small "$REFUSED" --execheap --execmod
}

@test "converter, posix_memalign, large" {
	unharmed memalign-large --execheap --execmod
}

@test "converter, aligned_alloc" {
	killed aligned "$REFUSED" --execheap --execmod
}

@test "converter, malloc, with data on the same page" {
	killed malloc "$REFUSED" --execheap --execmod
}

@test "converter, a private mapping of a file" {
	killed file "$REFUSED" --execheap --execmod
}

@test "converter, its own data segment" {
	killed data-segment "$REFUSED" --execheap --execmod
}

@test "converter, execheap alone concerns the heap alone" {
	killed memalign-small "$REFUSED" --execheap
	unharmed file --execheap
}

@test "converter, execmod alone concerns files alone" {
	killed file "$REFUSED" --execmod
	unharmed memalign-small --execmod
}

@test "converter, /dev/zero, /dev mounted noexec" {
	killed devzero "$REFUSED" --noexec-dev
}

@test "converter, /dev/zero executable from the start, /dev mounted noexec" {
	killed devzero-rwx 'mmap of /dev/zero: Operation not permitted' --noexec-dev
}

@test "converter, other memory, /dev mounted noexec" {
	unharmed anonymous --noexec-dev
	unharmed memalign-small --noexec-dev
}

@test "converter, another dictionary" {
	dictionary=readings
	killed memalign-small "$REFUSED" --execheap --execmod
	killed devzero "$REFUSED" --execheap --execmod
}

@test "converter, records from standard input" {
	require_deny --execheap
	input=$DATA/customers.hex denied_and_mended --execheap -- "$HOSTS/converter" --allocator=malloc \
		--hex "$DATA/customers.dictionary"
	right native
	right mended
}

@test "converter, many records in threads" {
	require_deny --execheap --execmod
	local allocator i

	for ((i = 0; i < 200; i++)); do
		cat "$DATA/customers.hex"
	done >"$BATS_TEST_TMPDIR/many.hex"
	for allocator in malloc memalign-small data-segment devzero; do
		denied_and_mended --execheap --execmod -- "$HOSTS/converter" \
			--allocator="$allocator" --hex --threads=4 --repeat=30 \
			"$DATA/customers.dictionary" "$BATS_TEST_TMPDIR/many.hex"
		same_outcome native mended
		[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 0 ]
	done
}

@test "converter, each allocator, with no policy at all" {
	local allocator names

	names=$("$HOSTS/converter" --help | sed -n 's/^ *\(anonymous .*\)/\1/p')
	[ -n "$names" ]
	for allocator in $names; do
		converter "$allocator" --repeat=3
		native_and_mended "${command[@]}"
		right mended
		[ ! -s "$BATS_TEST_TMPDIR/mended.err" ]
	done
}

@test "converter, each allocator, mended beforehand with no policy at all" {
	local allocator

	for allocator in anonymous devzero devzero-rwx memalign-small memalign-large \
		aligned malloc file data-segment; do
		converter "$allocator" --repeat=9 --threads=2
		JITMEND_POLICY=execheap,execmod native_and_mended "${command[@]}"
		right mended
		case $allocator in
		memalign-small | aligned | malloc)
			show_log
			grep -q 'mprotect.*execheap' "$BATS_TEST_TMPDIR/log" ;;
		file | data-segment)
			show_log
			grep -q 'mprotect.*execmod' "$BATS_TEST_TMPDIR/log" ;;
		esac
	done
}

@test "converter, what is wrong with the input is said the same way" {
	local wrong=$BATS_TEST_TMPDIR/wrong

	echo 'name words' >"$wrong"
	native_and_mended "$HOSTS/converter" --allocator=malloc "$wrong"
	cmp "$BATS_TEST_TMPDIR/native.err" "$BATS_TEST_TMPDIR/mended.err"
	says mended "$wrong:1: unknown type 'words'"
	echo 0 | tr -d '\n' >"$wrong"
	native_and_mended "$HOSTS/converter" "$DATA/customers.dictionary" "$wrong"
	cmp "$BATS_TEST_TMPDIR/native.err" "$BATS_TEST_TMPDIR/mended.err"
	says mended '1 bytes left over after record 0'
}

# ---------------------------------------------------------------- strace's word

# The policy does refuse what strace counts: else the tests below show nothing.
@test "strace sees the refusal that kills the program" {
	require_strace
	converter malloc
	run_as denied "$JITMEND" deny --execheap --execmod -- \
		strace -f -qq -e trace=mprotect -o "$BATS_TEST_TMPDIR/trace" "${command[@]}"
	show denied
	cat "$BATS_TEST_TMPDIR/trace"
	[ "$(grep -c 'PROT_EXEC) = -1 EACCES' "$BATS_TEST_TMPDIR/trace")" -eq 1 ]
}

@test "strace sees at most one refusal when the policy is found out" {
	require_strace
	local allocator

	for allocator in memalign-small malloc file data-segment devzero; do
		converter "$allocator" --repeat=9
		[ "$(refusals -- "${command[@]}")" -le 1 ]
		right mended
	done
}

@test "strace sees no refusal when the policy is told" {
	require_strace
	local allocator

	for allocator in memalign-small malloc file data-segment devzero; do
		converter "$allocator" --repeat=9
		[ "$(refusals --policy=execheap,execmod -- "${command[@]}")" -eq 0 ]
		right mended
	done
}

# ---------------------------------------------------------------- the call site

# function_at MODULE+OFFSET: the function that holds it, by the module's debug
# information.
function_at() {
	addr2line -f -s -e "${1%+0x*}" "0x${1##*+0x}" | head -n 1
}

# The two places in a line of the log, as MODULE+OFFSET: who asked for the
# protection, and who allocated the memory.
call_site() {
	printf '%s\n' "${1%%; memory from *}" | sed -n 's/.* at \([^ ]*+0x[0-9a-f]*\).*/\1/p'
}
origin() {
	printf '%s\n' "$1" | sed -n "s/.*; memory from $2 at \([^ ]*+0x[0-9a-f]*\).*/\1/p"
}

# log_line ALLOCATOR DANGER: mends the converter and prints the first line of the
# log on DANGER. Told beforehand, so that it works without any policy too.
log_line() {
	converter "$1"
	run_as mended "$JITMEND" run --policy=execheap,execmod,noexec-dev -- "${command[@]}"
	show mended >&2
	grep -m 1 "$2" "$BATS_TEST_TMPDIR/mended.err"
}

@test "the log names the caller of mprotect and of posix_memalign" {
	require_program addr2line
	line=$(log_line memalign-small execheap)
	[ "$(function_at "$(call_site "$line")")" = make_executable ]
	[ "$(function_at "$(origin "$line" posix_memalign)")" = allocate_memalign ]
}

@test "the log names the caller of aligned_alloc" {
	require_program addr2line
	line=$(log_line aligned execheap)
	[ "$(function_at "$(origin "$line" aligned_alloc)")" = allocate_aligned ]
}

@test "the log names the caller of mprotect on a file's pages" {
	require_program addr2line
	line=$(log_line file execmod)
	[ "$(function_at "$(call_site "$line")")" = make_executable ]
}

@test "the log names the caller that maps /dev/zero" {
	require_program addr2line
	line=$(log_line devzero '/dev/zero\|devzero')
	[ "$(function_at "$(call_site "$line")")" = map_devzero ]
}
