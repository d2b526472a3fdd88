#!/usr/bin/env bats
# origins.bats: --origins, which tells where malloc'd memory came from, in a
# library of its own that stands before malloc; and the wrapper's other options
# of the journal.

# What is in single quotes is for ld.so; each test has a process of its own; make
# check sets top_builddir and the rest.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load common

setup() {
	skip_listed
	cd "$BATS_TEST_TMPDIR" || return
	ulimit -c 0
	unset LD_PRELOAD
	LIBRARIES=$top_builddir/src/preload/'$LIB/libjitmend.so':$top_builddir/src/preload/'$LIB/libjitmend-origins.so'
}

# watched PROGRAM [ARG...]: it runs under --origins, mended beforehand so that no
# policy is needed, and prints what it prints natively.
watched() {
	rm -f log.*
	run_as native "$@"
	run_as mended "$JITMEND" run --policy=execheap --origins --log="$PWD/log.%p" -- "$@"
	same_outcome native mended
	cmp native.err mended.err
}

# As words: the origin of each request in the logs, its call, and the first
# function on its stack by the debug information of MODULE.
origins() {
	require_program python3 addr2line
	cat log.* >&2
	python3 "$DATA/read-journal.py" functions "$1" log.* | sed -n 's/^origin \([^ ]* [^ ]*\).*/\1/p'
}

# origin_is CALL FUNCTION PART: the host's part has its memory from there.
origin_is() {
	watched "$HOSTS/origins" "$3"
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(origins "$HOSTS/origins" | head -n 1)" = "$1: $2" ]
}

# The journal's words on the first origin: CALL and the module of its first frame.
first_origin() {
	require_program python3
	cat log.* >&2
	cat log.* | python3 -c '
import json, sys
for line in sys.stdin:
    origin = json.loads(line).get("origin")
    if origin:
        print(origin["call"], origin["stack"][0]["module"], len(origin["stack"]))
        break'
}

# ----------------------------------------------------------- where it came from

@test "tcc: its code is in memory that malloc gave to tcc" {
	require_program tcc
	watched tcc -run "$DATA/tcc-hello.c"
	[ "$(cat mended.status)" -eq 0 ]
	run first_origin
	echo "$output"
	grep -Eq "^(malloc|calloc|realloc) $(readlink -f "$(command -v tcc)") [0-9]+$" <<<"${lines[-1]}"
	# More than the call: tcc calls malloc in one place.
	[ "${lines[-1]##* }" -gt 2 ]
}

@test "tcc: without --origins nobody knows" {
	require_program tcc
	run_as mended "$JITMEND" run --policy=execheap --log="$PWD/log.1" tcc -run "$DATA/tcc-hello.c"
	show mended
	grep -q execheap log.1
	[ -z "$(first_origin)" ]
}

@test "tcc: a line in words names the call, too" {
	require_program tcc
	run_as mended "$JITMEND" run --policy=execheap --origins tcc -run "$DATA/tcc-hello.c"
	show mended
	grep -Eq "memory from (malloc|calloc|realloc) at $(readlink -f "$(command -v tcc)")\+0x" mended.err
}

@test "tcc: --audit changes nothing and tells the same" {
	require_program tcc
	run_as native tcc -run "$DATA/tcc-hello.c"
	run_as mended "$JITMEND" run --audit --origins --log="$PWD/log.1" tcc -run "$DATA/tcc-hello.c"
	same_outcome native mended
	[ -n "$(first_origin)" ]
}

@test "the converter: its function that calls malloc" {
	! is_of_32_bits || skip "the code that the converter makes is x86_64's"
	watched "$HOSTS/converter" --allocator=malloc --hex "$DATA/customers.dictionary" \
		"$DATA/customers.hex"
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(origins "$HOSTS/converter" | head -n 1)" = "malloc: allocate_malloc" ]
}

@test "the converter: posix_memalign is still told, and not what lies beside it" {
	! is_of_32_bits || skip "the code that the converter makes is x86_64's"
	watched "$HOSTS/converter" --allocator=memalign-small --hex "$DATA/customers.dictionary" \
		"$DATA/customers.hex"
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(origins "$HOSTS/converter" | head -n 1)" = "posix_memalign: allocate_memalign" ]
}

@test "each of malloc's kin" {
	origin_is malloc by_malloc malloc
	origin_is calloc by_calloc calloc
	origin_is realloc by_realloc realloc
	origin_is reallocarray by_reallocarray reallocarray
}

@test "a realloc that fails changes nothing" {
	origin_is malloc by_malloc failed
}

@test "memory that was given back belongs to who has it now" {
	origin_is calloc by_calloc again
	origin_is malloc by_malloc memalign-again
}

@test "of two on a page, the younger" {
	origin_is calloc by_calloc neighbour
}

@test "a module that was closed meanwhile" {
	"$CC" -O1 -shared -fPIC -o module.so "$top_srcdir/tests/hosts/origins-module.c" ||
		skip "$CC cannot build a shared library"
	export MODULE=$PWD/module.so
	watched "$HOSTS/origins" module
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(first_origin | cut -d ' ' -f 1,2)" = "malloc $PWD/module.so" ]
}

