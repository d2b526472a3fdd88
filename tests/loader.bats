#!/usr/bin/env bats
# loader.bats: what the dynamic loader asks for by itself: text relocations, segments
# that are writable and executable, executable stacks; and gcc's code on stacks. In the
# program, in what it needs, and in what it opens (hosts/loader.c, loader-module.c).

# shellcheck disable=SC2154 # common.bash

load common

# compile OUTPUT [OPTION...]: a shared object.
compile() {
	local output=$1

	shift
	"$CC" -O1 -g -shared -fPIC "$@" -o "$output" "$top_srcdir/tests/hosts/loader-module.c" \
		2>>build.err
}

# link OUTPUT [OPTION...]: the host.
link() {
	local output=$1

	shift
	"$CC" -O1 -g "$top_srcdir/tests/hosts/loader.c" "$@" -o "$output" 2>>build.err
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	CC=${CC:-cc}
	{
		compile text.so -DTEXTREL -DNAME=116 -Wl,-z,notext &&
		compile resolved.so -DTEXTREL -DRESOLVED -DNAME=114 -Wl,-z,notext &&
		compile both.so -DWRITABLE_CODE -DNAME=98 &&
		compile stack.so -DNESTED -DNAME=115 -Wl,-z,execstack &&
		compile nested.so -DNESTED -DNAME=110 -Wl,-z,noexecstack &&
		cp stack.so silent.so && silence silent.so &&
		link loader &&
		link nested -DNESTED -Wl,-z,noexecstack &&
		link low -DNESTED -no-pie -fno-pie -Wl,-z,noexecstack &&
		link wants-stack -DNESTED -Wl,-z,execstack &&
		link text -fPIE -pie -DNEEDED -DTEXTREL -DRESOLVED -DNAME=109 -Wl,-z,notext \
			"$top_srcdir/tests/hosts/loader-module.c" &&
		for module in text resolved both stack silent; do
			link "needs-$module" -DNEEDED "./$module.so" || return
		done
		link both -DNEEDED -DWRITABLE_CODE -DNAME=66 "$top_srcdir/tests/hosts/loader-module.c"
	} || echo "cannot be built: $(tail -n 1 build.err)" >unbuilt
}

# silence FILE: without PT_GNU_STACK, as old assembler files make it.
silence() {
	local index start size

	index=$(readelf -lW "$1" | sed -n '/^ *Type/,/^$/p' | sed 1d | grep -n GNU_STACK | cut -d: -f1)
	start=$(readelf -hW "$1" | sed -n 's/.*Start of program headers: *\([0-9]*\).*/\1/p')
	size=$(readelf -hW "$1" | sed -n 's/.*Size of program headers: *\([0-9]*\).*/\1/p')
	printf '\0\0\0\0' |
		dd of="$1" bs=1 seek=$((start + (index - 1) * size)) conv=notrunc status=none
	! readelf -lW "$1" | grep -q GNU_STACK
}

setup() {
	[[ "$(uname -m)" = @(x86_64|i686) ]] || skip "the loader's calls are known on x86 alone"
	cd "$BATS_FILE_TMPDIR" || return
	[ ! -e unbuilt ] || skip "$(cat unbuilt)"
}

# refused_and_mended TEXT POLICY-OPTION... -- PROGRAM [ARG...]: under that policy it says
# TEXT and fails, and with jitmend all is as without the policy.
refused_and_mended() {
	local text=$1

	shift
	denied_and_mended "$@"
	show native denied mended
	same_outcome native mended
	[ "$(cat "$BATS_TEST_TMPDIR/native.status")" -eq 0 ]
	failed denied
	grep -q "$text" "$BATS_TEST_TMPDIR"/denied.{out,err}
	show_log
}

# told PATTERN: a line of the journal has it.
told() {
	grep -qE -e "$1" "$BATS_TEST_TMPDIR/log"
}

# each_policy TEXT PROGRAM [ARG...]: the same under each policy that refuses it.
each_policy() {
	local text=$1 policy

	shift
	for policy in --mdwe --seccomp "--execmem --execmod --execheap --execstack"; do
		# shellcheck disable=SC2086 # a list of options
		require_deny $policy
		# shellcheck disable=SC2086 # the same
		refused_and_mended "$text" $policy -- "$@"
	done
}

