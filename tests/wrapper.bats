#!/usr/bin/env bats
# wrapper.bats: `jitmend run` as a command: its options, what it hands on to the
# program, what it says of bad input. What it makes of the program's file is
# check.bats's matter.

# What is in single quotes is for other shells and for ld.so; each test has a
# process of its own; make check sets top_builddir.
# shellcheck disable=SC1003,SC2016,SC2030,SC2031,SC2094,SC2154

load common

setup() {
	skip_listed
	cd "$BATS_TEST_TMPDIR" || return
	umask 022
	ulimit -c 0
	unset LD_PRELOAD
}

# maps_have NAME TEXT: the run NAME printed maps, with TEXT in them.
maps_have() {
	show "$1"
	grep -q "$2" "$1.out"
}

# A library of its own that says nothing.
make_library() {
	echo 'int nothing_at_all;' >nothing.c
	$CC -shared -fPIC -o "$1" nothing.c || skip "$CC cannot build a shared library"
}

@test "the library is in the program, by a literal \$LIB" {
	run_as maps "$JITMEND" run cat /proc/self/maps
	maps_have maps /libjitmend.so
	[ "$("$JITMEND" run printenv LD_PRELOAD)" = "$top_builddir/src/preload/"'$LIB/libjitmend.so' ]
}

@test "the program has jitmend's process id" {
	run_as pids sh -c 'echo $$; exec "$0" run sh -c '\''echo $$'\' "$JITMEND"
	show pids
	[ "$(wc -l <pids.out)" -eq 2 ]
	[ "$(uniq pids.out | wc -l)" -eq 1 ]
}

@test "the exit status is the program's" {
	local status

	for status in 0 1 3 77 125 126 127 128 255; do
		native_and_mended sh -c "exit $status"
		[ "$(cat mended.status)" -eq "$status" ]
	done
}

@test "death by a signal is the program's" {
	local signal

	for signal in SEGV TERM KILL ABRT; do
		native_and_mended sh -c 'kill -$0 $$' "$signal"
		[ "$(cat mended.status)" -gt 128 ]
	done
}

@test "arguments arrive as they were" {
	native_and_mended printf '[%s]\n' '' ' ' 'two words' $'two\nlines' $'end\n' '*' '?' \
		\\ '\\n' \' \" '$HOME' '$(id)' '`id`' '&' ';' '--' '-n' ''
}

@test "options behind the program are the program's" {
	run_as native printf '%s\n' --audit --policy=nonsense --help -- --quiet
	run_as mended "$JITMEND" run printf '%s\n' --audit --policy=nonsense --help -- --quiet
	same_outcome native mended
	run_as mended "$JITMEND" run -- printf '%s\n' --audit --policy=nonsense --help -- --quiet
	same_outcome native mended
}

@test "-- ends the options, also before a program that looks like one" {
	mkdir bin
	printf '#!/bin/sh\necho "$0" "$@"\n' >bin/--audit
	chmod +x bin/--audit
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	run_as native env -- --audit one
	run_as mended "$JITMEND" run -- --audit one
	same_outcome native mended
	[ "$(cat mended.status)" -eq 0 ]
	run_as mended "$JITMEND" run --quiet -- --audit one
	same_outcome native mended
}

@test "standard input and output are the program's" {
	printf 'one\ntwo' >input
	input=input native_and_mended cat
	run_as native sh -c 'echo out; echo err >&2; exec true >&-'
	run_as mended "$JITMEND" run sh -c 'echo out; echo err >&2; exec true >&-'
	same_outcome native mended
	grep -qx err mended.err
}

@test "no descriptor of ours is left open" {
	export JITMEND_MODE=off
	run_as native ls /proc/self/fd
	run_as mended "$JITMEND" run ls /proc/self/fd
	same_outcome native mended
	run_as native sh -c '"$@" <&- >&2 5>&1' - ls /proc/self/fd
	run_as mended sh -c '"$@" <&- >&2 5>&1' - "$JITMEND" run ls /proc/self/fd
	same_outcome native mended
	cmp native.err mended.err
}

