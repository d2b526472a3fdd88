# common.bash: what the bats files share. Load it with `load common`.
#
# A test runs a program natively, then with jitmend, each run under a name, and
# compares what the two left behind: NAME.out, NAME.err and NAME.status below
# $BATS_TEST_TMPDIR. Runs read their standard input from $input, if set.

# From make check these come from the environment; by hand, say
# top_builddir=DIR bats tests/NAME.bats.
: "${top_srcdir:=$(cd "$BATS_TEST_DIRNAME/.." && pwd)}"
: "${top_builddir:?is not set: it says where jitmend was built}"

JITMEND=$top_builddir/tools/jitmend
# shellcheck disable=SC2034 # for the tests
HOSTS=$top_builddir/tests/hosts
# shellcheck disable=SC2034 # for the tests
DATA=$top_srcdir/tests/data

# Settings of the caller's own would show in every test, and an English message
# is what the tests look for.
unset JITMEND_MODE JITMEND_POLICY JITMEND_LOG JITMEND_CHILDREN JITMEND_BACKTRACE JITMEND_ORIGINS
export LC_ALL=C

# Seconds after which what does not end is taken to hang. Nothing is measured by it: on a
# busy machine a second's work may take minutes.
: "${PATIENCE:=300}"

jitmend() {
	"$JITMEND" "$@"
}

# eventually COMMAND...: waits until it succeeds; fails if it does not, and says so.
eventually() {
	local end=$((SECONDS + PATIENCE))

	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "not within $PATIENCE seconds: $*"
			return 1
		fi
		sleep 0.05
	done
}

