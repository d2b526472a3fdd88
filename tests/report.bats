#!/usr/bin/env bats
# report.bats: what jitmend report makes of journals: recorded ones, of programs
# that run here, and of such as nobody would write but an enemy.

# common.bash has variables; what a pattern in single quotes holds is meant so.
# shellcheck disable=SC2016,SC2034,SC2154

load common

JOURNALS=$DATA/journals
CHECK=$top_builddir/tests/journal-check
STACKS=$HOSTS/journal-stacks

setup() {
	skip_listed
	[ -x "$top_builddir/tools/jitmend-report" ] || skip "built without jitmend report"
	cd "$BATS_TEST_TMPDIR" || return
	unset LD_PRELOAD DEBUGINFOD_URLS NO_COLOR
	export TMPDIR=$BATS_TEST_TMPDIR
}

# Journals here may be broken on purpose.
teardown() {
	:
}

report() {
	run_as report "$JITMEND" report "$@"
	show report
}

status_is() {
	[ "$(cat report.status)" -eq "$1" ]
}

# read_as WHAT: see read-report.py.
read_as() {
	python3 "$DATA/read-report.py" "$1" report.out | tee read.out
}

# journal COMMAND...: its journal is log; the policy is only said, not in force.
journal() {
	jitmend run --policy=execheap --log=log -- "$@" >/dev/null
}

# unknown_frame ADDRESS: a journal of process 4711 whose call is in generated code.
unknown_frame() {
	cat <<-END
		{"v":1,"event":"start","time":1600000000.000000,"pid":4711,"tid":4711,"comm":"jit","jitmend":"0.1.0","program":"/usr/bin/jit","kernel":"6.1.0","machine":"x86_64","mode":"audit","policy":["auto"],"policy_from":"requests","mdwe":false,"unwinder":"none","frames":1,"message":"-"}
		{"v":1,"event":"request","time":1600000001.000000,"pid":4711,"tid":4711,"comm":"jit","site":1,"call":"mprotect","address":"0x7f0000000000","length":4096,"protection":"r-x","piece":{"address":"0x7f0000000000","length":4096},"danger":"execmem","answer":"allowed","done":"passed-on","stack":[{"unknown":"$1"}],"message":"-"}
	END
}

# ----------------------------------------------------------- recorded journals

@test "recorded journals of tcc, LuaJIT, Node and PHP, as text and as stacks" {
	local format

	for format in text folded; do
		report --no-symbols --format=$format "$JOURNALS"/{luajit,node,php,tcc}.json
		status_is 0
		[ ! -s report.err ]
		diff -u "$JOURNALS/programs.$format" report.out
	done
}

@test "journals in another order make the same report" {
	report --no-symbols --format=folded "$JOURNALS"/{tcc,node,php,luajit}.json
	sort "$JOURNALS/programs.folded" >expected
	sort report.out | diff -u expected -
}

@test "JSON has what its page promises" {
	require_program python3
	report --no-symbols --format=json "$JOURNALS"/{luajit,node,php,tcc}.json
	read_as json
	[ "$(cat read.out)" = "7 5 4 0" ]
}

@test "SARIF keeps to the rules of its standard" {
	require_program python3
	report --no-symbols --format=sarif "$JOURNALS"/{luajit,node,php,tcc}.json
	read_as sarif
	[ "$(wc -l <read.out)" -eq 5 ]
	grep -qx 'warning execheap file:///usr/bin/tcc:None' read.out
	# What could not be read is in it, too.
	echo "no line" >broken
	report --no-symbols --format=sarif broken "$JOURNALS/tcc.json"
	read_as sarif
	grep -q 'broken:1: no JSON' report.out
}

@test "a journal on standard input" {
	input=$JOURNALS/tcc.json report --no-symbols -
	status_is 0
	grep -q '^1 request at 1 call site in 1 process: execheap 1' report.out
}

@test "the most frequent only" {
	report --no-symbols --top=1 "$JOURNALS"/{luajit,node,php,tcc}.json
	[ "$(grep -c '     call ' report.out)" -eq 1 ]
	grep -q '^4 more call sites' report.out
}

# ------------------------------------------------------------------- programs

# audited PROGRAM [ARG...]: what the report counts is what the journal has.
audited() {
	local counted

	rm -f log.*
	jitmend run --audit --log=log.%p -- "$@" >/dev/null
	report --format=json log.*
	status_is 0
	read_as json
	[ -x "$CHECK" ] || return 0
	counted=$("$CHECK" --counts log.* | awk '{ sum += $5 } END { print sum + 0 }')
	echo "the journal has $counted"
	[ "$counted" -gt 0 ]
	[ "$(cut -d ' ' -f 1 read.out)" -eq "$counted" ]
}

