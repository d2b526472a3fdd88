#!/usr/bin/env bats
# probe.bats: `jitmend probe' says what is refused, and nothing else.
#
# What it says is held against hosts/ask, which makes the same requests in its own
# way, and against what `jitmend run' then makes of ask.

load common

# shellcheck disable=SC2154 # common.bash sees to it
PAGE=$top_srcdir/doc/jitmend-probe.1
READ=$top_srcdir/tests/data/read-probe.py
ASK=$HOSTS/ask
SELINUX=(--execheap --execmod --execmem --execstack)

setup() {
	skip_listed
	require_program python3
	cd "$BATS_TEST_TMPDIR" || return
}

# split NAME...: reads these runs' JSON, finds it right, and takes it to pieces.
split() {
	python3 "$READ" split "$PAGE" "${@/%/.out}"
}

# probe NAME [WRAPPER...] -- [OPTION...]: its JSON in NAME.out, and the pieces.
probe() {
	local name=$1 wrapper=()

	shift
	while [ "$1" != -- ]; do
		wrapper+=("$1")
		shift
	done
	shift
	run_as "$name" "${wrapper[@]}" "$JITMEND" probe --format=json "$@"
	[ ! -s "$name.err" ]
	split "$name"
	[ "$(get "$name" status)" = "$(cat "$name.status")" ]
}

# get NAME A.B: one value, as JSON.
get() {
	sed -n "s/^$2=//p" "$1.out.flat"
}

# answer NAME REQUEST: what its row says, as ask has it.
answer() {
	sed -n "s/^$2: //p" "$1.out.rows"
}

# The requests that ask knows as well.
names() {
	"$ASK" --list | sort >asked
	probe here --
	sed 's/:.*//' here.out.rows | sort | comm -12 - asked >names
	[ "$(wc -l <names)" -ge 20 ]
}

# under POLICY-OPTION...: ask and the probe, in the same place.
runs=()
under() {
	run_as "${#runs[@]}" "$JITMEND" deny "$@" -- sh -c '"$0" --fork $(cat names) >"$2.ask"
		exec "$1" probe --format=json' "$ASK" "$JITMEND" "${#runs[@]}"
	runs+=("$*")
}

# Both have seen the same, and the probe names just the policies there were.
compare() {
	local run word refused wrong=0

	split "${!runs[@]}"
	for run in "${!runs[@]}"; do
		grep -Fwf names "$run.out.rows" | sort >rows
		sort "$run.ask" | diff - rows || wrong=1
		while read -r word refused; do
			[ "$refused" = "$(expected "$word" "${runs[run]}")" ] && continue
			echo "under ${runs[run]} $word: $refused"
			wrong=1
		done <"$run.out.words"
	done
	[ "$wrong" -eq 0 ]
}

# expected WORD OPTIONS: what the probe has to say of a policy. MDWE and the filter
# refuse each mprotect before SELinux is asked, execmem each stack.
expected() {
	local options=" $2 "

	case $1:$options in
	execstack:*" --execmem "* | exec[hs]*:*" --mdwe "* | exec[hs]*:*" --seccomp "* | \
		execmod:*" --mdwe "* | execmod:*" --seccomp "*) echo unknown ;;
	*" --$1 "*) echo yes ;;
	*) echo no ;;
	esac
}