# require_program NAME...: skips the test where one is not installed.
require_program() {
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# skip_listed: skips the test if the file that JITMEND_TEST_SKIPS names has a line for it:
# the bats file without its ending, the test's name and a reason, with tabs between.
skip_listed() {
	local file name reason

	[ -n "${JITMEND_TEST_SKIPS:-}" ] || return 0
	while IFS=$'\t' read -r file name reason; do
		if [ "$file.bats" = "${BATS_TEST_FILENAME##*/}" ] && [ "$name" = "$BATS_TEST_DESCRIPTION" ]; then
			skip "$reason"
		fi
	done <"$JITMEND_TEST_SKIPS"
	unset JITMEND_TEST_SKIPS # programs see no variable of ours that they did not get
}

# is_of_32_bits: what was built here is.
is_of_32_bits() {
	[ "$(od -An -tu1 -j4 -N1 "$top_builddir/tools/jitmend-check")" -eq 1 ]
}

# require_deny [OPTION...]: skips the test where this machine does not let
# `jitmend deny` build that policy; the reason is what it says itself.
require_deny() {
	local message status=0

	[ -x "$top_builddir/tools/jitmend-deny" ] || skip "built without jitmend deny"
	message=$(jitmend deny "$@" -- true 2>&1) || status=$?
	[ "$status" -ne 125 ] || skip "${message%%$'\n'*}"
}

# run_as NAME COMMAND...: runs it and keeps its output, its messages and its
# status under NAME. Descriptor 3 is bats's own: no child may hold it open.
run_as() {
	local at=$BATS_TEST_TMPDIR/$1 status=0

	shift
	"$@" <"${input:-/dev/null}" >"$at.out" 2>"$at.err" 3>&- || status=$?
	echo "$status" >"$at.status"
}

# show NAME...: prints what the runs left behind; bats prints it if a test fails.
show() {
	local name

	for name in "$@"; do
		echo "--- $name: status $(cat "$BATS_TEST_TMPDIR/$name.status")"
		head -c 2000 "$BATS_TEST_TMPDIR/$name.out"
		head -c 2000 "$BATS_TEST_TMPDIR/$name.err"
	done
}

# end_of LOG...: the last that jitmend said, for who was not there.
end_of() {
	local log

	for log; do
		[ -f "$log" ] || continue
		echo "--- the end of ${log##*/}"
		tail -n 3 "$log" | cut -c 1-1000
	done
}

# same_outcome NAME NAME: both printed the same and ended with the same status.
same_outcome() {
	local a=$BATS_TEST_TMPDIR/$1 b=$BATS_TEST_TMPDIR/$2

	show "$1" "$2"
	cmp "$a.out" "$b.out" && cmp "$a.status" "$b.status"
}

# native_and_mended PROGRAM [ARG...]: it runs the same with jitmend as without.
native_and_mended() {
	rm -f "$BATS_TEST_TMPDIR/log"
	run_as native "$@"
	run_as mended "$JITMEND" run --log="$BATS_TEST_TMPDIR/log" -- "$@"
	same_outcome native mended
}

# denied_and_mended POLICY-OPTION... -- PROGRAM [ARG...]: runs it natively,
# under that policy, and under the policy with jitmend, whose log goes to
# $BATS_TEST_TMPDIR/log. The caller says what each run has to be like.
denied_and_mended() {
	local policy=()

	while [ "$1" != -- ]; do
		policy+=("$1")
		shift
	done
	shift
	rm -f "$BATS_TEST_TMPDIR/log"
	run_as native "$@"
	run_as denied "$JITMEND" deny "${policy[@]}" -- "$@"
	run_as mended "$JITMEND" deny "${policy[@]}" -- \
		"$JITMEND" run --log="$BATS_TEST_TMPDIR/log" -- "$@"
}

show_log() {
	echo "--- log"
	cat "$BATS_TEST_TMPDIR/log"
}

# journals_are_right: each journal that the test left behind keeps to
# jitmend-journal(5). Where jansson is missing there is nobody to say so.
journals_are_right() {
	local check=$top_builddir/tests/journal-check files=() file

	[ -x "$check" ] && [ -d "$BATS_TEST_TMPDIR" ] || return 0
	while IFS= read -r -d '' file; do
		files+=("$file")
	done < <(grep -lsZ -r -m 1 --exclude='core*' --exclude='*.core' -e '^{"v":[0-9]*,"event":' "$BATS_TEST_TMPDIR" || true)
	[ "${#files[@]}" -eq 0 ] || "$check" "${files[@]}"
}

# A bats file with a teardown of its own calls journals_are_right there.
teardown() {
	journals_are_right
}

# examples PAGE: what stands between .EX and .EE among the page's examples, as troff
# shows it, with ---- behind each block.
examples() {
	sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$top_srcdir/doc/$1" | blocks
}

# blocks: the same, of troff on standard input.
blocks() {
	sed -n '/^\.EX/,/^\.EE/p' |
		sed 's/^\.EE/----/; /^\.EX/d; s/\\-/-/g; s/\\e/\\/g; s/\\f[A-Z]//g'
}

# says NAME TEXT: the run NAME has TEXT among its messages.
says() {
	grep -qF -e "$2" "$BATS_TEST_TMPDIR/$1.err"
}

failed() {
	[ "$(cat "$BATS_TEST_TMPDIR/$1.status")" -ne 0 ]
}

# refused STATUS TEXT ARGUMENT...: jitmend says so in one line, and no more.
refused() {
	local status=$1 text=$2

	shift 2
	run_as refused "$JITMEND" "$@"
	show refused
	[ "$(cat "$BATS_TEST_TMPDIR/refused.status")" -eq "$status" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/refused.err")" -eq 1 ]
	grep -q '^jitmend: ' "$BATS_TEST_TMPDIR/refused.err"
	says refused "$text"
	[ ! -s "$BATS_TEST_TMPDIR/refused.out" ]
}

# require_strace: skips the test where strace can be no witness.
require_strace() {
	require_program strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	require_deny --execheap --execmod
}

# refusals [RUN-OPTION...] -- PROGRAM [ARG...]: how many requests of the mended
# program the kernel refused, as strace saw it.
refusals() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run_as mended "$JITMEND" deny --execheap --execmod -- \
		strace -f -qq -e trace=mprotect,pkey_mprotect,mmap,?mmap2 -o "$BATS_TEST_TMPDIR/trace" \
		"$JITMEND" run "${options[@]}" --log="$BATS_TEST_TMPDIR/log" -- "$@"
	grep EXEC "$BATS_TEST_TMPDIR/trace" | tail -n 30 >&2
	grep -cE '= -1 (EACCES|EPERM) ' "$BATS_TEST_TMPDIR/trace" || true
}

# no_line GREP-ARGUMENT...: grep finds nothing there. To bats a `!' is no failure.
no_line() {
	if grep "$@"; then
		return 1
	fi
}