@test "as many requests as the journals of real programs have" {
	local any=

	require_program python3
	if command -v tcc; then
		any=1
		audited tcc -run "$DATA/tcc-hello.c"
	fi
	if command -v luajit; then
		any=1
		audited luajit "$DATA/audit.lua"
	fi
	if command -v node; then
		any=1
		audited node "$DATA/audit.js"
	fi
	if command -v php; then
		any=1
		audited php -d pcre.jit=1 "$DATA/audit.php"
	fi
	[ -n "$any" ] || skip "none of tcc, luajit, node and php is installed"
}

@test "runs add up" {
	require_program python3
	journal "$STACKS" plain
	journal "$STACKS" plain
	report --format=json log log
	read_as json
	[ "$(cat read.out)" = "4 1 4 0" ]
}

# ---------------------------------------------------------------------- names

# line_of TEXT: where it is in the source of the host.
line_of() {
	grep -nF -m 1 -e "$1" "$top_srcdir/tests/hosts/journal-stacks.c" | cut -d : -f 1
}

# names_are_right: those of `journal-stacks plain', and its lines.
names_are_right() {
	python3 "$DATA/read-report.py" sites report.out | tee sites
	grep -qx "1 execheap inner .*/tests/hosts/journal-stacks.c:$(line_of 'must(mprotect(page, PAGE, RWX)')" \
		sites
}

require_names() {
	require_program python3 readelf
	readelf -SW "$STACKS" | grep -q debug_line || skip "the host has no debug information"
}

@test "functions, files and lines of the call and of the memory's origin" {
	require_names
	journal "$STACKS" plain
	report --format=json log
	status_is 0
	names_are_right
	report --format=folded log
	grep -qE ';main;host_main;plain;outer;middle;inner;mprotect_rwx_\[execheap\] 1$' report.out
	report --source-root="$(cd "$top_srcdir" && pwd)" log
	grep -qE "^     at       inner  tests/hosts/journal-stacks.c:$(line_of 'must(mprotect(page, PAGE, RWX)')\$" \
		report.out
	grep -qE '^     by       heap_pages  tests/hosts/host.c:[0-9]+$' report.out
	report --format=sarif --source-root="$(cd "$top_srcdir" && pwd)" log
	read_as sarif
	grep -q '^warning execheap tests/hosts/journal-stacks.c:' read.out
}

@test "lines where there is no .debug_aranges, as clang leaves it" {
	require_names
	require_program objcopy
	objcopy --remove-section=.debug_aranges "$STACKS" host || skip "objcopy does not know $STACKS"
	journal ./host plain
	report --format=json log
	status_is 0
	names_are_right
}

@test "C++: names as people write them, and what was inlined" {
	require_program g++
	cat >cxx.cc <<-'END'
		#include <cstdlib>
		#include <sys/mman.h>
		template <typename T> struct engine {
			void *page;
			__attribute__((noinline)) int compile(T size)
			{
				return ask(size);
			}
			__attribute__((always_inline)) inline int ask(T size)
			{
				int result = mprotect(page, size, PROT_READ | PROT_WRITE | PROT_EXEC);
				asm volatile("" : : : "memory");
				return result;
			}
		};
		int main()
		{
			engine<long> one;
			if (posix_memalign(&one.page, 4096, 4096))
				abort();
			int result = one.compile(4096);
			asm volatile("" : : : "memory");
			return result;
		}
	END
	g++ -g -O1 -o cxx cxx.cc
	journal ./cxx
	report log
	grep -qE '^     at       engine<long>::ask  .*/cxx.cc:11$' report.out
	grep -qE '^ +engine<long>::compile  .*/cxx.cc:7  \(inlined above\)$' report.out
	grep -qE '^ +main  .*/cxx.cc:21$' report.out
}

@test "a file that changed, or is gone, is said to; its names come from elsewhere" {
	local id

	require_names
	require_program objcopy gcc
	cp "$STACKS" host
	journal ./host plain
	objcopy --strip-debug host stripped
	objcopy --only-keep-debug host host.debug
	rm host
	report log
	status_is 0
	grep -q 'host: the file is gone$' report.out
	grep -qE '^     at       host\+0x' report.out
	# Another program by the same name: its names would be wrong.
	cp "$HOSTS/dangers" host
	report log
	grep -q 'host: the file has changed since: its build id is now [0-9a-f]*$' report.out
	grep -qE '^     at       host\+0x' report.out
	# Debug files, by build id.
	id=$(sed -n 's/.*host","build_id":"\([0-9a-f]*\)".*/\1/p' log | head -n 1)
	[ -n "$id" ] || skip "the host has no build id"
	mkdir -p "debug/.build-id/${id:0:2}"
	cp host.debug "debug/.build-id/${id:0:2}/${id:2}.debug"
	report --debug-dir="$PWD/debug" --format=json log
	names_are_right
	grep -q '"state":"elsewhere"' report.out
	# Stripped, and the debug file beside.
	cp stripped host
	report --debug-dir="$PWD/debug" --format=json log
	names_are_right
	grep -q '"state":"same"' report.out
}

