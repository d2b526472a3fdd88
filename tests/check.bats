#!/usr/bin/env bats
# check.bats: what `jitmend run` makes of the program's file before it starts
# it. Where the kernel and env(1) have an opinion, theirs is asked for in the
# same test.

# What is in single quotes is for other shells; each test has a process of its
# own; make check sets top_builddir.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	umask 022
	unset LD_PRELOAD
}

teardown() {
	[ -z "$public" ] || rm -rf "$public"
	journals_are_right
}

# not_run STATUS TEXT PROGRAM [ARG...]: jitmend says so in one line, and the
# program does not run.
not_run() {
	refused "$1" "$2" run -- "${@:3}"
}

# runs PROGRAM [ARG...]: it does, as it does natively, with the library in it.
runs() {
	run_as native env -- "$@"
	run_as mended "$JITMEND" run --policy=none -- "$@"
	same_outcome native mended
	[ "$(cat mended.status)" -eq 0 ]
}

# as_env STATUS PROGRAM [ARG...]: env(1) cannot run it either, with that status.
as_env() {
	local status=$1

	shift
	run_as native env -- "$@"
	show native
	[ "$(cat native.status)" -eq "$status" ]
}

# script NAME LINE: one that begins with that line and then prints.
script() {
	printf '%s\n' "$2" 'echo "$0 $*"' >"$1"
	chmod +x "$1"
}

# build OUTPUT OPTION...: a C program that prints "ran", or the test is skipped.
build() {
	local output=$1

	shift
	printf '#include <stdio.h>\nint main(void) { puts("ran"); return 0; }\n' >"$output.c"
	$CC -o "$output" "$output.c" "$@" 2>build.err ||
		skip "$CC cannot link with $*: $(head -n 1 build.err)"
}

