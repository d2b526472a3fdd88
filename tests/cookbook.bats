#!/usr/bin/env bats
# cookbook.bats: each command in doc/COOKBOOK, as it stands there, shows what it is
# said to show. A situation is a test, in a folder of its own.

# make check sets top_srcdir and top_builddir.
# shellcheck disable=SC2154

load common

COOKBOOK=$top_srcdir/doc/COOKBOOK

setup() {
	PATH=${JITMEND%/*}:$PATH
	cd "$BATS_TEST_TMPDIR" || return
	mkdir kitchen
}

# situation NUMBER: its text. A heading is underlined.
situation() {
	awk -v number="$1." '
		/^---+$/ { within = (before ~ /^[0-9]+\. /) ? (before ~ "^" number) : within }
		within { print }
		{ before = $0 }' "$COOKBOOK"
}

# alike SHOWN SEEN: whether a line is the one that is shown, where ... stands for
# anything.
alike() {
	local shown=$1 rest=$2 piece

	[[ $shown == *...* ]] || { [ "$shown" = "$rest" ]; return; }
	piece=${shown%%...*}
	[ "${rest#"$piece"}" != "$rest" ] || [ -z "$piece" ] || return 1
	rest=${rest#"$piece"}
	shown=${shown#*...}
	while [[ $shown == *...* ]]; do
		piece=${shown%%...*}
		[[ $rest == *"$piece"* ]] || return 1
		rest=${rest#*"$piece"}
		shown=${shown#*...}
	done
	[[ $rest == *"$shown" ]]
}

# compare SHOWN SEEN: the lines of one file are those of the other. ... alone in a
# line stands for any number of them, also for none.
compare() {
	local -a shown seen
	local line skipping=0 at=0

	mapfile -t shown <"$1"
	mapfile -t seen <"$2"
	for line in "${shown[@]}"; do
		if [ "$line" = ... ]; then
			skipping=1
			continue
		fi
		while [ "$at" -lt "${#seen[@]}" ] && ! alike "$line" "${seen[at]}"; do
			[ "$skipping" -eq 1 ] || break
			at=$((at + 1))
		done
		if [ "$at" -ge "${#seen[@]}" ] || ! alike "$line" "${seen[at]}"; then
			echo "shown and not seen: $line"
			return 1
		fi
		at=$((at + 1))
		skipping=0
	done
	if [ "$skipping" -eq 0 ] && [ "$at" -lt "${#seen[@]}" ]; then
		echo "seen and not shown: ${seen[at]}"
		return 1
	fi
}

# cook COMMAND: runs it, and leaves its output and its status in the file seen, as
# the text has them. Blanks at the end of a line do not show in a text.
cook() {
	local status=0

	(cd kitchen && bash -c "$1") </dev/null >output 2>&1 3>&- || status=$?
	[ "$status" -eq 0 ] || echo "(exit status $status)" >>output
	sed 's/[ \t]*$//' output >seen
}

# serve: compares what the command gave with what the text shows. Empty lines at
# the end belong to the text.
serve() {
	[ -n "$command" ] || return 0
	sed -i -e :a -e '/^\n*$/{$d;N;ba' -e '}' shown
	echo "\$ $command"
	cook "$command"
	if ! compare shown seen; then
		echo "--- seen"
		cat seen
		return 1
	fi
	served=$((served + 1))
}

# try NUMBER: runs all commands of a situation.
try() {
	local line command='' served=0

	situation "$1" >text
	grep -q '^    \$ ' text
	while IFS= read -r line; do
		case $line in
		'    $ '*)
			serve
			command=${line#'    $ '}
			: >shown
			;;
		'    > '* | '    >') [ -n "$command" ] && command+=$'\n'${line:6} ;;
		'    '* | '') [ -z "$command" ] || echo "${line:4}" >>shown ;;
		*)
			serve
			command=
			;;
		esac
	done <text
	serve
	[ "$served" -eq "$(grep -c '^    \$ ' text)" ]
}

@test "1. Java under MDWE" {
	! is_of_32_bits || skip "what is shown is what x86_64's says"
	require_program java
	require_deny --mdwe
	try 1
}

@test "2. Node.js under MDWE" {
	! is_of_32_bits || skip "what is shown is what x86_64's says"
	require_program node
	require_deny --mdwe
	try 2
}

@test "3. PCRE's compiler under MDWE" {
	require_program php grep
	require_deny --mdwe --verbose
	try 3
}

@test "4. /dev/zero and a noexec /dev" {
	require_program gcc
	require_deny --noexec-dev
	try 4
}

@test "5. tcc -run and execheap" {
	require_program tcc
	require_deny --execheap
	try 5
}

@test "6. text relocations" {
	require_program gcc
	require_deny --mdwe
	[ "$(uname -m)" = x86_64 ] || skip "-mcmodel=large makes them on x86_64"
	try 6
}

@test "7. GCL and Maxima" {
	require_program gcl maxima
	require_deny --execheap --execmod --read-implies-exec
	try 7
}

@test "8. an audit where nothing is refused" {
	require_program luajit tcc jq
	require_deny --execheap --execmod --execstack
	require_deny --mdwe
	try 8
}

@test "9. a probe" {
	require_program tcc jq
	require_deny --execheap
	require_deny --mdwe
	try 9
}

@test "10. strict" {
	! is_of_32_bits || skip "what is shown is what x86_64's says"
	require_program node
	try 10
}

@test "11. a job for CI" {
	require_program gcc jq
	[ "$(uname -m)" = x86_64 ] || skip "-mcmodel=large makes text relocations on x86_64"
	try 11
}

@test "12. Neovim" {
	! is_of_32_bits || skip "what is shown is what x86_64's says"
	require_program nvim
	require_deny --mdwe
	try 12
}

@test "every situation is tried, and stands in the list" {
	grep -oE '^[0-9]+\. .*' "$COOKBOOK" | sort >headings
	sed -nE 's/^ ([1-9]\. .*)/\1/p; /^1[0-9]\. /p' "$COOKBOOK" | sort -u >list
	[ "$(sort -u headings | wc -l)" -eq 12 ]
	cmp <(sort -u headings) list
	[ "$(grep -cE '^	try [0-9]+$' "$BATS_TEST_FILENAME")" -eq 12 ]
}

@test "a line that is not as shown is seen" {
	alike 'a...c' abc
	alike '...' anything
	alike 'x ... y ... z' 'x 1 y 2 z'
	run alike 'a...d' abc
	[ "$status" -eq 1 ]
	run alike abc abcd
	[ "$status" -eq 1 ]
	printf '%s\n' one ... four >shown
	printf '%s\n' one two three four >seen
	compare shown seen
	echo five >>seen
	run compare shown seen
	[ "$output" = 'seen and not shown: five' ]
	printf '%s\n' one ... five ... six >shown
	run compare shown seen
	[ "$output" = 'shown and not seen: six' ]
	printf '%s\n' one three >shown
	run compare shown seen
	[ "$output" = 'shown and not seen: three' ]
}