@test "memory of a constructor before the library's own" {
	"$CC" -O1 -shared -fPIC -o libearly.so "$top_srcdir/tests/hosts/origins-module.c" &&
		"$CC" -DORIGINS_PROGRAM -o early "$top_srcdir/tests/hosts/origins-module.c" \
			-L. -learly -Wl,-rpath,"$PWD" || skip "$CC cannot build a shared library"
	watched ./early
	[ "$(cat mended.status)" -eq 0 ]
	[ "$(cat mended.out)" -eq 42 ]
	[ "$(first_origin)" = "malloc $PWD/libearly.so 1" ]
}

@test "--backtrace: that many frames and no more" {
	require_program tcc
	local frames

	for frames in 1 2 5; do
		rm -f log.*
		"$JITMEND" run --policy=execheap --origins --backtrace="$frames" \
			--log="$PWD/log.%p" tcc -run "$DATA/tcc-hello.c"
		[ "$(first_origin | cut -d ' ' -f 3)" -eq "$frames" ]
	done
}

# ------------------------------------------------------------- nothing is broken

@test "what malloc and its kin promise" {
	watched "$HOSTS/origins" semantics
	[ "$(cat mended.status)" -eq 0 ]
}

@test "threads that allocate" {
	watched "$HOSTS/origins" threads
	[ "$(cat mended.status)" -eq 0 ]
}

@test "a fork while threads allocate" {
	watched timeout "$PATIENCE" "$HOSTS/origins" forks
	[ "$(cat mended.status)" -eq 0 ]
}

@test "a thread with a small stack" {
	watched "$HOSTS/origins" small-stack
	[ "$(cat mended.status)" -eq 0 ]
}

# mended_with_jemalloc LIBRARIES PART
mended_with_jemalloc() {
	run_as mended env LD_PRELOAD="$1" JITMEND_POLICY=execmem JITMEND_LOG="$PWD/log.%p" \
		"$HOSTS/origins" "$2"
}

@test "jemalloc beside it" {
	LD_PRELOAD=libjemalloc.so.2 true 2>jemalloc.err
	[ ! -s jemalloc.err ] || skip "libjemalloc.so.2 is not installed"
	local order part

	for order in "libjemalloc.so.2:$LIBRARIES" "$LIBRARIES:libjemalloc.so.2"; do
		for part in semantics threads forks malloc memalign-again; do
			run_as native env LD_PRELOAD=libjemalloc.so.2 "$HOSTS/origins" "$part"
			mended_with_jemalloc "$order" "$part"
			# A child of jemalloc's alone hangs, too, in one run of sixty on i386.
			[ "$part" != forks ] || cmp -s native.out mended.out || {
				run_as native env LD_PRELOAD=libjemalloc.so.2 "$HOSTS/origins" "$part"
				mended_with_jemalloc "$order" "$part"
			}
			same_outcome native mended
			[ "$(cat mended.status)" -eq 0 ]
		done
	done
	# What jemalloc gives is known as well.
	rm log.*
	LD_PRELOAD="$LIBRARIES:libjemalloc.so.2" JITMEND_MODE=audit JITMEND_LOG=$PWD/log.1 \
		"$HOSTS/origins" calloc
	[ "$(origins "$HOSTS/origins" | head -n 1)" = "calloc: by_calloc" ]
}

@test "jemalloc, and a constructor before ours" {
	LD_PRELOAD=libjemalloc.so.2 true 2>jemalloc.err
	[ ! -s jemalloc.err ] || skip "libjemalloc.so.2 is not installed"
	"$CC" -O1 -shared -fPIC -o libearly.so "$top_srcdir/tests/hosts/origins-module.c" &&
		"$CC" -DORIGINS_PROGRAM -o early "$top_srcdir/tests/hosts/origins-module.c" \
			-L. -learly -Wl,-rpath,"$PWD" || skip "$CC cannot build a shared library"
	run_as mended env LD_PRELOAD="$LIBRARIES:libjemalloc.so.2" JITMEND_LOG="$PWD/log" ./early
	show mended
	[ "$(cat mended.out)" -eq 42 ]
}

@test "other programs" {
	require_program python3 bash "$CC"
	watched bash -c 'a=(); for i in {1..300}; do a+=("$(echo $i)"); done; echo "${a[@]}" | wc'
	watched python3 -c '
import ctypes, json, os, threading
print(json.dumps({str(i): [i] * 20 for i in range(500)}))
for i in range(5):
    if os.fork() == 0:
        os._exit(len([bytearray(n) for n in range(3000)]) != 3000)
    print(os.wait()[1])'
	"$CC" -O1 -c -o native.o "$top_srcdir/tests/hosts/journal-plugin.c"
	"$JITMEND" run --origins --log="$PWD/log.%p" "$CC" -O1 -c -o mended.o "$top_srcdir/tests/hosts/journal-plugin.c"
	cmp native.o mended.o
}

@test "--no-children: neither library, for them" {
	run_as mended "$JITMEND" run --no-children --origins sh -c 'env; cat /proc/self/maps'
	show mended
	grep -q . mended.out
	if grep -E 'libjitmend|JITMEND' mended.out; then
		return 1
	fi
}