# patch FILE OFFSET BYTES: overwrites; BYTES as printf(1) writes them.
patch() {
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

copy() {
	cp "$HOSTS/secure" "$1"
}

@test "a program that does not exist: 127, as env" {
	# A folder in PATH that is closed to us would change what env says.
	export PATH=/usr/local/bin:/usr/bin:/bin
	not_run 127 "./none does not exist" ./none
	as_env 127 ./none
	not_run 127 "no-such-program-here: no such program" no-such-program-here
	as_env 127 no-such-program-here
	not_run 127 "''" ''
	as_env 127 ''
	not_run 127 'two\012lines' $'./two\nlines'
}

@test "a file that is not executable, a directory, a device: 126, as env" {
	: >file
	not_run 126 "./file is not executable" ./file
	as_env 126 ./file
	not_run 126 "$PWD is a directory" "$PWD"
	as_env 126 "$PWD"
	not_run 126 "/dev/null is not executable" /dev/null
	as_env 126 /dev/null
	not_run 126 "./file/program" ./file/program
	as_env 126 ./file/program
	ln -s loop loop
	not_run 126 "./loop" ./loop
	as_env 126 ./loop
	[ "$(id -u)" -ne 0 ] || return 0
	mkdir closed
	chmod 0 closed
	not_run 126 "./closed/program cannot be executed: Permission denied" ./closed/program
	as_env 126 ./closed/program
}

@test "PATH is searched as execvp does" {
	mkdir one two three
	: >one/program
	mkdir two/program
	script three/program '#!/bin/sh'
	PATH=$PWD/none:$PWD/one:$PWD/two:$PWD/three:$PATH runs program argument
	grep -qx "$PWD/three/program argument" mended.out
	PATH=$PWD/one:$PATH:$PWD/two not_run 126 "$PWD/one/program is not executable" program
	PATH=$PWD/one:$PATH:$PWD/two as_env 126 program
	# An empty part is the folder we are in.
	script ./program '#!/bin/sh'
	PATH=:$PATH runs program
	PATH=$PATH: runs program
}

# by_agent PROGRAM [ARG...]: it runs, as it does natively, though no library can be
# preloaded into it.
by_agent() {
	[ -x "$top_builddir/tools/jitmend-agent" ] || skip "jitmend-agent is no part of this build"
	runs "$@"
}

@test "a static program runs" {
	build static -static
	by_agent ./static
}

@test "a static position-independent program runs" {
	build static-pie -static-pie
	by_agent ./static-pie
}

@test "a program of another C library runs" {
	require_program musl-gcc
	CC=musl-gcc build musl
	by_agent ./musl
	CC=musl-gcc build musl-static -static
	by_agent ./musl-static
}

@test "without the agent a static program is refused, and --all" {
	build static -static
	mkdir -p tools
	cp "$top_builddir"/tools/jitmend "$top_builddir"/tools/jitmend-check tools/
	ln -s "$top_builddir/src" "$top_builddir/config.status" .
	JITMEND=$PWD/tools/jitmend
	not_run 125 "./static is statically linked" ./static
	run_as mended "$JITMEND" run --all -- true
	show mended
	[ "$(cat mended.status)" -eq 125 ]
	grep -q 'no part of this build' mended.err
}

# A copy that names another loader, no longer than the one it has.
with_loader() {
	local loader

	loader=$(readelf -lW "$HOSTS/secure" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	[ "${#1}" -le "${#loader}" ]
	copy "$2"
	# The name is written over, and its end filled up with slashes before the
	# last part, which the kernel does not mind.
	patch "$2" "$(grep -abo -m 1 "$loader" "$2" | head -n 1 | cut -d: -f1)" \
		"$(printf "%${#loader}s" "$1" | tr ' ' /)"
}

@test "a loader that does not exist is named: 127, as env" {
	local none=/lib64/ld-linux-x86.so.9

	require_program readelf
	! is_of_32_bits || none=/lib/ld-linux.so.9
	with_loader "$none" ./lost
	not_run 127 "${none##*/}, which does not exist" ./lost
	as_env 127 ./lost
	# Which takes the agent, where there is one.
	! is_of_32_bits || return 0
	with_loader /lib/ld-mine.so.1 ./mine
	not_run 127 "lib/ld-mine.so.1, which does not exist" ./mine
}

@test "a 32-bit program is refused where no 32-bit library is installed" {
	copy i386
	patch i386 4 '\001'
	patch i386 18 '\003\000'
	[ -z "$(ls "$top_builddir/src/preload/lib32" "$top_builddir/src/preload/lib/i386-linux-gnu" 2>/dev/null)" ] ||
		skip "this build has a 32-bit library"
	not_run 125 "./i386 is a 32-bit program for i386" ./i386
}

# The kernel makes all that such a program maps executable.
@test "a program of i386 that does not say what its stack is, where that is refused" {
	local number

	is_of_32_bits || skip "what was built here is not of 32 bits"
	require_program readelf
	require_deny --mdwe
	copy unsaid
	number=$(readelf -lW unsaid | awk '$2 ~ /^0x/ { if ($1 == "GNU_STACK") print n + 0; n++ }')
	patch unsaid "$((52 + 32 * number))" '\000\000\000\000'
	run_as refused "$JITMEND" deny --mdwe -- "$JITMEND" run -- ./unsaid
	show refused
	[ "$(cat refused.status)" -eq 125 ]
	grep -q 'has no PT_GNU_STACK' refused.err
	run_as allowed "$JITMEND" run -- ./unsaid
	show allowed
	[ "$(cat allowed.status)" -eq 0 ]
}

@test "a program for another machine is refused and named" {
	local bits=64

	! is_of_32_bits || bits=32
	copy other
	patch other 18 '\267\000'
	not_run 125 "./other is a $bits-bit program for aarch64" ./other
	patch other 18 '\363\000'
	not_run 125 "./other is a $bits-bit program for riscv" ./other
	patch other 18 '\377\356'
	not_run 125 "machine number 61183" ./other
	patch other 5 '\002'
	not_run 125 "another byte order" ./other
}

@test "an x32 program is refused and named" {
	copy x32
	patch x32 4 '\001'
	patch x32 18 '\076\000'
	[ -z "$(ls "$top_builddir/src/preload/libx32" 2>/dev/null)" ] ||
		skip "this build has an x32 library"
	not_run 125 "./x32 is a 32-bit program for x32" ./x32
}

@test "truncated and malformed ELF files: 126, and nothing crashes" {
	local size sizes=(4 5 16 17 51 52 63 64 100 700)
	local word=8 headers=32 header_size=54 header_count=56

	if is_of_32_bits; then
		sizes=(4 5 16 17 51 52 80 350)
		word=4 headers=28 header_size=42 header_count=44
	fi
	copy whole
	for size in "${sizes[@]}"; do
		head -c "$size" whole >./cut
		chmod +x cut
		not_run 126 "./cut" ./cut
	done
	# Header sizes, counts and types that cannot be.
	copy bad
	patch bad "$header_size" '\001\000'
	not_run 126 "malformed" ./bad
	copy bad
	patch bad "$header_count" '\000\000'
	not_run 126 "malformed" ./bad
	copy bad
	patch bad 4 '\007'
	not_run 126 "malformed" ./bad
	copy bad
	patch bad 16 '\004\000'
	not_run 126 "neither a program nor a shared object" ./bad
	copy bad
	patch bad "$headers" "$(printf '\\377%.0s' $(seq "$word"))"
	not_run 126 "truncated" ./bad
	copy bad
	patch bad "$headers" "$(printf '\\377%.0s' $(seq $((word - 1))))\177"
	not_run 126 "truncated" ./bad
	copy bad
	patch bad "$headers" '\377\377\377\000'
	not_run 126 "truncated" ./bad
}

@test "an ELF file with any byte of its headers spoilt: an answer, never a crash" {
	local offset status value

	for value in '\377' '\000' '\200'; do
		# The ELF header, then a byte here and there in the program headers.
		for offset in $(seq 4 5 63) $(seq 64 41 600); do
			copy spoilt
			patch spoilt "$offset" "$value"
			status=0
			"$top_builddir/tools/jitmend-check" --preload="$top_builddir/src/preload" \
				--pid=$$ --path="$PATH" ./spoilt >answer 2>message || status=$?
			echo "offset $offset value $value: status $status $(cat message)"
			case $status in
			0) [ ! -s message ] ;;
			125 | 126 | 127) [ "$(wc -l <message)" -eq 1 ] ;;
			*) false ;;
			esac
		done
	done
}