@test "debuginfod, where it is set" {
	local id

	require_names
	cp "$STACKS" host
	journal ./host plain
	id=$(sed -n 's/.*host","build_id":"\([0-9a-f]*\)".*/\1/p' log | head -n 1)
	[ -n "$id" ] || skip "the host has no build id"
	ldconfig -p | grep -q libdebuginfod || skip "libdebuginfod is not installed"
	mkdir -p "server/buildid/$id"
	cp host "server/buildid/$id/executable"
	cp host "server/buildid/$id/debuginfo"
	rm host
	export DEBUGINFOD_URLS=file://$PWD/server DEBUGINFOD_CACHE_PATH=$PWD/cache
	report --format=json log
	names_are_right
	grep -q '"state":"elsewhere"' report.out
}

@test "--no-symbols opens nothing that a journal names" {
	require_strace
	journal "$STACKS" plain
	strace -f -o trace -e trace=open,openat "$JITMEND" report --no-symbols log >report.out
	grep -c journal-stacks report.out
	[ "$(grep -c journal-stacks trace)" -eq 0 ]
}

@test "what a journal names is not waited for" {
	require_program mkfifo timeout
	mkfifo pipe
	sed "s|/usr/bin/tcc|$PWD/pipe|g" "$JOURNALS/tcc.json" >log
	run_as report timeout "$PATIENCE" "$JITMEND" report log
	show report
	status_is 0
	grep -q 'pipe: the file cannot be read' report.out
}

@test "names of generated code from perf's maps" {
	mkdir maps
	unknown_frame 0x7f0000000110 >log
	cat >maps/perf-4711.map <<-END
		7f0000000000 100 before
		7f0000000100 40 lua: hot loop:7
		no line of a map
		7f0000000140 40 after
	END
	chmod 644 maps/perf-4711.map
	report --perf-map-dir="$PWD/maps" log
	status_is 0
	grep -q '^     at       lua: hot loop:7$' report.out
	# The end of a range is not in it, but a return address is one further.
	unknown_frame 0x7f0000000140 >log
	report --perf-map-dir="$PWD/maps" log
	grep -q '^     at       lua: hot loop:7$' report.out
	# Of the same place the later line counts.
	echo '7f0000000100 40 newer' >>maps/perf-4711.map
	report --perf-map-dir="$PWD/maps" log
	grep -q '^     at       newer$' report.out
}

@test "a map that anybody could have written, or of another time, is none" {
	mkdir maps
	unknown_frame 0x7f0000000110 >log
	echo '7f0000000100 40 false' >maps/perf-4711.map
	chmod 666 maps/perf-4711.map
	report --perf-map-dir="$PWD/maps" log
	grep -q '^     at       generated code at 0x7f0000000110$' report.out
	chmod 644 maps/perf-4711.map
	touch -d 2020-01-01 maps/perf-4711.map
	report --perf-map-dir="$PWD/maps" log
	grep -q '^     at       generated code at' report.out
	touch maps/perf-4711.map
	mv maps/perf-4711.map maps/true
	ln -s true maps/perf-4711.map
	report --perf-map-dir="$PWD/maps" log
	grep -q '^     at       generated code at' report.out
	rm maps/perf-4711.map
	mv maps/true maps/perf-4711.map
	report --perf-map-dir="$PWD/maps" log
	grep -q '^     at       false$' report.out
}

# ------------------------------------------------------------------ bad input

# problem TEXT: said, with status 2, and tcc.json is reported all the same.
problem() {
	report --no-symbols "$@" "$JOURNALS/tcc.json"
	status_is 2
	grep -q 'execheap: code on the heap, [12] request' report.out
}

