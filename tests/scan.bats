#!/usr/bin/env bats
# scan.bats: `jitmend scan' tells what is in a file and nothing else, whatever is
# in it. The files are made here, by the compiler and the linker, each with one
# bad habit; what others say of the same file is asked where they are installed.

# Each test has a process of its own; make check sets top_builddir.
# shellcheck disable=SC2030,SC2031,SC2154

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	[ -x "$top_builddir/tools/jitmend-scan" ] || skip "built without jitmend scan"
	[ "$(uname -m)" = x86_64 ] || skip "the files are made for x86_64"
	unset NO_COLOR
}

scan() {
	run_as scan "$JITMEND" scan "$@"
	show scan
}

# status N: what the last scan ended with.
status() {
	[ "$(cat scan.status)" -eq "$1" ]
}

# found KIND TEXT: such a line.
found() {
	grep -qE -e "^  $1 +$2" scan.out
}

# lacks PATTERN [FILE]: as `! grep', which bash lets pass when it fails.
lacks() {
	! grep -q "$@"
}

# make_program OUTPUT OPTION...: a C program of no interest, linked so.
make_program() {
	local output=$1

	shift
	[ -e plain.c ] || echo 'int main(void) { return 0; }' >plain.c
	$CC -o "$output" plain.c "$@" 2>build.err ||
		skip "$CC cannot link with $*: $(tail -n 1 build.err)"
}

# A library with two functions that hold text relocations, made by hand, since no
# compiler can be trusted to go on making them.
make_textrel() {
	cat >textrel.s <<-'END'
		.text
		.globl first, second, clean
		.type first, @function
		.type second, @function
		.type clean, @function
		first:
			.cfi_startproc
			movabs $target, %rax
			ret
			.cfi_endproc
		.size first, .-first
		second:
			.cfi_startproc
			movabs $target, %rax
			movabs $target, %rcx
			ret
			.cfi_endproc
		.size second, .-second
		clean:
			.cfi_startproc
			ret
			.cfi_endproc
		.size clean, .-clean
		.data
		.globl target
		target: .quad 1
		.section .note.GNU-stack,"",@progbits
	END
	$CC -shared -nostdlib -Wl,-z,notext,--eh-frame-hdr -o "$1" textrel.s 2>build.err ||
		skip "$CC cannot make text relocations: $(tail -n 1 build.err)"
}