@test "a malformed dynamic section is left to the loader to tell" {
	require_program readelf
	local offset

	copy spoilt
	offset=$(readelf -lW spoilt | awk '$1 == "DYNAMIC" { print $2 }')
	[ -n "$offset" ]
	# Every entry a needed library, named far away.
	for _ in $(seq 40); do
		printf '\001\000\000\000\000\000\000\000\377\377\377\377\377\377\377\177'
	done | dd of=spoilt bs=1 seek=$((offset)) conv=notrunc status=none
	run_as check "$top_builddir/tools/jitmend-check" --preload="$top_builddir/src/preload" \
		--pid=$$ --path="$PATH" ./spoilt
	show check
	[ "$(cat check.status)" -eq 0 ]
}

@test "a data file is refused: 126" {
	[ -z "$(find /proc/sys/fs/binfmt_misc -mindepth 1 ! -name register ! -name status 2>/dev/null)" ] ||
		skip "programs for other kinds of files are registered here"
	printf 'MZ\000\001\002\003\000data' >data
	chmod +x data
	not_run 126 "./data is neither an ELF program nor a script" ./data
}

@test "a script without #! runs by /bin/sh, as with env" {
	printf 'echo "no line, $*"\n' >script
	: >empty
	# Too long a name is none to the kernel either.
	printf '#!/%s\necho long\n' "$(printf '%300s' '' | tr ' ' x)" >long
	printf '#!   \t\necho blank\n' >blank
	chmod +x script empty long blank
	for program in ./script ./empty ./long ./blank; do
		run_as native env "$program" one two
		run_as mended "$JITMEND" run --policy=none "$program" one two
		same_outcome native mended
		[ "$(cat mended.status)" -eq 0 ]
	done
}