@test "journals that cannot be read are named, the others reported" {
	: >empty
	problem none
	says report 'jitmend: report: none: No such file'
	problem .
	says report 'jitmend: report: .: is a directory'
	problem empty
	says report 'jitmend: report: empty: is empty'
	head -c 100000 /dev/urandom >noise
	problem noise
	says report 'jitmend: report: noise:1: no JSON'
	[ "$(wc -l <report.err)" -le 101 ]
	if [ "$(id -u)" -ne 0 ]; then
		cp empty closed
		chmod 0 closed
		problem closed
		says report 'jitmend: report: closed: Permission denied'
	fi
}

@test "a line that is wrong is named by its number" {
	# wrong NUMBER TEXT: of the journal on standard input.
	wrong() {
		cat >journal
		problem journal
		says report "jitmend: report: journal:$1: $2"
		[ "$(wc -l <report.err)" -eq 1 ]
	}

	head -c 1000 "$JOURNALS/luajit.json" | wrong 2 'cut short: '
	sed '2s/"danger":"[a-z]*"/"danger":"other"/' "$JOURNALS/tcc.json" |
		wrong 2 "'danger' has a value that is not known: 'other'"
	sed '2s/"offset":"0x/"offset":"x/' "$JOURNALS/tcc.json" | wrong 2 "'offset' is missing"
	sed '2s/"length":4096/"length":-1/' "$JOURNALS/tcc.json" | wrong 2 "'length' is missing"
	sed '2s/"stack":\[/"stack":[7,/' "$JOURNALS/tcc.json" | wrong 2 "'module' is missing"
	sed '2s/"piece":{/"piece":{"address":7},"other":{/' "$JOURNALS/tcc.json" | wrong 2 "'piece'"
	sed '2s/"pid":[0-9]*/"pid":0/' "$JOURNALS/tcc.json" | wrong 2 "'pid' is no process id"
	sed '2s/"site":[0-9]*/"site":0/' "$JOURNALS/tcc.json" | wrong 2 "'site' is 0"
	sed '2s/"time":[0-9.]*/"time":"now"/' "$JOURNALS/tcc.json" | wrong 2 "'time' is missing"
	sed '1s/"policy":\[[^]]*\]/"policy":7/' "$JOURNALS/tcc.json" | wrong 1 "'policy' is missing"
	printf '[]\n' | wrong 1 'no object of JSON'
	printf '%0100000d\n' 0 | tr 0 '[' | wrong 1 'no JSON'
	printf '%02000000d\n' 0 | wrong 1 'longer than'
	sed 's/"v":1/"v":2/' "$JOURNALS/luajit.json" | wrong 1 'version 2 of the journal'
}

@test "cut anywhere, or with a byte changed, it is read to the end" {
	local size

	for size in $(seq 50 397 7800); do
		head -c "$size" "$JOURNALS/luajit.json" >spoilt
		run_as report "$JITMEND" report --no-symbols --format=html spoilt
		case $(cat report.status) in 0 | 2) ;; *) false ;; esac
		cp "$JOURNALS/luajit.json" spoilt
		printf '\377' | dd of=spoilt bs=1 seek="$size" conv=notrunc status=none
		run_as report "$JITMEND" report --no-symbols --format=sarif spoilt
		[ "$(cat report.status)" -eq 2 ]
	done
}

@test "counts without a request, lines that were lost" {
	{
		sed -n 1p "$JOURNALS/luajit.json"
		sed -n '$p' "$JOURNALS/luajit.json"
		sed -n '$s/"event":"count"/"event":"lost","lines":3/p' "$JOURNALS/luajit.json"
	} >log
	report --no-symbols log
	status_is 0
	grep -q '^3 lines of journals were lost when written' report.out
	grep -q '^2 requests more, at call sites whose first line' report.out
}

@test "wrong words on the command line" {
	# wrong_words TEXT ARGUMENT...
	wrong_words() {
		local text=$1

		shift
		report "$@"
		status_is 125
		[ "$(wc -l <report.err)" -eq 1 ]
		[ ! -s report.out ]
		says report "jitmend: report: $text"
	}

	wrong_words 'no journal given'
	wrong_words "--format: 'xml' is none of" --format=xml "$JOURNALS/tcc.json"
	wrong_words "--color: 'red' is none of" --color=red "$JOURNALS/tcc.json"
	wrong_words "--top: '0' is no number" --top=0 "$JOURNALS/tcc.json"
	wrong_words "--top: '-1' is no number" --top=-1 "$JOURNALS/tcc.json"
	wrong_words "unknown option '--other'" --other "$JOURNALS/tcc.json"
	wrong_words "option '--format' needs a value" --format
	wrong_words "option '--no-symbols=1' takes no value" --no-symbols=1 x
	wrong_words '--output: none/report: No such file' --output=none/report "$JOURNALS/tcc.json"
	wrong_words '/dev/full: No space left' --output=/dev/full "$JOURNALS/tcc.json"
	cp "$JOURNALS/tcc.json" journal
	ln -s journal link
	wrong_words '--output: link: is the journal itself' --output=link journal
	cmp "$JOURNALS/tcc.json" journal
	report --help
	status_is 0
	grep -q '^Usage: jitmend report' report.out
}