# patch FILE OFFSET BYTES: overwrites; BYTES as printf(1) writes them.
patch() {
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "--help does not give up what the agent mends" {
	[ -x "$top_builddir/tools/jitmend-agent" ] || skip "jitmend-agent is no part of this build"
	"$JITMEND" scan --help >help
	[ "$(grep -cE '^  (static|loader) ' help)" -eq 2 ]
	[ "$(grep -cE '^  (static|loader) .*cannot help' help)" -eq 0 ]
}

@test "a program of no interest: nothing is found" {
	make_program plain
	scan plain
	status 0
	[ "$(cat scan.out)" = "plain: 64-bit program for x86_64: nothing to mend" ]
	[ ! -s scan.err ]
}

@test "text relocations, and the functions they are in" {
	make_textrel libtext.so
	scan libtext.so
	status 1
	found textrel '1 text relocation in first$'
	found textrel '2 text relocations in second$'
	[ "$(grep -c '^  textrel' scan.out)" -eq 2 ]
	grep -q 'jitmend works: jitmend run mends what is asked for when it is loaded' scan.out
}

@test "text relocations in a stripped file: frames tell where, or addresses" {
	make_textrel libtext.so
	# What is exported keeps its name: it must not be.
	$CC -shared -nostdlib -Wl,-z,notext,--eh-frame-hdr,--version-script=/dev/stdin \
		-o hidden.so textrel.s <<<'{ global: target; local: *; };' || skip "no version script"
	strip hidden.so
	scan hidden.so
	status 1
	found textrel '1 text relocation in the function at 0x[0-9a-f]+$'
	found textrel '2 text relocations in the function at 0x[0-9a-f]+$'
	# The frames away: their program header is none any more.
	local headers
	headers=$(readelf -lW hidden.so | awk '/^  [A-Z]/ && $1 != "Type" { n++; if ($1 == "GNU_EH_FRAME") print n - 1 }')
	patch hidden.so $((64 + 56 * headers)) '\0\0\0\0'
	scan hidden.so
	status 1
	found textrel '3 text relocations in no known function, first at 0x[0-9a-f]+$'
}

@test "executable stacks" {
	make_program execstack -Wl,-z,execstack
	scan execstack
	status 1
	found execstack 'PT_GNU_STACK asks for executable stacks'
	# An assembler file without the note, where the linker takes that for a wish.
	echo '.globl nothing' >nothing.s
	make_program from-asm nothing.s
	scan from-asm
	if readelf -lW from-asm | grep -q 'GNU_STACK .* RWE '; then
		status 1
		found execstack ''
	else
		status 0
	fi
	# No header at all: made another one.
	local headers
	make_program plain
	headers=$(readelf -lW plain | awk '/^  [A-Z]/ && $1 != "Type" { n++; if ($1 == "GNU_STACK") print n - 1 }')
	patch plain $((64 + 56 * headers)) '\0\0\0\0'
	scan plain
	status 1
	found no-gnu-stack 'no PT_GNU_STACK header'
}

@test "a writable and executable segment" {
	make_program rwx -nostdlib -static -Wl,-N,-e,main
	readelf -lW rwx | grep -q 'RWE' || skip "the linker makes none"
	scan rwx
	status 1
	found rwx 'the segment at 0x[0-9a-f]+, 0x[0-9a-f]+ bytes, is writable and executable'
	scan --format=sarif rwx
	grep -q '"absoluteAddress": [0-9]' scan.out
	# An address that is none to SARIF: the first segment's, its highest byte.
	patch rwx $((64 + 16 + 7)) '\377'
	scan rwx
	found rwx 'the segment at 0xff[0-9a-f]+,'
	scan --format=sarif rwx
	lacks '"absoluteAddress"' scan.out
}

@test "system calls past the C library, and which" {
	"$JITMEND" scan --help | grep -q raw-syscall
	cat >raw.c <<-'END'
		long number;
		__attribute__((noinline)) long change(void)
		{
			long answer;
			__asm__ volatile("mov $10, %%eax\n\tsyscall" : "=a"(answer) : : "rcx", "r11", "memory");
			return answer;
		}
		__attribute__((noinline)) long who(void)
		{
			long answer;
			__asm__ volatile("mov $39, %%eax\n\tsyscall" : "=a"(answer) : : "rcx", "r11", "memory");
			return answer;
		}
		__attribute__((noinline)) long moved(void)
		{
			long answer;
			__asm__ volatile("mov $25, %%r9d\n\tmov %%r9d, %%eax\n\tsyscall" : "=a"(answer) : : "rcx", "r9", "r11", "memory");
			return answer;
		}
		__attribute__((noinline)) long any(void)
		{
			long answer;
			__asm__ volatile("syscall" : "=a"(answer) : "0"(number) : "rcx", "r11", "memory");
			return answer;
		}
		/* The bytes are there, the instructions are not. */
		__attribute__((noinline)) int constant(void) { return 0x0000050f; }
		__attribute__((section(".text"))) const unsigned char table[256] = { 1, 2, 15, 5, 205, 128 };
		int main(void) { return (int)(change() + moved() + who() + any() + constant() + table[number]); }
	END
	$CC -O1 -o raw raw.c 2>build.err || skip "$CC cannot build it: $(head -n 1 build.err)"
	scan --only=raw-syscall raw
	grep -q 'needs a build with Zydis' scan.err && skip "built without Zydis"
	status 1
	found raw-syscall 'calls mprotect by itself in change$'
	found raw-syscall 'calls mremap by itself in moved$'
	found raw-syscall 'makes system call 39 by itself in who$'
	found raw-syscall 'makes a system call of no known number by itself in any$'
	[ "$(grep -c '^  raw-syscall' scan.out)" -eq 4 ]
	# The same without names; the table has none either.
	strip raw
	scan --only=raw-syscall raw
	found raw-syscall 'calls mprotect by itself in the function at 0x'
	found raw-syscall 'makes system call 39 by itself in the function at 0x'
	found raw-syscall 'makes a system call of no known number by itself in the function at 0x'
	[ "$(grep -c '^  raw-syscall' scan.out)" -eq 4 ]
	# One that has nothing to do with memory is a note.
	sed -i 's/change() + moved() + //; s/any() + //; /change/,/^}/d; /moved/,/^}/d; /any(/,/^}/d' raw.c
	$CC -O1 -o harmless raw.c
	scan harmless
	status 0
	found raw-syscall 'makes system call 39'
	scan --only=raw-syscall harmless
	status 1
}

@test "imports of the calls concerned" {
	cat >calls.c <<-'END'
		#include <sys/mman.h>
		#include <stdlib.h>
		int main(void) { free(aligned_alloc(64, 64)); return mprotect((void *)&main, 1, PROT_EXEC); }
	END
	$CC -o calls calls.c || skip "$CC cannot build it"
	scan calls
	status 0
	found calls 'imports .*mprotect'
	found calls 'imports .*aligned_alloc'
	grep -q 'calls: 64-bit program for x86_64: jitmend works' scan.out
	scan --only=calls calls
	status 1
	# By the dynamic section alone, too.
	strip --strip-section-headers calls 2>/dev/null || {
		patch calls 40 '\0\0\0\0\0\0\0\0'
		patch calls 60 '\0\0\0\0'
	}
	scan calls
	status 0
	found calls 'imports .*mprotect'
}

@test "static programs, other loaders, other machines" {
	make_program static -static
	scan static
	found static 'statically linked'
	make_program static-pie -static-pie
	scan static-pie
	found static 'statically linked'
	make_program loader -Wl,--dynamic-linker=/lib/ld-other.so.1
	scan loader
	found loader 'needs the loader /lib/ld-other.so.1, which does not exist'
	make_program gone -Wl,--dynamic-linker=/lib/ld-linux-gone.so.2
	scan gone
	found loader 'needs the loader /lib/ld-linux-gone.so.2, which does not exist'
	cp static foreign
	patch foreign 18 '\x16\0'
	scan foreign
	found foreign '64-bit, for s390'
	make_program narrow -m32
	scan narrow
	status 1
	found foreign '32-bit, for i386'
}

@test "set-user-ID, set-group-ID, file capabilities" {
	make_program plain
	cp plain user
	chmod u+s user
	scan user
	status 1
	found setuid ''
	cp plain group
	chmod g+s,g+x group
	scan group
	found setgid ''
	cp plain locking
	chmod g+s,g-x locking
	scan locking
	status 0
	cp plain able
	setcap cap_net_raw+p able 2>/dev/null || skip "no file capabilities here"
	scan able
	status 1
	found filecaps ''
}

@test "Go's programs and packed ones" {
	cat >go.s <<-'END'
		.section .note.go.buildid,"a",@note
		.long 4, 4, 4
		.asciz "Go"
		.byte 0
		.ascii "abcd"
		.section .note.GNU-stack,"",@progbits
	END
	make_program go go.s
	scan go
	found go ''
	make_program packed -static
	# As UPX leaves it: no section headers, its mark behind the program headers.
	patch packed 40 '\0\0\0\0\0\0\0\0'
	patch packed 60 '\0\0\0\0'
	patch packed 1000 'UPX!'
	scan packed
	status 1
	found packed 'packed by UPX'
}

@test "--libraries: what a library brings is the program's" {
	make_textrel libtext.so
	make_program user -L. -Wl,--no-as-needed,-ltext,-rpath,"\$ORIGIN"
	scan user
	status 0
	scan --libraries user
	status 1
	found textrel "by its library .*/libtext.so"
	grep -qE '^user: .*jitmend works' scan.out
	grep -qE '^[^ ]*libtext.so: ' scan.out
	rm libtext.so
	scan --libraries user
	found needed 'needs libtext.so, which is not found'
}

@test "folders: each file once, special files not at all" {
	local folder=folder

	mkdir -p folder/below
	make_program folder/execstack -Wl,-z,execstack
	make_program folder/plain
	ln folder/execstack folder/below/again
	ln -s ../execstack folder/below/link
	ln -s nowhere folder/broken
	ln -s .. folder/below/round
	mkfifo folder/pipe
	echo text >folder/text
	: >folder/empty
	$CC -c -o folder/plain.o plain.c
	run_as scan timeout "$PATIENCE" "$JITMEND" scan folder
	show scan
	status 1
	[ "$(grep -c '^folder' scan.out)" -eq 1 ]
	grep -qx '2 ELF files, 2 others, 1 object files and core dumps' scan.out
	scan --all --quiet "$folder"
	[ "$(grep -c '^folder' scan.out)" -eq 2 ]
	# A link that leads out of it.
	make_program elsewhere -Wl,-z,execstack
	mkdir links
	ln -s ../elsewhere links/link
	scan links
	status 1
	grep -q '^links/link: ' scan.out
	# The kernel's own: /proc/kcore has no end.
	run_as scan timeout "$PATIENCE" "$JITMEND" scan /proc
	status 0
}

@test "what cannot be read is named, and the rest is told" {
	make_program execstack -Wl,-z,execstack
	echo text >text
	: >empty
	$CC -c -o plain.o plain.c
	head -c 100 execstack >short
	head -c $(($(wc -c <execstack) / 2)) execstack >half
	cp execstack core
	patch core 16 '\4\0'
	mkfifo pipe
	scan none text empty plain.o short half core pipe execstack
	status 2
	says scan "none cannot be read: No such file or directory"
	says scan "text is no ELF file"
	says scan "empty is no ELF file"
	says scan "plain.o is an object file"
	says scan "short is a truncated"
	says scan "half is a truncated"
	grep -q '^half: .*not all of it could be read$' scan.out
	says scan "core is a core dump"
	says scan "pipe is neither a file nor a folder"
	grep -q '^execstack: ' scan.out
	[ "$(grep -c '^jitmend: scan: ' scan.err)" -eq 8 ]
	if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ]; then
		chmod 755 . "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null
		mkdir closed
		: >unread
		chmod 0 closed unread
		run_as scan setpriv --reuid=65534 --clear-groups "$JITMEND" scan closed unread
		show scan
		grep -q 'Permission denied' scan.err || skip "this folder is closed to others"
		status 2
		says scan "closed cannot be read: Permission denied"
		says scan "unread cannot be read: Permission denied"
	fi
}

