# tap.bash: for the programs that test without bats: lines of TAP, and the count of
# them.
# shellcheck shell=bash

passed=0 failed=0 skipped=0

# Each prints a line of TAP, with what the test is.
pass() {
	((++passed))
	echo "ok $((passed + failed + skipped)) - $1"
}

fail() {
	((++failed))
	echo "not ok $((passed + failed + skipped)) - $1${2:+: $2}"
}

skip() {
	((++skipped))
	echo "ok $((passed + failed + skipped)) - $1 # skip $2"
}

# tally FILE: counts another program's TAP; what failed is shown.
tally() {
	local good skips bad

	good=$(grep -cE '^ok' "$1")
	skips=$(grep -ciE '^ok.*# skip' "$1")
	bad=$(grep -cE '^not ok' "$1")
	passed=$((passed + good - skips)) skipped=$((skipped + skips)) failed=$((failed + bad))
	[ "$bad" -eq 0 ] || sed -n '/^not ok/,/^ok/p' "$1"
}

# comment FILE...: the ends of files, as TAP's comments.
comment() {
	local file

	for file; do
		[ -s "$file" ] || continue
		echo "# --- $file"
		tail -n 15 "$file" | cut -c 1-300 | sed 's/^/#   /'
	done
}

# The last line, and the status.
tap_end() {
	echo "# $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
}

# lacks_policy POLICY: whether `jitmend deny' cannot have it here; the reason is in
# $reason.
# shellcheck disable=SC2086,SC2154 # a policy may be several options; the caller's
lacks_policy() {
	local status=0

	case $1 in
	--policy=*) return 1 ;;
	esac
	reason=$("$jitmend" deny $1 -- true 2>&1) || status=$?
	reason=${reason%%$'\n'*}
	[ "$status" -eq 125 ]
}

# journal_tells FILE: something was asked for, and was mended.
journal_tells() {
	[ "$(grep '"event":"request"' "$1" 2>/dev/null |
		grep -cvE '"done":"(passed-on|not-mended)"')" -ne 0 ]
}