@test "an object with text relocations is opened, closed, and opened again" {
	each_policy 'cannot make segment writable' ./loader open ./text.so ./text.so
	told '"call":"mprotect".*"protection":"rwx".*"danger":"execmem".*"done":"(viewed|shared)"'
	told '"stack":\[{"module":"[^"]*/ld-[^}]*},.*"module":"[^"]*/loader"'
}

@test "functions that are chosen while their text is written" {
	each_policy 'cannot make segment writable' ./loader keep ./resolved.so ./text.so ./resolved.so
}

@test "a segment that is writable and executable" {
	each_policy 'failed to map segment' ./loader open ./both.so ./text.so ./both.so
	told '"call":"mmap".*"protection":"rwx".*"danger":"execmem"'
}

@test "libraries that the program needs: text relocations" {
	each_policy 'cannot make segment writable' ./needs-text needed
	told '"call":"mprotect".*"stack":\[{"module":"[^"]*/ld-[^}]*}\]'
	each_policy 'cannot make segment writable' ./needs-resolved needed
}

@test "libraries that the program needs: a writable and executable segment" {
	each_policy 'failed to map segment' ./needs-both needed
}

@test "the program's own text relocations" {
	each_policy 'cannot make segment writable' ./text needed
}

@test "the program's own writable and executable segment, which the kernel maps" {
	local policy policies=(--mdwe --seccomp "--execmem --execmod --execheap --execstack")

	# That the kernel starts it under the others takes the agent.
	! is_of_32_bits || policies=(--seccomp)
	for policy in "${policies[@]}"; do
		# shellcheck disable=SC2086 # a list of options
		require_deny $policy
		# shellcheck disable=SC2086 # the same
		denied_and_mended $policy -- ./both needed
		same_outcome native mended
		# What the kernel does by itself, nobody but itself refuses.
		[ "$policy" != --mdwe ] || failed denied
	done
}

@test "where there is no agent, a program that the kernel does not start is told of" {
	is_of_32_bits || skip "there is an agent for it"
	local policy

	for policy in --mdwe --execmem; do
		require_deny "$policy"
		run_as mended jitmend deny "$policy" -- "$JITMEND" run -- ./both needed
		show mended
		[ "$(cat "$BATS_TEST_TMPDIR/mended.status")" -eq 125 ]
		says mended "there is no agent for such programs"
	done
}

# Since glibc 2.41 dlopen itself refuses what would make stacks executable that are not.
@test "an object that wants executable stacks, or does not say, is opened" {
	run_as native ./loader thread ./stack.so
	if grep -q 'cannot enable executable stack' "$BATS_TEST_TMPDIR/native.out"; then
		run_as mended "$JITMEND" run --policy=strict --log="$BATS_TEST_TMPDIR/log" -- \
			./loader thread ./stack.so
		same_outcome native mended
		skip "the loader opens none here, policy or not"
	fi
	each_policy 'cannot enable executable stack' ./loader thread ./stack.so
	told '"call":"mprotect".*"danger":"execstack".*"done":"emulated"'
	told '"call":"execute".*"length":(23|27|10|14),"protection":"--x".*"danger":"execstack".*"done":"emulated".*"module":"[^"]*/stack.so"'
	told '"event":"count"'
	refused_and_mended 'cannot enable executable stack' --mdwe -- ./loader thread ./silent.so
}

@test "libraries that the program needs: executable stacks" {
	each_policy 'cannot enable executable stack' ./needs-stack needed
	told '"call":"mprotect".*"danger":"execstack".*"done":"emulated"'
	told '"call":"execute".*"danger":"execstack".*"done":"emulated".*"module":"[^"]*/stack.so"'
	refused_and_mended 'cannot enable executable stack' --mdwe -- ./needs-silent needed
}

@test "the program's own wish for executable stacks: its threads" {
	each_policy 'no thread' ./wants-stack nested
	told '"call":"execute".*"danger":"execstack".*"done":"emulated".*"module":"[^"]*/wants-stack"'
}