@test "hostile files: a message each, and no crash" {
	local offset name value

	make_textrel plain
	# The header's offsets, counts and sizes, each turned into nonsense; the same
	# for the program headers and the dynamic section.
	for value in '\377\377\377\377\377\377\377\377' '\377\377\377\177' '\0\0\0\0' '\1\377\1\377'; do
		for offset in 16 32 40 52 54 56 58 60 62 72 80 96 104 128 184 240 296 352; do
			name=bad-$offset-${value//\\/}
			cp plain "$name"
			patch "$name" "$offset" "$value"
		done
	done
	for offset in 1 4 15 16 63 64 100 400 1000 4000; do
		head -c "$offset" plain >"cut-$offset"
	done
	run_as scan timeout "$PATIENCE" "$JITMEND" scan --all --quiet bad-* cut-*
	show scan
	status 2
	lacks -v '^jitmend: scan: \(bad\|cut\)-' scan.err
	[ "$(wc -l <scan.err)" -gt 20 ]
	# Sections that all cover the whole file.
	cp plain overlap
	patch overlap "$((16#$(readelf -hW plain | awk '/Start of section headers/ { printf "%x", $5 }') + 64 + 24))" '\0\0\0\0\0\0\0\0'
	run_as scan timeout "$PATIENCE" "$JITMEND" scan overlap
	[ "$(cat scan.status)" -le 2 ]
}

@test "a name with odd characters stays one line, and one string" {
	make_program plain -Wl,-z,execstack
	local name=$'two\nlines \e[31m\xff"\\%'
	mv plain "$name"
	scan "$name"
	status 1
	grep -qaF 'two\012lines \033[31m' scan.out
	grep -qaF '"\134%: 64-bit' scan.out
	lacks -a $'\e' scan.out
	require_program python3
	for format in json sarif; do
		scan --format=$format "$name"
		status 1
		python3 -c 'import json, sys; json.load(open(sys.argv[1]))' scan.out
	done
	grep -qF 'two%0Alines%20%1B%5B31m%FF%22%5C%25' scan.out
}

@test "--format=json holds what the text does" {
	require_program python3
	make_textrel libtext.so
	make_program execstack -Wl,-z,execstack
	scan --format=json libtext.so execstack none
	status 2
	python3 - scan.out <<-'END'
		import json, sys
		scan = json.load(open(sys.argv[1]))
		assert scan["v"] == 1
		files = {file["path"]: file for file in scan["files"]}
		text = [f for f in files["libtext.so"]["findings"] if f["finding"] == "textrel"]
		assert sorted((f["function"], f["count"]) for f in text) == [("first", 1), ("second", 2)]
		assert all(f["level"] == "warning" and int(f["address"], 16) for f in text)
		assert files["libtext.so"]["type"] == "library"
		assert files["execstack"]["verdict"] == "partly" and files["execstack"]["why"]
		assert scan["faults"][0]["path"] == "none"
		assert scan["summary"]["elf"] == 2 and scan["summary"]["files_with"]["textrel"] == 1
	END
}

@test "--format=sarif is SARIF" {
	require_program python3
	make_textrel libtext.so
	scan --format=sarif libtext.so none
	status 2
	python3 - scan.out <<-'END'
		import json, sys
		log = json.load(open(sys.argv[1]))
		assert log["version"] == "2.1.0" and "sarif-2.1.0" in log["$schema"]
		run = log["runs"][0]
		rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
		results = run["results"]
		assert {r["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for r in results} == {"first", "second"}
		for result in results:
		    assert result["ruleId"] in rules and result["message"]["text"]
		    assert result["level"] in ("none", "note", "warning", "error")
		    location = result["locations"][0]["physicalLocation"]
		    assert location["artifactLocation"]["uri"] == "libtext.so"
		invocation = run["invocations"][0]
		assert invocation["exitCode"] == 2 and not invocation["executionSuccessful"]
		assert len(invocation["toolExecutionNotifications"]) == 1
	END
}

@test "colour, and none of it" {
	make_program execstack -Wl,-z,execstack
	"$JITMEND" scan --color=always execstack | grep -q $'\e\\[' 
	"$JITMEND" scan execstack | lacks $'\e'
	"$JITMEND" scan --color=never execstack | lacks $'\e'
	require_program script
	run_as scan env TERM=xterm script -qec "'$JITMEND' scan execstack" /dev/null
	grep -q $'\e\\[1m' scan.out
	run_as scan env TERM=xterm NO_COLOR=1 script -qec "'$JITMEND' scan execstack" /dev/null
	lacks $'\e\\[1m' scan.out
}

@test "bad usage: 125, one line" {
	refused 125 "no file and no folder given" scan
	refused 125 "unknown option '--what'" scan --what .
	refused 125 "--format: 'xml' is none of" scan --format=xml .
	refused 125 "--only: there is no finding 'sky'" scan --only=textrel,sky .
	refused 125 "--only: there is no finding ''" scan --only= .
	refused 125 "--jobs: '0' is no number" scan --jobs=0 .
	refused 125 "--color: 'red' is none of" scan --color=red .
	refused 125 "option '--only' needs a value" scan . --only
	run_as scan "$JITMEND" scan --help
	status 0
	[ ! -s scan.err ]
}

@test "output that nobody takes is an error" {
	local status=0

	"$JITMEND" scan --all "$top_builddir/tools" >/dev/full 2>full.err || status=$?
	[ "$status" -eq 125 ]
	grep -q 'cannot write' full.err
}

# judged FILE...: each file that "cannot" be helped is one that jitmend run
# refuses, and no other. Its helper is asked as a user without rights, where we
# are root, as the verdict is for such.
judged() {
	local as=() file verdict refused compared=0

	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	"$JITMEND" scan --format=json --all --quiet "$@" 2>/dev/null |
		python3 -c 'import json, sys
for file in json.load(sys.stdin)["files"]:
    if file["type"] == "program":
        print(file["verdict"], file["path"])' >verdicts || true
	while read -r verdict file; do
		[ "$verdict" = cannot ] && verdict=cannot || verdict=can
		refused=can
		"${as[@]}" "$top_builddir/tools/jitmend-check" --pid=$$ --path="$PATH" \
			--preload="$top_builddir/src/preload" \
			--agent="$top_builddir/tools/jitmend-agent" -- "$file" >/dev/null 2>check.err ||
			refused=cannot
		# A file that this user may not execute is refused for that.
		grep -qE 'is not executable|Permission denied|cannot be executed' check.err && continue
		compared=$((compared + 1))
		[ "$verdict" = "$refused" ] && continue
		echo "scan: $verdict; run: $refused: $file: $(cat check.err)"
		return 1
	done <verdicts
	echo "$compared compared"
	[ "$compared" -gt 5 ]
}

@test "the verdict is what jitmend run says" {
	require_program python3
	[ "$(id -u)" -ne 0 ] || require_program setpriv
	mkdir made
	make_program made/plain
	make_program made/static -static
	make_program made/static-pie -static-pie
	make_program made/loader -Wl,--dynamic-linker=/lib/ld-other.so.1
	make_program made/execstack -Wl,-z,execstack
	cp made/plain made/user
	chmod u+s made/user
	cp made/static made/foreign
	patch made/foreign 18 '\x16\0'
	$CC -m32 -o made/narrow plain.c 2>/dev/null || true
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" 2>/dev/null || true
	judged "$PWD"/made
	grep -q '^cannot .*/user' verdicts
	[ ! -x "$top_builddir/tools/jitmend-agent" ] || grep -q '^works .*/static-pie' verdicts
	# shellcheck disable=SC2046 # names without blanks
	judged $(find /usr/bin /usr/sbin -type f \( -perm /6000 -o -name '*a*t' -o -name 'ld*' \) -perm -1 | head -n 80)
}

@test "what others find, the same" {
	require_program eu-findtextrel scanelf
	make_textrel libtext.so
	make_program execstack -Wl,-z,execstack
	make_program rwx -nostdlib -static -Wl,-N,-e,main
	eu-findtextrel libtext.so | grep -oE "function '[a-z]+'" | sort | uniq -c | awk '{ print $1, $3 }' >others
	scan libtext.so execstack rwx
	sed -n "s/^  textrel *\([0-9]*\) text relocations\{0,1\} in \(.*\)/\1 '\2'/p" scan.out | sort >ours
	[ -s ours ]
	cut -d' ' -f2 ours | sort >our-names
	cut -d' ' -f2 others | sort >their-names
	cmp our-names their-names
	[ "$(scanelf -qe -F '%e' execstack | cut -c1-3)" = RWX ]
	found execstack ''
	scanelf -qe rwx | grep -q RWX
	found rwx ''
}

@test "the examples of the man page" {
	mkdir lib
	make_textrel lib/libtext.so
	make_program lib/static -static
	make_program lib/user
	chmod u+s lib/user
	# Each line is a command that works.
	examples jitmend-scan.1 | grep -v -e ---- >examples
	[ "$(wc -l <examples)" -eq 4 ]
	local line
	while IFS= read -r line; do
		case $line in
		*jq*) command -v jq >/dev/null || continue ;;
		esac
		# shellcheck disable=SC2016 # for that shell
		run_as example bash -c 'jitmend=$1; jitmend() { "$jitmend" "$@"; }; eval "$2"' - "$JITMEND" "$line"
		show example
		[ "$(cat example.status)" -le 1 ]
		[ ! -s example.err ]
	done <examples
	grep -q '"ruleId": "textrel"' scan.sarif
	command -v jq >/dev/null || return 0
	grep -q 'user: it is set-user-ID' example.out
}