@test "color where it is wanted" {
	report --no-symbols "$JOURNALS/tcc.json"
	[ "$(grep -c $'\033' report.out)" -eq 0 ]
	report --no-symbols --color=always "$JOURNALS/tcc.json"
	grep -q $'\033' report.out
	require_program script
	export TERM=xterm
	script -qec "'$JITMEND' report --no-symbols '$JOURNALS/tcc.json'" /dev/null >typed </dev/null
	grep -q $'\033' typed
	NO_COLOR=1 script -qec "'$JITMEND' report --no-symbols '$JOURNALS/tcc.json'" /dev/null \
		>typed </dev/null
	[ "$(grep -c $'\033' typed)" -eq 0 ]
}

# hostile: a journal whose names want to be more than names.
hostile() {
	sed 's|"comm":"tcc"|"comm":"\\u001b[31m</script>"|
		s|/usr/bin/tcc|/x/</script><script>alert(1)</script>\\u001b]0;<!--\\u202e;\\n|g' \
		"$JOURNALS/tcc.json"
}

@test "names of files are names to a terminal, to a page, and in stacks" {
	hostile >log
	report log
	status_is 0
	[ "$(grep -c $'\033' report.out)" -eq 0 ]
	[ "$(grep -c $'\342\200\256' report.out)" -eq 0 ]
	report --format=folded log
	[ "$(wc -l <report.out)" -eq 1 ]
	report --format=html log
	# One script with the data and one of ours; no other begins or ends.
	[ "$(grep -o '<script' report.out | wc -l)" -eq 2 ]
	[ "$(grep -o '</script' report.out | wc -l)" -eq 2 ]
	[ "$(grep -o '<!--' report.out | wc -l)" -eq 0 ]
	if command -v python3; then
		report --format=json log
		read_as json
		report --format=sarif log
		read_as sarif
	fi
}

@test "a page asks the network for nothing" {
	report --no-symbols --format=html "$JOURNALS"/{luajit,node,php,tcc}.json
	grep -q "default-src 'none'" report.out
	[ "$(grep -cE '(src|href)="?(https?:)?//|url\(|@import' report.out)" -eq 0 ]
}

@test "a long journal, in little memory" {
	require_program python3
	python3 "$DATA/make-journal.py" 30000 40 300 >log
	(
		ulimit -v 400000
		run_as report "$JITMEND" report --format=json log
	)
	status_is 0
	read_as json
	[ "$(cut -d ' ' -f 3,4 read.out)" = "40 0" ]
	[ "$("$JITMEND" report --format=html log | wc -c)" -lt 8000000 ]
}

@test "a line tells how far it is, on a terminal alone" {
	require_program script python3
	python3 "$DATA/make-journal.py" 2000 4 30 >some
	mkfifo slow
	# A journal that grows for as long as nothing is told.
	more() {
		grep -qs 'reading slow' typed && return
		sed -n '5,$s/"pid":/"pid":1/p' some
		return 1
	}
	{
		cat some
		eventually more
	} >slow &
	script -qefc "'$JITMEND' report --no-symbols slow 2>&1 >/dev/null" /dev/null >typed </dev/null
	wait
	grep -q 'reading slow: [0-9]* lines' typed
	"$JITMEND" report --no-symbols some >/dev/null 2>err
	[ ! -s err ]
}

# ---------------------------------------------------------------------- pages

@test "the examples of the man page" {
	require_program tcc luajit jq
	cp "$DATA/tcc-hello.c" hello.c
	cp "$DATA/audit.lua" script.lua
	mkdir bin
	ln -s "$JITMEND" bin/jitmend
	# A stand-in: what it would print of a service.
	printf '#!/bin/sh\ncat "%s"\n' "$JOURNALS/php.json" >bin/journalctl
	chmod +x bin/journalctl
	export PATH=$PWD/bin:$PATH
	examples jitmend-report.1 >all
	[ "$(grep -c -e ---- all)" -eq 6 ]
	grep -v -e ---- all | while read -r line; do
		echo "\$ $line"
		bash -o pipefail -ec "$line" >out </dev/null
		head -n 3 out
	done
	[ -s report.html ]
	[ -s jitmend.sarif ]
	[ -s tcc.folded ]
}
