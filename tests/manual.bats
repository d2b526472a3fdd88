#!/usr/bin/env bats
# manual.bats: the man pages together: their form, that they agree with the
# commands, and the examples that have no test of their own. Those of jitmend-probe(1),
# jitmend-scan(1) and jitmend-report(1) are in the tests of these commands.

# make check sets top_srcdir and top_builddir.
# shellcheck disable=SC2154

load common

DOC=$top_srcdir/doc

setup() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$JITMEND" "$BATS_TEST_TMPDIR/bin/jitmend"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return
}

# ---------------------------------------------------------------------- form

@test "every page is well formed" {
	local page

	require_program man
	for page in "$DOC"/*.[1-8]; do
		run_as page man --warnings -E UTF-8 -l "$page"
		echo "$page"
		show page
		[ ! -s page.err ]
		[ -s page.out ]
	done
}

# Other sections may stand between them.
@test "every page of a command has the usual sections, in the usual order" {
	local page

	for page in "$DOC"/*.1; do
		echo "$page"
		sed -n 's/^\.SH //p' "$page" | tr -d '"' >all
		cat all
		grep -xE 'NAME|SYNOPSIS|DESCRIPTION|OPTIONS|EXIT STATUS|ENVIRONMENT|LIMITATIONS|EXAMPLES|SEE ALSO' all >have
		printf '%s\n' NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' ENVIRONMENT LIMITATIONS EXAMPLES \
			'SEE ALSO' | grep -xFf have >wanted
		cmp wanted have
		[ "$(wc -l <have)" -ge 8 ]
	done
}

# The commands, from the help of them all.
commands() {
	"$JITMEND" --help | sed -nE 's/^  ([a-z]+)  +.*/\1/p'
}

# page_of COMMAND: its man page.
page_of() {
	[ "$1" = run ] && echo "$DOC/jitmend.1" || echo "$DOC/jitmend-$1.1"
}

@test "a command's page and its help tell the same options" {
	local command

	[ "$(commands | wc -l)" -eq 5 ]
	for command in $(commands); do
		"$JITMEND" "$command" --help | grep -oE '^  --[a-z-]+' | tr -d ' ' | sort >help
		sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$(page_of "$command")" | tr -d '\\' |
			grep -E '^\.BI? --' | grep -oE -e '--[a-z-]+' | sort -u >page
		echo "$command"
		[ "$(wc -l <help)" -gt 2 ]
		diff -u help page
	done
}

@test "a command's page and its help tell the same exit statuses" {
	local command

	for command in $(commands); do
		"$JITMEND" "$command" --help | sed -n '/^Exit status/,$p' | grep -oE '\b(1|2|12[567])\b' |
			sort -u >help
		sed -n '/^\.SH EXIT/,/^\.SH [^E]/p' "$(page_of "$command")" |
			grep -oE '^\.B (1|2|12[567])$' | tr -d .B' ' | sort -u >page
		echo "$command"
		[ -s help ]
		diff -u help page
	done
}

@test "every command and page is named in jitmend(1), its help and README" {
	local command page

	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$DOC/jitmend.1" >synopsis
	sed -n '/^\.SH SEE/,$p' "$DOC/jitmend.1" | tr -d '\\' >see
	for command in $(commands); do
		echo "$command"
		grep -qE "^\.B jitmend $command$" synopsis
		"$JITMEND" --help | grep -q "jitmend $command "
	done
	for page in "$DOC"/*.[1-8]; do
		page=${page##*/}
		[ "$page" = jitmend.1 ] && continue
		echo "$page"
		grep -qE "^\.BR ${page%.*} \(${page##*.}\)" see
		grep -qF "${page%.*}(${page##*.})" "$top_srcdir/README"
	done
}

@test "bad usage is 125 with every command, and named" {
	local command

	for command in $(commands); do
		refused 125 "--nonsense" "$command" --nonsense
	done
	refused 125 'nonsense' nonsense
}

# ------------------------------------------------------------------ examples

# example: runs the next command of the file all, as a person would type it.
example() {
	local line

	IFS= read -r line <all
	sed -i 1d all
	while [ "$(head -n 1 all)" = ---- ]; do
		sed -i 1d all
	done
	echo "\$ $line"
	run_as example bash -o pipefail -c "$line"
	show example
}

worked() {
	[ "$(cat example.status)" -eq 0 ]
}

# asks NAME REQUEST...: a program of that name that makes them.
asks() {
	local name=$1

	shift
	printf '#!/bin/sh\nexec "%s" --fork %s\n' "$HOSTS/ask" "$*" >"$name"
	chmod +x "$name"
}