@test "the library exports its hooks and what the other one asks for" {
	require_program nm readelf
	local library=$top_builddir/src/.libs/libjitmend-origins.so

	sed -n '/^global:/,/^local:/s/^[[:space:]]\{1,\}\([A-Za-z_0-9]*\);.*/\1/p' \
		"$top_srcdir/src/origins/origins.map" | sort >listed
	nm -D --defined-only "$library" | awk '{ print $3 }' | sort >exported
	[ "$(wc -l <listed)" -eq 7 ]
	diff -u listed exported
	readelf -rW "$library" >relocations
	grep -qE 'R_(X86_64|386|AARCH64)' relocations
	if grep -E 'R_(X86_64_(DTPMOD|DTPOFF|TLSDESC)|386_TLS_(DTPMOD|DTPOFF|DESC)|AARCH64_(TLS_DTP|TLSDESC))' relocations; then
		return 1
	fi
	readelf -dW "$library" >dynamic
	if grep NEEDED dynamic | grep -vE '\[(libc\.so\.6|libdl\.so\.2|ld-linux[^]]*)\]'; then
		return 1
	fi
}

# ------------------------------------------------------------------ the wrapper

@test "--origins: the second library stands right behind the first" {
	local list

	list=$("$JITMEND" run --origins --policy=none printenv LD_PRELOAD)
	[ "$list" = "$LIBRARIES" ]
	list=$(LD_PRELOAD=libjemalloc.so.2 "$JITMEND" run --origins --policy=none \
		printenv LD_PRELOAD 2>/dev/null)
	[ "$list" = "$LIBRARIES:libjemalloc.so.2" ]
	# Another run within it keeps to it, and does not double it.
	list=$("$JITMEND" run --origins --policy=none "$JITMEND" run printenv LD_PRELOAD)
	[ "$list" = "$LIBRARIES" ]
	list=$("$JITMEND" run --policy=none printenv LD_PRELOAD)
	[ "$list" = "${LIBRARIES%%:*}" ]
}

@test "--origins: a library that is missing is named" {
	mkdir -p "tree/tools" "tree/src/preload/$DL_LIB"
	cp "$JITMEND" "$top_builddir/tools/jitmend-check" tree/tools/
	cp "$top_builddir/src/preload/$DL_LIB/libjitmend.so" "tree/src/preload/$DL_LIB/"
	: >tree/config.status
	tree/tools/jitmend run "$HOSTS/origins" malloc
	run_as refused tree/tools/jitmend run --origins "$HOSTS/origins" malloc
	show refused
	[ "$(cat refused.status)" -eq 125 ]
	[ "$(wc -l <refused.err)" -eq 1 ]
	says refused "$PWD/tree/src/preload/$DL_LIB/libjitmend-origins.so is missing"
}

@test "--backtrace becomes the variable" {
	[ "$("$JITMEND" run --backtrace=7 printenv JITMEND_BACKTRACE)" = 7 ]
	[ "$("$JITMEND" run --backtrace 64 printenv JITMEND_BACKTRACE)" = 64 ]
	[ "$(JITMEND_BACKTRACE=3 "$JITMEND" run printenv JITMEND_BACKTRACE)" = 3 ]
	[ "$(JITMEND_BACKTRACE=0 "$JITMEND" run --backtrace=1 printenv JITMEND_BACKTRACE)" = 1 ]
}

@test "bad words: one line that names them, 125" {
	local word

	for word in 0 65 -1 +1 1x x 99999999999999999999; do
		refused 125 "--backtrace: '$word'" run --backtrace="$word" true
	done
	refused 125 "--backtrace: ''" run --backtrace= true
	refused 125 "'--backtrace' needs a value" run --backtrace
	refused 125 "'--origins' takes no value" run --origins=yes true
	JITMEND_BACKTRACE=65 refused 125 "JITMEND_BACKTRACE: '65'" run true
	JITMEND_BACKTRACE='' refused 125 "JITMEND_BACKTRACE: ''" run true
}

# socket_log PATH NAME: the wrapper takes the log where somebody listens, and
# says who is missing where nobody does.
socket_log() {
	if python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect(sys.argv[1])' "$1" 2>/dev/null; then
		[ "$("$JITMEND" run --policy=none --log="$2" printenv JITMEND_LOG)" = "$2" ]
		[ "$(JITMEND_LOG=$2 "$JITMEND" run --policy=none printenv JITMEND_LOG)" = "$2" ]
	else
		refused 125 "--log: nothing can be sent to $1: " run --log="$2" true
		JITMEND_LOG=$2 refused 125 "JITMEND_LOG: nothing can be sent to $1: " run true
	fi
	# It is no file, and a file of that name is none of it.
	[ ! -e "$2" ]
	[ "$("$JITMEND" run --policy=none --log="./$2" printenv JITMEND_LOG)" = "$PWD/./$2" ]
	[ -f "$2" ]
}

@test "--log=syslog: and --log=journald:" {
	require_program python3
	socket_log /dev/log syslog:
	socket_log /run/systemd/journal/socket journald:
}