@test "ignored signals stay ignored" {
	local ignore='trap "" INT TERM HUP USR1; exec "$@"'

	run_as native sh -c "$ignore" - grep SigIgn /proc/self/status
	run_as mended sh -c "$ignore" - "$JITMEND" run grep SigIgn /proc/self/status
	same_outcome native mended
}

@test "the environment is the one that jitmend was given" {
	[ -r /proc/self/environ ] || skip "/proc is not mounted"
	# Names that a script could be tempted to use, names that a shell cannot
	# have, values that quoting could spoil.
	local variables=(
		PATH="$PATH" log=l policy=p quiet=q folder=f self=s status=x list=y
		a.b=c 'BASH_FUNC_module%%=() { echo "it'\''s"; }' IFS=: 'quotes="'\''`$x\'
		lines=$'one\ntwo\n' '1=one' 'empty=' LANG=C
	)

	run_as native env -i "${variables[@]}" env -0
	run_as mended env -i "${variables[@]}" "$JITMEND" run env -0
	show native mended
	[ "$(cat mended.status)" -eq 0 ]
	sort -z native.out >native.sorted
	grep -zv '^LD_PRELOAD=' mended.out | sort -z >mended.sorted
	cmp native.sorted mended.sorted
}

@test "who has no environment gets none" {
	[ -r /proc/self/environ ] || skip "/proc is not mounted"
	run_as native env -i env
	run_as mended env -i "$JITMEND" run /usr/bin/env
	[ ! -s native.out ]
	[ "$(grep -v '^LD_PRELOAD=' mended.out)" = "" ]
	[ "$(cat mended.status)" -eq 0 ]
}

@test "a variable that the shell loses does not cost --no-children the program" {
	[ -r /proc/self/environ ] || skip "/proc is not mounted"
	run_as maps env a.b=c "$JITMEND" run --no-children cat /proc/self/maps
	maps_have maps /libjitmend.so
}

@test "what is preloaded already is kept, whatever separates it" {
	make_library libone.so
	make_library libtwo.so
	local separator ours

	ours=$top_builddir/src/preload/'$LIB/libjitmend.so'
	for separator in : ' ' ' : '; do
		export LD_PRELOAD="$PWD/libone.so$separator$PWD/libtwo.so"
		run_as maps "$JITMEND" run sh -c 'echo "$LD_PRELOAD"; cat /proc/self/maps'
		maps_have maps /libone.so
		maps_have maps /libtwo.so
		maps_have maps /libjitmend.so
		[ "$(head -n 1 maps.out)" = "$ours:$PWD/libone.so:$PWD/libtwo.so" ]
	done
}

@test "jitmend run within jitmend run: the library is there once" {
	run_as list "$JITMEND" run "$JITMEND" run printenv LD_PRELOAD
	show list
	[ "$(cat list.out)" = "$top_builddir/src/preload/"'$LIB/libjitmend.so' ]
}

@test "another jitmend's library gives way to this one" {
	make_library libjitmend.so
	export LD_PRELOAD=$PWD/libjitmend.so
	run_as list "$JITMEND" run printenv LD_PRELOAD
	show list
	[ "$(cat list.out)" = "$top_builddir/src/preload/"'$LIB/libjitmend.so' ]
}

@test "descendants are followed" {
	run_as maps "$JITMEND" run sh -c 'sh -c "cat /proc/self/maps; true"; true'
	maps_have maps /libjitmend.so
}

@test "--no-children: the program has the library, its children do not" {
	make_library libone.so
	export LD_PRELOAD=$PWD/libone.so
	run_as maps "$JITMEND" run --no-children sh -c \
		'cat /proc/self/maps /proc/$$/maps >/dev/null; grep -c /libjitmend.so /proc/$$/maps; true'
	show maps
	[ "$(cat maps.out)" -gt 0 ]
	run_as maps "$JITMEND" run --no-children sh -c 'cat /proc/self/maps; env; true'
	show maps
	[ "$(cat maps.status)" -eq 0 ]
	[ "$(grep -c -e libjitmend -e JITMEND maps.out)" -eq 0 ]
	maps_have maps /libone.so
	grep -qx "LD_PRELOAD=$PWD/libone.so" maps.out
}

@test "options become the library's variables" {
	[ "$("$JITMEND" run --audit printenv JITMEND_MODE)" = audit ]
	[ "$("$JITMEND" run --policy=execheap,mdwe printenv JITMEND_POLICY)" = execheap,mdwe ]
	[ "$("$JITMEND" run --policy strict printenv JITMEND_POLICY)" = strict ]
	[ "$("$JITMEND" run --policy=none --policy=auto printenv JITMEND_POLICY)" = auto ]
	[ "$("$JITMEND" run --log=/dev/null printenv JITMEND_LOG)" = /dev/null ]
	[ "$("$JITMEND" run --log /dev/null printenv JITMEND_LOG)" = /dev/null ]
	[ "$("$JITMEND" run --quiet printenv JITMEND_LOG)" = none: ]
	[ "$("$JITMEND" run --quiet --log="$PWD/log" printenv JITMEND_LOG)" = "$PWD/log" ]
	[ "$("$JITMEND" run --audit --quiet env | grep -c ^JITMEND_)" -eq 2 ]
	[ "$("$JITMEND" run env | grep -c ^JITMEND_)" -eq 0 ]
}

@test "the caller's own variables stay in force where no option says otherwise" {
	export JITMEND_POLICY=strict JITMEND_MODE=audit JITMEND_LOG=$PWD/log
	[ "$("$JITMEND" run printenv JITMEND_POLICY)" = strict ]
	[ "$("$JITMEND" run printenv JITMEND_MODE)" = audit ]
	[ "$("$JITMEND" run --quiet printenv JITMEND_LOG)" = "$PWD/log" ]
	[ "$("$JITMEND" run --policy=none printenv JITMEND_POLICY)" = none ]
	# A bad word that an option puts aside is nobody's concern.
	JITMEND_POLICY=nonsense run_as word "$JITMEND" run --policy=none printenv JITMEND_POLICY
	show word
	[ "$(cat word.out)" = none ]
}

@test "a relative log is made absolute, whatever the folder is called" {
	mkdir '100%p of%% two words'
	cd '100%p of%% two words'
	[ "$("$JITMEND" run --log=log printenv JITMEND_LOG)" = \
		"$BATS_TEST_TMPDIR/100%%p of%%%% two words/log" ]
	[ -f log ]
	[ "$(JITMEND_LOG=other%p "$JITMEND" run printenv JITMEND_LOG)" = \
		"$BATS_TEST_TMPDIR/100%%p of%%%% two words/other%p" ]
}

@test "a log with %p is not made beforehand, one with %% is" {
	"$JITMEND" run --policy=none --log=a%p true
	[ "$(echo a*)" = 'a*' ]
	"$JITMEND" run --policy=none --log=a%%p true
	[ -f a%p ]
}

@test "bad words: one line that names them, 125" {
	refused 125 "--policy is empty" run --policy= true
	refused 125 "--policy is empty" run --policy '' true
	refused 125 "--policy: 'execheep'" run --policy=execmod,execheep true
	refused 125 "--policy: '' is no policy" run --policy=execheap,,execmod true
	refused 125 "--policy" run --policy=auto,execheap true
	refused 125 "'two\\012lines'" run --policy=$'two\nlines' true
	refused 125 "--log is empty" run --log= true
	refused 125 "'%z'" run --log=/tmp/%z true
	refused 125 "'%'" run --log=/tmp/100% true
	JITMEND_MODE=mending refused 125 "JITMEND_MODE: 'mending'" run true
	JITMEND_MODE='' refused 125 "JITMEND_MODE" run true
	JITMEND_POLICY='' refused 125 "JITMEND_POLICY is empty" run true
	JITMEND_POLICY=nonsense refused 125 "JITMEND_POLICY: 'nonsense'" run true
	JITMEND_LOG=%x refused 125 "JITMEND_LOG: '%x'" run true
	JITMEND_CHILDREN=eat refused 125 "JITMEND_CHILDREN: 'eat'" run true
}

@test "bad usage: one line that names it, 125" {
	refused 125 "no command given"
	refused 125 "unknown command 'walk'" walk true
	refused 125 "unknown option '--audit'" --audit run true
	refused 125 "unknown option '--loud'" run --loud true
	refused 125 "unknown option '-q'" run -q true
	refused 125 "unknown option '--pol'" run --pol true
	refused 125 "unknown option '--two\\012lines'" run $'--two\nlines' true
	refused 125 "'--audit' takes no value" run --audit=yes true
	refused 125 "'--quiet' takes no value" run --quiet= true
	refused 125 "'--policy' needs a value" run --policy
	refused 125 "'--log' needs a value" run --audit --log
	refused 125 "no program given" run
	refused 125 "no program given" run --audit
	refused 125 "no program given" run --audit --
}

@test "a log that is a directory" {
	refused 125 "--log: $PWD is a directory" run --log="$PWD" true
	refused 125 "is a directory" run --log="$PWD/" true
	refused 125 "is a directory" run --log=./%p/ true
	refused 125 "is a directory" run --log=. true
	JITMEND_LOG=$PWD refused 125 "JITMEND_LOG: $PWD is a directory" run true
}

@test "a log that is a FIFO: refused without a reader, taken with one" {
	mkfifo fifo
	refused 125 "$PWD/fifo is a FIFO that nobody reads" run --log=fifo true
	# Open for reading and writing, so that nothing waits here.
	exec 7<>fifo
	"$JITMEND" run --log=fifo true
	exec 7>&-
}

@test "a log in no directory, below a file, at the end of a loop, too long" {
	local long

	: >file
	ln -s loop loop
	long=$(printf '%5000s' '' | tr ' ' x)
	refused 125 "none/log lies in a directory that does not exist" run --log=none/log true
	refused 125 "lies in a directory that does not exist" run --log=none/%p true
	refused 125 "file/log lies below" run --log=file/log true
	refused 125 "lies below" run --log=file/%p true
	refused 125 "loop" run --log=loop true
	refused 125 "too long" run --log="$long" true
}

@test "a log that may not be written" {
	[ "$(id -u)" -ne 0 ] || {
		# Root may write anywhere but where nobody can.
		[ -e /proc/version ] || skip "root may write everywhere here"
		refused 125 "/proc/version" run --log=/proc/version/%p true
		refused 125 "/proc/no-log" run --log=/proc/no-log true
		return
	}
	: >closed
	chmod a-w closed
	mkdir folder
	chmod a-w folder
	refused 125 "closed cannot be written: permission denied" run --log=closed true
	refused 125 "permission denied" run --log=folder/log true
	refused 125 "permission denied" run --log=folder/%p true
	chmod u+w folder
}

@test "no log is left behind where the program is refused" {
	refused 127 "./none does not exist" run --log=log ./none
	[ ! -e log ]
}

@test "a log that is there is added to" {
	echo before >log
	"$JITMEND" run --log=log true
	[ "$(head -n 1 log)" = before ]
	sed -i 1d log # it is no journal's line
}

@test "a log in a folder that has been removed" {
	mkdir gone
	cd gone
	rmdir ../gone
	run_as gone "$JITMEND" run --log=jitmend-log true # the shell has a line of its own
	[ ! -e /jitmend-log ] || rm /jitmend-log
	[ "$(cat "$BATS_TEST_TMPDIR/gone.status")" -eq 125 ]
	grep -q '^jitmend: ' "$BATS_TEST_TMPDIR/gone.err"
}

@test "--quiet: nothing on standard error, and no file" {
	run_as quiet "$JITMEND" run --quiet --policy=strict sh -c 'sh -c true; true'
	show quiet
	[ ! -s quiet.err ] && [ ! -e none: ]
}

@test "--help and --version: standard output, 0" {
	local arguments

	for arguments in --help --version 'run --help' 'run --version' 'run --audit --help'; do
		# shellcheck disable=SC2086
		run_as help "$JITMEND" $arguments
		show help
		[ "$(cat help.status)" -eq 0 ]
		[ -s help.out ]
		[ ! -s help.err ]
		[ "$(wc -L <help.out)" -le 80 ]
	done
	run_as version "$JITMEND" --version
	grep -Eq '^jitmend [0-9]+\.[0-9]' version.out
	grep -q '^commands: run' version.out
	grep -q '^rungs: 0 .* 1 .* 2 ' version.out
	grep -q '^policies: .*execheap' version.out
}

@test "what cannot be written of --help and --version is said, and needs no cat" {
	local arguments status

	for arguments in --help --version 'run --help'; do
		status=0
		# shellcheck disable=SC2086
		"$JITMEND" $arguments >/dev/full 2>full.err || status=$?
		[ "$status" -eq 125 ]
		[ "$(cat full.err)" = 'jitmend: cannot write the help text' ]
		# shellcheck disable=SC2086
		"$JITMEND" $arguments >help
		# shellcheck disable=SC2086
		PATH=/nonexistent "$JITMEND" $arguments | cmp - help
	done
}

@test "the man page and --help know the same options" {
	local page=$top_srcdir/doc/jitmend.1

	"$JITMEND" run --help | grep -o '^  --[a-z-]*' | tr -d ' ' | sort >help
	sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$page" | tr -d '\\' |
		grep -Eo '^\.BI? --[a-z-]+' | grep -o -e '--.*' | sort >page
	cat help page
	[ "$(wc -l <help)" -eq 12 ]
	cmp help page
	sed -n '/^run()/,/^}/p' "$top_srcdir/tools/jitmend.in" | grep -Eo '^		--[a-z-]+(=\*)?( \||\))' |
		grep -Eo -e '--[a-z-]+' | sort -u >script
	cat script
	[ -z "$(comm -23 script help)" ]
	[ -z "$(comm -13 script help)" ]
}

@test "the man page is well formed" {
	require_program man
	run_as page man --warnings -E UTF-8 -l "$top_srcdir/doc/jitmend.1"
	show page
	[ ! -s page.err ]
	[ -s page.out ]
}

@test "the script is clean" {
	require_program shellcheck
	shellcheck "$top_builddir/tools/jitmend"
}

@test "the script runs in every shell that this machine has" {
	local shell

	for shell in dash bash 'bash --posix' 'busybox sh' mksh yash zsh ksh; do
		command -v "${shell%% *}" >/dev/null || continue
		# shellcheck disable=SC2086
		run_as shell $shell "$JITMEND" run --log=a%%b sh -c 'echo "$LD_PRELOAD $JITMEND_LOG"; exit 3'
		show shell
		[ "$(cat shell.status)" -eq 3 ]
		[ "$(cat shell.out)" = "$top_builddir/src/preload/"'$LIB/libjitmend.so'" $PWD/a%%b" ]
	done
}

@test "called by PATH, by a symbolic link, from its own folder" {
	PATH=$top_builddir/tools:$PATH run_as called jitmend run true
	PATH=$top_builddir/tools:$PATH command jitmend run true
	(cd "$top_builddir/tools" && ./jitmend run true)
	(cd "$top_builddir" && tools/jitmend run true)
	(cd "$top_builddir" && PATH=tools:$PATH command jitmend run true)
	(cd "$top_builddir/tools" && sh jitmend run true)
	mkdir links
	ln -s "$JITMEND" links/one
	ln -s links/one two
	./two run true
	PATH=$PWD:$PATH two run true
	ln -s "$top_builddir/tools" folder
	folder/jitmend run true
	[ "$(cat called.status)" -eq 0 ]
}

# A build tree with nothing in it but the script and its helper.
make_tree() {
	mkdir -p "$1/tools" "$1/src/preload"
	cp "$JITMEND" "$top_builddir/tools/jitmend-check" "$1/tools/"
	: >"$1/config.status"
}

@test "a library that is missing is named" {
	make_tree tree
	run_as refused tree/tools/jitmend run true
	show refused
	[ "$(cat refused.status)" -eq 125 ]
	says refused "$PWD/tree/src/preload/$DL_LIB/libjitmend.so is missing"
	rm tree/tools/jitmend-check
	run_as refused tree/tools/jitmend run true
	[ "$(cat refused.status)" -eq 125 ]
	says refused "$PWD/tree/tools/jitmend-check is missing"
}

@test "a folder that LD_PRELOAD cannot name is refused" {
	local folder

	for folder in 'two words' 'a:colon'; do
		make_tree "$folder"
		run_as refused "./$folder/tools/jitmend" run true
		show refused
		[ "$(cat refused.status)" -eq 125 ]
		[ "$(wc -l <refused.err)" -eq 1 ]
		says refused "$folder"
	done
}