@test "the start costs one refusal, if any" {
	require_deny --execmem
	run_as mended "$JITMEND" deny --verbose --execmem --execmod -- \
		"$JITMEND" run --quiet -- ./needs-text needed
	show mended
	[ "$(grep -c 'avc: *denied' "$BATS_TEST_TMPDIR/mended.err")" -eq 1 ]
}

@test "where execmod alone is refused, pages are copied" {
	require_deny --execmod
	denied_and_mended --execmod -- ./needs-text needed
	same_outcome native mended
	run_as strict "$JITMEND" run --policy=execmod --quiet -- ./needs-text needed
	same_outcome native strict
}

@test "the strict policy" {
	local program

	for program in "./needs-resolved needed" "./needs-both needed" "./needs-stack needed" \
		"./text needed" "./loader thread ./stack.so"; do
		# shellcheck disable=SC2086 # a command line
		run_as native $program
		# shellcheck disable=SC2086 # the same
		run_as strict "$JITMEND" run --policy=strict --log="$BATS_TEST_TMPDIR/log" -- $program
		same_outcome native strict
	done
}

@test "an audit tells of them, and changes nothing" {
	run_as native ./needs-text needed
	run_as mended "$JITMEND" run --audit --log="$BATS_TEST_TMPDIR/log" -- ./needs-text needed
	same_outcome native mended
	told '"danger":"execmem","answer":"allowed","done":"passed-on"'
}

@test "nested functions on a stack that nobody wants executable, on request" {
	run_as native ./nested nested
	show native
	[ "$(cat "$BATS_TEST_TMPDIR/native.status")" -eq 139 ]
	run_as plain "$JITMEND" run --policy=mdwe --quiet -- ./nested nested
	same_outcome native plain
	run_as wished "$JITMEND" run --policy=mdwe --trampolines --log="$BATS_TEST_TMPDIR/log" -- \
		./nested nested
	show wished
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/wished.out")" = "151,thread 211" ]
	told '"call":"execute".*"module":"[^"]*/nested"'
	told '"event":"count".*"count":60'
	# With addresses of 32 bits gcc's instructions are others.
	run_as low "$JITMEND" run --policy=mdwe --trampolines --log="$BATS_TEST_TMPDIR/log" -- \
		./low nested
	same_outcome wished low
	told '"call":"execute".*"length":(19|23|10|14),'
	run_as wished "$JITMEND" run --policy=mdwe --trampolines --quiet -- ./loader open ./nested.so
	show wished
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/wished.out")" = 110046 ]
}

@test "the audit library is set where it is needed, and by --audit-loader" {
	no_line -q libjitmend-audit < <(jitmend run --quiet -- env)
	jitmend run --quiet --audit-loader -- env | grep -q '^LD_AUDIT=/.*/[$]LIB/libjitmend-audit.so$'
	LD_AUDIT=./libmine.so:/a/libjitmend-audit.so jitmend run --quiet -- env 2>/dev/null |
		grep -q '^LD_AUDIT=/.*/[$]LIB/libjitmend-audit.so:./libmine.so$'
	no_line -q LD_AUDIT < <(jitmend run --quiet --audit-loader --no-children -- sh -c env)
	run_as child jitmend run --policy=mdwe --quiet --audit-loader -- sh -c './needs-text needed'
	show child
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/child.out")" = 116046 ]
}

@test "a library is found as the loader finds it" {
	mkdir -p "$BATS_TEST_TMPDIR/lib"
	cp text.so "$BATS_TEST_TMPDIR/lib/libfound.so"
	link "$BATS_TEST_TMPDIR/found" -DNEEDED -L"$BATS_TEST_TMPDIR/lib" -lfound
	link "$BATS_TEST_TMPDIR/origin" -DNEEDED -L"$BATS_TEST_TMPDIR/lib" -lfound \
		-Wl,-rpath,"\$ORIGIN/lib"
	audited() {
		"$top_builddir/tools/jitmend-check" --preload="$top_builddir/src/preload" \
			--pid=$$ -- "$1" | grep -x jitmend_audit=1
	}
	no_line . < <(audited "$BATS_TEST_TMPDIR/found")
	LD_LIBRARY_PATH=$BATS_TEST_TMPDIR/lib audited "$BATS_TEST_TMPDIR/found"
	audited "$BATS_TEST_TMPDIR/origin"
}