@test "scripts run, with and without an argument and blanks" {
	local line

	for line in '#!/bin/sh' '#! /bin/sh' $'#!\t/bin/sh\t ' '#!/bin/sh -e' '#! /bin/sh  -e  '; do
		script ./script "$line"
		runs ./script one "two words"
	done
	printf '#!/bin/sh' >no-newline
	chmod +x no-newline
	runs ./no-newline
	# An argument longer than the kernel's buffer is cut, not refused.
	script ./long-argument "#!/bin/echo $(printf '%400s' '' | tr ' ' x)"
	runs ./long-argument
}

@test "a first line around the kernel's limit of 256 bytes" {
	local length end filler

	for length in 253 254 255 256 257; do
		# The name ends at that byte of the file.
		filler=$(printf '%*s' $((length - 11)) '' | sed 's|  |/.|g; s| |/|')
		for end in '' '\n' ' ' ' x' ' \n' '\t-x\n'; do
			printf "#!%s/bin/echo$end" "$filler" >./limit
			chmod +x limit
			run_as native env ./limit
			run_as mended "$JITMEND" run --policy=none ./limit
			echo "length $length, end '$end'"
			same_outcome native mended
		done
	done
}

@test "a script by a relative interpreter" {
	ln -s /bin/sh here
	script ./script '#!here'
	runs ./script
	script ./script '#!./here'
	runs ./script
}

@test "an interpreter that is missing is named: 127, as env" {
	script ./script '#!/no/such/interpreter -x'
	not_run 127 "./script runs /no/such/interpreter, which does not exist" ./script
	as_env 127 ./script
	# Not the line's end that it looks like.
	script ./script $'#!/bin/sh\r'
	not_run 127 '/bin/sh\015' ./script
	as_env 127 ./script
}

@test "an interpreter that is not executable is named: 126, as env" {
	: >interpreter
	script ./script "#!$PWD/interpreter"
	not_run 126 "./script runs $PWD/interpreter, which is not executable" ./script
	as_env 126 ./script
	script ./script "#!$PWD"
	not_run 126 "$PWD, which is a directory" ./script
	as_env 126 ./script
}

@test "an interpreter that is static runs" {
	build static -static
	script ./script "#!$PWD/static"
	by_agent ./script
}

@test "scripts upon scripts: as many as the kernel takes" {
	local i

	script ./s1 '#!/bin/sh'
	for i in 2 3 4 5 6; do
		script "./s$i" "#!$PWD/s$((i - 1))"
	done
	for i in 1 2 3 4 5; do
		runs "./s$i" argument
	done
	not_run 125 "more than 5 scripts" ./s6
	as_env 126 ./s6
}

@test "scripts in a circle are refused" {
	script ./self "#!$PWD/self"
	not_run 125 "./self: its #! line leads to more than 5 scripts" ./self
	as_env 126 ./self
	script ./a "#!$PWD/b"
	script ./b "#!$PWD/a"
	not_run 125 "./a: its #! line leads to more than 5 scripts" ./a
	as_env 126 ./a
}

@test "env in a script's first line: the program is looked at" {
	build static -static
	export PATH=$PWD:$PATH
	script ./script '#!/usr/bin/env sh'
	runs ./script one
	script ./script '#!/usr/bin/env -S sh -e'
	runs ./script one
	script ./script '#!/usr/bin/env -S A=b sh'
	runs ./script one
	script ./script '#!/usr/bin/env static'
	by_agent ./script
	script ./script '#!/usr/bin/env -S A=b static -x'
	by_agent ./script
	script ./script "#!/usr/bin/env -S PATH=/bin:$PWD -u PATH static"
	run_as native ./script
	run_as mended "$JITMEND" run --policy=none ./script
	same_outcome native mended
	script ./inner "#!$PWD/static"
	script ./script '#!/usr/bin/env inner'
	by_agent ./script
	# A circle through env has no end: nobody else may hang in it.
	script ./again '#!/usr/bin/env again'
	run_as check timeout "$PATIENCE" "$top_builddir/tools/jitmend-check" \
		--preload="$top_builddir/src/preload" --pid=$$ --path="$PATH" ./again
	[ "$(cat check.status)" -eq 0 ]
}