# every_set OPTION...: each set of them but the empty one, a line each.
every_set() {
	local -a options=("$@")
	local set i

	for ((set = 1; set < 1 << $#; set++)); do
		for ((i = 0; i < $#; i++)); do
			((set >> i & 1)) && printf '%s ' "${options[i]}"
		done
		echo
	done
}

@test "nothing in force: nothing refused, and status 0" {
	probe here --
	show here
	[ "$(cat here.status)" -eq 0 ] || skip "something is refused on this machine"
	no_line -v ': ok$' here.out.rows
	[ "$(get here policy)" = null ]
	no_line -e '^looks_like.*SELinux' -e '^looks_like.*systemd' here.out.flat
}

@test "the kernel's own policies, in every combination" {
	local options

	require_deny --mdwe --seccomp --noexec-dev
	names
	while read -r options; do
		# shellcheck disable=SC2086 # a list of words
		under $options
	done < <(every_set --mdwe --seccomp --noexec-dev)
	compare
}

@test "SELinux's permissions, in every combination" {
	local options

	require_deny "${SELINUX[@]}"
	names
	while read -r options; do
		# shellcheck disable=SC2086 # a list of words
		under $options
	done < <(every_set "${SELINUX[@]}")
	compare
}

@test "both together" {
	require_deny "${SELINUX[@]}" --mdwe --seccomp --noexec-dev
	names
	under --execheap --noexec-dev
	under --execheap --execmod --execstack --noexec-dev
	under --execmem --mdwe
	under --execheap --seccomp
	under "${SELINUX[@]}" --noexec-dev
	under "${SELINUX[@]}" --mdwe --seccomp --noexec-dev
	compare
}

# What jitmend run makes of each request, and what the probe said that it would. Of a
# memfd that is shared, ask has closed the descriptor: LIMITATIONS.
promised() {
	local name promise came wrong=0

	probe promised "$JITMEND" deny "$@" --
	grep -Fwf names promised.out.cures >cures
	# shellcheck disable=SC2046 # a list of words
	run_as mended "$JITMEND" deny "$@" -- "$JITMEND" run --quiet \
		"$ASK" --fork $(cut -d ' ' -f 1 cures)
	while read -r name promise; do
		came=$(sed -n "s/^$name: //p" mended.out)
		[ "$came" = ok ] || came=refused
		[ "$came" = "$promise" ] || [ "$name" = memfd-shared-rw-rx ] && continue
		echo "under $*: $name is $came with jitmend run, $promise for the probe"
		wrong=1
	done <cures
	[ "$(wc -l <cures)" -ge 15 ] && [ "$wrong" -eq 0 ]
}

@test "what jitmend run is said to mend, it mends, and the rest not" {
	require_deny "${SELINUX[@]}" --mdwe --seccomp --noexec-dev
	names
	promised --execheap
	promised --execheap --execmod --execstack
	promised "${SELINUX[@]}"
	promised --mdwe
	promised --seccomp
	promised --noexec-dev
}

@test "the list for --policy= is the one, and the probe is not mended by a preload" {
	require_deny --execheap --execmod --execstack
	probe suse "$JITMEND" deny --execheap --execmod --execstack -- "$JITMEND" run --
	[ "$(get suse policy)" = '"execheap,execmod,execstack"' ]
	get suse looks_like.0 | grep -q openSUSE
	probe fedora "$JITMEND" deny --execheap --
	[ "$(get fedora policy)" = '"execheap"' ]
	get fedora looks_like.0 | grep -q Fedora
	[ "$(cat fedora.status)" -eq 1 ]
	[ "$(get fedora execheap_overlap)" = false ]
}

@test "a filter that kills is seen as one" {
	[ "$(uname -m)" = x86_64 ] || skip "the filter of this test is for x86_64"
	probe killed python3 "$READ" kill --
	[ "$(answer killed brk-rx)" = SIGSYS ]
	[ "$(answer killed anon-rwx)" = ok ]
	[ "$(get killed policies.seccomp.refused)" = true ]
	[ "$(get killed context.seccomp.mprotect_exec)" = '"killed"' ]
	[ "$(get killed context.seccomp.mmap_write_exec)" = '"ok"' ]
	run_as text python3 "$READ" kill "$JITMEND" probe
	grep -q '^  brk-rx  *SYS  *tried  *seccomp' text.out
	grep -q '^  beware .*kills for mprotect' text.out
}

@test "where no file may be executed nothing is mended by one, nor said to be" {
	local list=(anon-rwx anon-rw-rx malloc-rwx devzero-rwx file-written-rx shared-anon-rwx)

	[ "$(uname -m)" = x86_64 ] || skip "the filter of this test is for x86_64"
	require_deny --mdwe
	probe fileless python3 "$READ" fileless "$JITMEND" deny --mdwe --
	[ "$(get fileless backings.0.answer)$(get fileless backings.2.answer)" = '"refused""refused"' ]
	no_line -E '\.rung=[123]$' <(grep -F -f <(grep '\.cure=true' fileless.out.flat |
		sed 's/cure.*/rung/') fileless.out.flat)
	# Not by a crash, where the program had an answer before.
	run_as denied python3 "$READ" fileless "$JITMEND" deny --mdwe -- \
		"$ASK" --fork "${list[@]}"
	run_as mended python3 "$READ" fileless "$JITMEND" deny --mdwe -- \
		"$JITMEND" run --quiet "$ASK" --fork "${list[@]}"
	[ "$(grep -c ': EACCES$' denied.out)" -eq 6 ]
	same_outcome denied mended
}

# in_mounts SCRIPT ARG...: as root of a mount namespace.
in_mounts() {
	local options=(-m)

	[ "$(id -u)" -eq 0 ] || options=(-Urm)
	unshare "${options[@]}" sh -ec "$@"
}

require_mounts() {
	require_program unshare mount
	in_mounts 'mount -t tmpfs none /dev/shm' sh 2>/dev/null ||
		skip "no mount namespace can be made here"
}

@test "noexec mounts are named, and the files there not used" {
	local at

	require_mounts
	mkdir files
	# shellcheck disable=SC2016 # for the inner shell
	probe noexec in_mounts 'mount -t tmpfs -o noexec none /dev/shm
		mount -t tmpfs -o noexec none "$0"
		export TMPDIR=$0
		exec "$@"' "$PWD/files" --
	show noexec
	[ "$(sed -n 's/^\(context\.mounts\.[0-9]*\)\.noexec=true/\1.path=/p' noexec.out.flat |
		grep -Ff - noexec.out.flat | sed 's/.*path=//')" = "\"/dev/shm\"
\"$PWD/files\"" ]
	[ "$(answer noexec file-written-rx)" = EACCES ]
	at=$(sed -n 's/\.name="file-written-rx"$//p' noexec.out.flat)
	[ "$(get noexec "$at.by")$(get noexec "$at.rung")" = '"noexec"null' ]
	[ "$(get noexec policies.execmod.refused)" = false ]
	[ "$(get noexec backings.0.answer)" = '"ok"' ]
	[ "$(get noexec backings.1.name)$(get noexec backings.1.answer)" = '"/dev/shm""refused"' ]
	[ "$(get noexec policy)" = null ]
}

@test "--quiet-audit: a supervisor sees nothing that it would refuse" {
	require_deny "${SELINUX[@]}" --verbose
	run_as loud "$JITMEND" deny "${SELINUX[@]}" --verbose -- "$JITMEND" probe
	[ "$(grep -c avc: loud.err)" -ge 15 ]
	probe quiet "$JITMEND" deny "${SELINUX[@]}" --verbose -- --quiet-audit
	[ "$(cat quiet.status)" -eq 2 ]
	[ "$(get quiet policies.execheap.refused)" = null ]
	[ "$(get quiet audit.refusals_tried)" -eq 0 ]
	probe mdwe "$JITMEND" deny --mdwe --execheap -- --quiet-audit
	[ "$(cat mdwe.status)" -eq 1 ]
	[ "$(answer mdwe anon-rwx)" = EACCES ]
	[ "$(answer mdwe anon-rx)" = not-asked ]
	[ "$(get mdwe policies.mdwe.how)" = '"asked"' ]
	[ "$(get mdwe requests.0.how)" = '"asked"' ]
}

# A selinuxfs that says so; nothing asks it for more than that.
under_selinux='mount -t tmpfs none /sys/fs
	mkdir /sys/fs/selinux
	echo 1 >/sys/fs/selinux/enforce
	exec "$0" "$@"'

@test "--quiet-audit: strace sees no request that SELinux would be asked about" {
	require_mounts
	require_strace
	in_mounts "$under_selinux" true 2>/dev/null || skip "/sys/fs cannot be mounted over here"
	probe quiet in_mounts "$under_selinux" strace -f -qq -o trace \
		-e trace=mmap,?mmap2,mprotect,pkey_mprotect,shmat,memfd_create,mremap -- --quiet-audit
	[ "$(get quiet context.selinux.state)" = '"enforcing"' ]
	[ "$(get quiet audit.auditor)" = '"SELinux"' ]
	# The loader's own mappings of libraries, and the two calls that ask a filter.
	grep -e EXEC -e shmat -e memfd_create -e mremap trace |
		grep -vE 'mmap2?\(0x[0-9a-f]+, [0-9]+, PROT_READ\|PROT_EXEC, MAP_PRIVATE\|MAP_FIXED\|MAP_DENYWRITE, ' >left
	cat left
	[ "$(wc -l <left)" -eq 2 ]
	grep -q 'mprotect(0x1000, 0, PROT_READ|PROT_EXEC)' left
	grep -qE 'mmap2?\(NULL, 4096, PROT_READ\|PROT_WRITE\|PROT_EXEC, MAP_PRIVATE, -1, 0\) = -1 EBADF' left
	probe loud in_mounts "$under_selinux" --
	[ "$(answer loud brk-rx)" = ok ]
}

@test "--quiet-audit: where nobody writes anything down, everything is tried" {
	probe here --
	[ "$(get here audit.auditor)" = null ] || skip "there is somebody here"
	require_deny --mdwe
	probe quiet "$JITMEND" deny --mdwe -- --quiet-audit
	[ "$(answer quiet anon-rx)" = ok ]
	[ "$(get quiet requests.0.how)" = '"tried"' ]
}

@test "a program: how it would be run, and why not" {
	require_deny --execheap
	probe program -- -- sh -c true
	[ "$(get program program.name)" = '"sh"' ]
	[ "$(get program program.not_run)" = null ]
	echo 'int main(void) { return 0; }' >static.c
	if "${CC:-cc}" -static -o static static.c 2>/dev/null; then
		probe static -- -- ./static
		# shellcheck disable=SC2154 # make check sets it
		if [ -x "$top_builddir/tools/jitmend-agent" ]; then
			get static program.not_run | no_line statically
		else
			get static program.not_run | grep -q statically
		fi
	fi
	JITMEND_LOG=$PWD/made probe log -- -- sh
	[ ! -e made ]
	: >plain
	refused 126 "plain is not executable" probe -- ./plain
	refused 127 "no-such-program: no such program in PATH" probe no-such-program
}

@test "a program that gains rights is said to drop the library" {
	[ "$(id -u)" -eq 0 ] || skip "it takes root to make such a program"
	cp "$(type -P true)" gains
	chown 65534 gains
	chmod 4755 gains
	findmnt -n -o OPTIONS --target . | grep -q nosuid && skip "$PWD is mounted nosuid"
	probe gains -- -- "$PWD/gains"
	get gains program.gains | grep -q 'set-user-ID'
	get gains program.not_run | grep -q 'set-user-ID'
}

@test "the table: colours, and no line longer than the terminal" {
	local columns

	require_deny --execheap --execmod
	for columns in 60 80 100; do
		COLUMNS=$columns run_as table "$JITMEND" deny --execheap --execmod -- \
			"$JITMEND" probe -- sh
		[ "$(wc -L <table.out)" -le "$columns" ]
		grep -q '^  brk-rx  *EACCES  *tried  *execheap  *rung 1' table.out
		no_line $'\033' table.out
	done
	run_as colour "$JITMEND" probe --color=always
	grep -q $'\033\\[32mok\033\\[0m' colour.out
	sed $'s/\033\\[[0-9]*m//g' colour.out >plain
	NO_COLOR=1 run_as none "$JITMEND" probe
	cmp none.out plain
}

@test "bad usage: one line that names it, 125" {
	refused 125 "'--quiet-audit=1'" probe --quiet-audit=1
	refused 125 "'--nonsense'" probe --nonsense
	refused 125 "'xml'" probe --format=xml
	refused 125 "'sometimes'" probe --color=sometimes
	refused 125 "'--format'" probe --format
}

@test "output that cannot be written is said" {
	[ -e /dev/full ] || skip "there is no /dev/full"
	run_as full sh -c '"$0" probe >/dev/full' "$JITMEND"
	[ "$(cat full.status)" -eq 125 ]
	says full 'cannot write'
}

@test "the man page and --help know the same options; the page is well formed" {
	run_as help "$JITMEND" probe --help
	[ "$(cat help.status)" -eq 0 ]
	[ ! -s help.err ]
	[ "$(wc -L <help.out)" -le 80 ]
	grep -o '^  --[a-z-]*' help.out | tr -d ' ' | sort >known
	sed -n '/^\.SH OPTIONS/,/^\.SH JSON/p' "$PAGE" | tr -d '\\' |
		grep -Eo '^\.BI? --[a-z-]+' | grep -o -e '--.*' | sort >page
	cmp known page
	require_program man
	run_as page man --warnings -E UTF-8 -l "$PAGE"
	[ ! -s page.err ]
}

@test "the man page's examples run" {
	local line status ran=0

	require_deny --execheap --mdwe
	examples jitmend-probe.1 | grep -v -e ---- >examples
	while read -r line; do
		run_as example env PATH="${JITMEND%/*}:$PATH" sh -c "$line"
		show example
		[ "$(cat example.status)" -le 2 ]
		[ ! -s example.err ]
		[ -s example.out ]
		ran=$((ran + 1))
	done <examples
	[ "$ran" -eq 5 ]
}
