#!/usr/bin/env bats
# completion.bats: what bash offers behind `jitmend'. The function is called as
# bash calls it, with the words that bash makes of the line.

# make check sets top_srcdir and top_builddir.
# shellcheck disable=SC2154

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	# shellcheck source=/dev/null
	source "$top_srcdir/tools/completion/jitmend"
}

# compopt works only while bash itself completes.
compopt() {
	:
}

# complete_line WORD...: fills COMPREPLY for a line that ends in the last word.
# bash cuts words at "=".
complete_line() {
	# shellcheck disable=SC2034 # the function reads them
	COMP_WORDS=("$JITMEND" "$@") COMP_CWORD=$#
	_jitmend
	printf '%s\n' "${COMPREPLY[@]}" >offered
	echo "behind $*:"
	cat offered
}

# lacks PATTERN [FILE]: as `! grep', which bash lets pass when it fails.
lacks() {
	! grep -q "$@"
}

# offers WORD...: these, whatever else.
offers() {
	local word

	for word; do
		grep -qxF -e "$word" offered
	done
}

offers_only() {
	[ "$(sort offered)" = "$(printf '%s\n' "$@" | sort)" ]
}

# The commands of this build.
commands() {
	local command

	for command in run deny probe report scan; do
		"$JITMEND" "$command" --help >/dev/null 2>&1 && echo "$command"
	done
	return 0
}

@test "commands are offered" {
	local command

	complete_line ''
	offers run --help --version
	for command in $(commands); do
		offers "$command"
	done
	complete_line r
	offers run
	[ "$(grep -vc '^r' offered)" -eq 0 ]
	complete_line --v
	offers_only --version
}

@test "every option in a command's help is offered" {
	local command option options

	for command in $(commands); do
		# A line of help that begins with an option, or a usage that names it.
		options=$("$JITMEND" "$command" --help | grep -oE -e '--[a-z]+[a-z-]*' | sort -u)
		[ -n "$options" ]
		complete_line "$command" --
		for option in $options; do
			grep -qxE -e "$option=?" offered
		done
		[ "$(wc -l <offered)" -eq "$(wc -l <<<"$options")" ]
	done
}

@test "every option that is offered is one" {
	local command option

	for command in $(commands); do
		complete_line "$command" --
		while read -r option; do
			# With a value that is none, or without one: never unknown.
			run_as tried timeout "$PATIENCE" "$JITMEND" "$command" "${option%=}" --help
			lacks 'unknown option' tried.err
		done <offered
	done
}

@test "values are offered, behind = and as a word of their own" {
	complete_line run --policy = exec
	offers_only execheap execmem execmod execstack
	complete_line run --policy =
	offers auto strict mdwe
	complete_line run --policy str
	offers_only strict
	complete_line run --policy = execheap,exec
	offers_only execheap,execmem execheap,execmod execheap,execstack
	complete_line run --audit --log = sys
	offers syslog:
	complete_line run --log = no
	offers none:
}

@test "each value that is offered is understood" {
	local word

	complete_line run --policy =
	while read -r word; do
		"$JITMEND" run --policy="$word" true
	done <offered
	[ -x "$top_builddir/tools/jitmend-scan" ] || skip "built without jitmend scan"
	complete_line scan --only =
	[ "$(wc -l <offered)" -ge 15 ]
	while read -r word; do
		run_as tried "$JITMEND" scan --quiet --only="$word" "$top_builddir/tools/jitmend-check"
		show tried
		lacks 'no finding' tried.err
	done <offered
	complete_line scan --format =
	while read -r word; do
		run_as tried "$JITMEND" scan --format="$word" "$top_builddir/tools/jitmend-check"
		[ "$(cat tried.status)" -lt 2 ]
	done <offered
}

@test "behind the options comes a program, and then its arguments" {
	mkdir folder
	: >folder/file
	complete_line run printen
	offers printenv
	complete_line run --policy = auto -- printen
	offers printenv
	complete_line run --policy auto cat folder/
	offers_only folder/file
	complete_line deny --mdwe cat fold
	offers_only folder
	# The program's options are none of ours.
	complete_line run cat --pol
	lacks -e --policy offered
}

@test "scan is given files" {
	: >'two words'
	: >other
	complete_line scan --all two
	offers_only 'two words'
	complete_line scan other ''
	offers other 'two words'
	# Options may stand behind them.
	[ -x "$top_builddir/tools/jitmend-scan" ] || return 0
	complete_line scan other --onl
	offers_only --only=
}

@test "bash itself finds the function" {
	[ "$(complete -p jitmend)" = "complete -F _jitmend jitmend" ]
}