@test "env that takes the library away is refused" {
	script ./script '#!/usr/bin/env -S -i sh'
	not_run 125 "takes LD_PRELOAD out of the environment" ./script
	not_run 125 "takes LD_PRELOAD out of the environment" env -i true
	not_run 125 "takes LD_PRELOAD out of the environment" env - true
	not_run 125 "takes LD_PRELOAD out of the environment" env -uLD_PRELOAD true
	not_run 125 "takes LD_PRELOAD out of the environment" env --unset=LD_PRELOAD true
	not_run 125 "takes LD_PRELOAD out of the environment" env LD_PRELOAD= true
	runs env -u OTHER OTHER_PRELOAD=x true
}

@test "env says itself what it does not find" {
	# A folder in PATH that is closed to us would change what env says.
	export PATH=/usr/local/bin:/usr/bin:/bin
	script ./script '#!/usr/bin/env no-such-program-here'
	run_as native ./script
	run_as mended "$JITMEND" run --policy=none ./script
	same_outcome native mended
	[ "$(cat mended.status)" -eq 127 ]
	cmp native.err mended.err
}

@test "--no-children and env do not go together" {
	script ./script '#!/usr/bin/env sh'
	refused 125 "--no-children" run --no-children ./script
	run_as env "$JITMEND" run --no-children env
	[ "$(cat env.status)" -eq 0 ]
}