@test "jitmend(1)" {
	require_program tcc
	require_deny --execheap
	echo 'int main(void) { return 42 - 42; }' >program.c
	asks program malloc-rwx anon-rwx
	examples jitmend.1 >all
	example
	worked
	example
	failed example
	says example 'tcc: error: mprotect failed'
	example
	worked
	says example 'execheap refused here'
	example
	worked
	grep -q '"danger":"execheap"' audit.*.json
	example
	worked
	grep -q '"origin":{"call":"[a-z]*alloc' tcc.json
	[ ! -s all ]
}

@test "jitmend-deny(1)" {
	require_program tcc
	require_deny --execheap --verbose
	require_deny --mdwe --verbose
	cp "$DATA/tcc-hello.c" hello.c
	asks daemon anon-rwx
	examples jitmend-deny.1 >all
	example
	failed example
	says example 'denied  { execheap }'
	example
	worked
	example
	failed example
	says example 'denied  { write-exec }'
	[ ! -s all ]
}

@test "jitmend-journal(5)" {
	require_program jq tcc
	require_deny --execheap
	jitmend deny --execheap -- jitmend run --log=log -- tcc -run "$DATA/tcc-hello.c" 3>&-
	examples jitmend-journal.5 >all
	example
	worked
	grep -qE 'tcc	0x[0-9a-f]+$' example.out
	# The rest is a request. It has what a real one has, but for build ids.
	grep -v -e ---- all | sed 's/^/ /' >shown
	rm all
	jq -r 'del(.stack) | keys | join(" ")' shown >shown.keys
	jq -r 'select(.event == "request") | del(.stack) | keys | join(" ")' log >log.keys
	diff -u log.keys shown.keys
	jq -r 'del(.time, .pid, .tid, .site, .address, .piece, .stack, .message)' shown >shown.words
	jq -r 'select(.event == "request") |
		del(.time, .pid, .tid, .site, .address, .piece, .stack, .message)' log >log.words
	diff -u log.words shown.words
}

# numbers: hides what differs from run to run and from one tcc to another.
numbers() {
	sed -E 's/0x[0-9a-f]+/0x-/g; s/\[[0-9]+\]/[-]/; s,at /[^ ]*/tcc,at tcc,'
}

@test "libjitmend(7): the line of the log" {
	require_program tcc
	require_deny --execheap
	jitmend deny --execheap -- jitmend run -- tcc -run "$DATA/tcc-hello.c" >/dev/null 2>log 3>&-
	sed -n '/^\.SH THE LOG/,/^\.SH DEBUGGERS/p' "$DOC/libjitmend.7" | blocks | head -n 1 | numbers >shown
	cat shown log
	grep -q mprotect shown
	numbers <log | grep -qxF -f shown
}

# Where things are installed, the page cannot know.
@test "libjitmend(7): gdb and perf" {
	local line

	sed -n '/^\.SH DEBUGGERS/,/^\.SH SECURITY/p' "$DOC/libjitmend.7" | blocks |
		sed "s|libdir/jitmend/lib/x86_64-linux-gnu|$top_builddir/src/preload/$DL_LIB|
			s|datadir/jitmend|$top_srcdir/tools|; s/ program\$/ --batch -ex run --args true/" >all
	cat all
	[ "$(grep -c -e ---- all)" -eq 2 ]
	echo 'a/memfd:jitmend (deleted)' >perf.data
	bash -ec "$(grep '^LC_ALL=C sed' all)"
	grep -aq '^a//anon' perf.data
	require_program gdb
	gdb -nx -q -batch -ex run true >can-run 2>&1 </dev/null || true
	grep -q 'exited normally' can-run || skip "gdb may run no program here"
	sed '/^----/,$d' all >gdb
	JITMEND_LOG=$PWD/log JITMEND_MODE=mend bash -ec "$(cat gdb)" >out 2>&1 </dev/null 3>&-
	cat out
	grep -q 'exited normally' out
	grep -q '"event":"start"' log
}

@test "jitmend-probe(1): another process's mounts" {
	local line

	require_program nsenter
	nsenter --target $$ --mount true 2>/dev/null || skip "nsenter is not allowed here"
	nsenter --target $$ --mount test -e "$JITMEND" || skip "nsenter leads out of this root folder"
	line=$(blocks <"$DOC/jitmend-probe.1" | grep nsenter)
	run_as probe bash -c "${line/PID/$$}"
	show probe
	[ "$(cat probe.status)" -le 1 ]
	[ ! -s probe.err ]
}

@test "jitmend-probe(1): a transient service" {
	local line

	require_program systemd-run
	case $(systemctl is-system-running 2>/dev/null) in
	running | degraded) ;;
	*) skip "systemd does not run here" ;;
	esac
	line=$(blocks <"$DOC/jitmend-probe.1" | grep systemd-run)
	run_as probe bash -c "${line/%jitmend probe/$JITMEND probe}"
	show probe
	[ "$(cat probe.status)" -eq 1 ]
	grep -q '^  refused .*\(mdwe\|seccomp\)' probe.out
}