@test "ld.so as a program: what it loads is looked at" {
	require_program readelf
	local loader

	loader=$(readelf -lW "$HOSTS/secure" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	[ -x "$loader" ] || skip "no $loader here"
	runs "$loader" "$HOSTS/secure"
	runs "$loader" --argv0 name --inhibit-cache "$HOSTS/secure"
	build static -static
	not_run 125 "./static, which is statically linked" "$loader" ./static
}

# A folder that other users reach too: bats's own may be closed to them.
make_public() {
	public=$(mktemp -d "${TMPDIR:-/tmp}/jitmend-test-XXXXXX")
	chmod 755 "$public"
	cp "$HOSTS/secure" "$public/secure"
}

# as_kernel COMMAND...: COMMAND runs the copy of the host that prints AT_SECURE;
# where the kernel says 1, jitmend refuses it with $clause, and else runs it.
as_kernel() {
	local expected=$1 clause=$2 before=()

	shift 2
	[ $# -eq 0 ] || before=("$@")
	run_as native "${before[@]}" "$public/secure"
	run_as mended "${before[@]}" "$JITMEND" run --policy=none "$public/secure"
	show native mended
	# A mount or a container may take the bit's meaning away: as it does there.
	if [ "$(cat native.out)" = "$expected" ]; then
		echo "as expected: $expected"
	elif [ "$expected" = 1 ]; then
		skip "the kernel gives no rights here"
	else
		false
	fi
	if [ "$expected" = 1 ]; then
		[ "$(cat mended.status)" -eq 125 ]
		says mended "$public/secure $clause"
	else
		same_outcome native mended
	fi
}

other_user() {
	require_program setpriv
	[ "$(id -u)" -eq 0 ] || skip "only root becomes another user"
	setpriv --reuid=65534 --regid=65534 --clear-groups true ||
		skip "no other user to become here"
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		test -x "$top_builddir/tools/jitmend-check" -a -x "$public/secure" ||
		skip "the build is closed to other users"
	other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
}

@test "set-user-ID of one's own changes nothing: it runs" {
	make_public
	chmod u+s,g+s "$public/secure"
	as_kernel 0 ''
}

@test "set-user-ID of somebody else is refused" {
	make_public
	if [ "$(id -u)" -eq 0 ]; then
		chown 65534 "$public/secure" || skip "files cannot be given away here"
		chmod u+s "$public/secure"
		as_kernel 1 'is set-user-ID'
	else
		require_program su
		[ -u "$(command -v su)" ] || skip "su is not set-user-ID here"
		not_run 125 "is set-user-ID" su --help
	fi
}

@test "set-user-ID root is refused to other users" {
	make_public
	other_user
	chmod u+s "$public/secure"
	as_kernel 1 'is set-user-ID' "${other[@]}"
	as_kernel 0 '' "${other[@]}" --no-new-privs
}

@test "set-group-ID is refused, without group execution it is not" {
	make_public
	other_user
	chgrp 0 "$public/secure"
	chmod 2755 "$public/secure"
	as_kernel 1 'is set-group-ID' "${other[@]}"
	chmod 2745 "$public/secure"
	as_kernel 0 '' "${other[@]}"
}

@test "an interpreter with other rights is refused, a script's own bits are not" {
	make_public
	other_user
	printf '#!%s\n' "$public/secure" >"$public/script"
	chmod 4755 "$public/script"
	run_as mended "${other[@]}" "$JITMEND" run --policy=none "$public/script"
	show mended
	[ "$(cat mended.out)" = 0 ]
	chmod u+s "$public/secure"
	run_as native "${other[@]}" "$public/script"
	[ "$(cat native.out)" = 1 ] || skip "the kernel gives no rights here"
	run_as mended "${other[@]}" "$JITMEND" run --policy=none "$public/script"
	show mended
	[ "$(cat mended.status)" -eq 125 ]
	says mended "$public/script runs $public/secure, which is set-user-ID"
}

@test "file capabilities are refused where they give something" {
	local setcap

	make_public
	setcap=$(PATH=$PATH:/usr/sbin:/sbin command -v setcap) || skip "setcap is not installed"
	[ "$(id -u)" -eq 0 ] || skip "only root gives capabilities"
	"$setcap" cap_net_raw+ep "$public/secure" || skip "no file capabilities here"
	as_kernel 0 ''
	other_user
	as_kernel 1 'has file capabilities' "${other[@]}"
	"$setcap" cap_net_raw+p "$public/secure"
	as_kernel 1 'has file capabilities' "${other[@]}"
	as_kernel 0 '' "${other[@]}" --bounding-set=-net_raw
	"$setcap" cap_net_raw+i "$public/secure"
	as_kernel 0 '' "${other[@]}"
	as_kernel 1 'has file capabilities' "${other[@]}" --inh-caps=+net_raw
}

@test "a program that may be executed but not read runs" {
	make_public
	other_user
	chmod 711 "$public/secure"
	as_kernel 0 '' "${other[@]}"
	chmod 4711 "$public/secure"
	as_kernel 1 'is set-user-ID' "${other[@]}"
}

@test "a sanitizer's runtime stays first" {
	local first

	build sanitized -fsanitize=address
	first=$(ldd ./sanitized | sed -n 's/^[[:space:]]*\(libasan[^ ]*\).*/\1/p')
	[ -n "$first" ] || skip "$CC links its sanitizer statically"
	[ "$(./sanitized)" = ran ] || skip "the sanitizer does not work here"
	runs ./sanitized
	script ./script "#!$PWD/sanitized"
	runs ./script
	run_as answer "$top_builddir/tools/jitmend-check" --preload="$top_builddir/src/preload" \
		--pid=$$ --path="$PATH" ./sanitized
	show answer
	grep -qx "jitmend_first='$first'" answer.out
	# Already there: not twice, and still first.
	export LD_PRELOAD=$first
	runs ./sanitized
	[ "$("$JITMEND" run printenv LD_PRELOAD)" = \
		"$first:$top_builddir/src/preload/"'$LIB/libjitmend.so' ]
}
