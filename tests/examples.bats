#!/usr/bin/env bats
# examples.bats: what lies in doc/examples does what it says, as far as a machine
# shows that without systemd and without SELinux.

load common

# shellcheck disable=SC2154 # common.bash sees to it
DROP_IN=$top_builddir/doc/examples/jitmend.conf
# shellcheck disable=SC2154 # the same
CIL=$top_srcdir/doc/examples/jitmend-memfd.cil
ASK=$HOSTS/ask

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# ------------------------------------------------------------------- systemd

# unit [DROP-IN]: what systemd-analyze has to say of a service with it.
unit() {
	mkdir -p myapp.service.d
	cat >myapp.service <<-'EOT'
		[Service]
		ExecStart=/bin/true
		MemoryDenyWriteExecute=yes
		PrivateDevices=yes
		PrivateTmp=yes
		ProtectProc=invisible
		ProcSubset=pid
		SystemCallFilter=@system-service
	EOT
	cp "$1" myapp.service.d/jitmend.conf
	run_as verify systemd-analyze verify --man=no ./myapp.service
	show verify
}

@test "the drop-in: systemd takes it" {
	require_program systemd-analyze
	unit "$DROP_IN"
	[ "$(cat verify.status)" -eq 0 ] || skip "systemd-analyze verifies no unit here"
	no_line 'jitmend.conf' verify.err
	sed 's/^Environment=/Environmnt=/' "$DROP_IN" >broken
	unit broken
	says verify 'jitmend.conf'
	sed 's/^#ExecStartPre=/ExecStartPre=/' "$DROP_IN" | grep -q ^ExecStartPre=
	sed "s|^#ExecStartPre=-.*/jitmend|ExecStartPre=-$JITMEND|" "$DROP_IN" >probing
	unit probing
	no_line 'jitmend.conf' verify.err
}

# The variables that the drop-in sets, of this build; the log is the caller's.
drop_in_variables() {
	variables=(env)
	while read -r line; do
		variables+=("$line")
	done < <(sed -n 's/^Environment="\(.*\)"$/\1/p' "$DROP_IN" |
		sed -E "s|^LD_PRELOAD=.*(/.LIB/)|LD_PRELOAD=$top_builddir/src/preload\\1|")
	[ "${#variables[@]}" -eq 3 ]
	[ "${variables[2]}" = "JITMEND_LOG=journald:" ]
	variables[2]=JITMEND_LOG=$PWD/log
}

REQUESTS=(anon-rwx anon-rw-rx malloc-rwx devzero-rwx devzero-written-rx file-written-rx)

@test "the drop-in's environment, under MDWE and a noexec /dev" {
	require_deny --mdwe --noexec-dev
	drop_in_variables
	run_as bare "$JITMEND" deny --mdwe --noexec-dev -- "$ASK" --fork "${REQUESTS[@]}"
	run_as mended "$JITMEND" deny --mdwe --noexec-dev -- \
		"${variables[@]}" "$ASK" --fork "${REQUESTS[@]}"
	show bare mended
	[ "$(grep -c ': E' bare.out)" -eq 6 ]
	[ "$(grep -c ': ok$' mended.out)" -eq 6 ]
	grep -q '"event":"request"' log
}

# What systemd makes of ProtectProc=, ProcSubset= and PrivateTmp=, with a
# /dev/shm that nothing is executed from.
@test "the same with less of /proc, and no place to execute from" {
	require_program unshare mount
	require_deny --mdwe --noexec-dev
	unshare -m mount -t proc -o hidepid=invisible,subset=pid proc /proc 2>/dev/null ||
		skip "no /proc can be mounted so here"
	drop_in_variables
	# shellcheck disable=SC2016 # for the inner shell
	run_as mended unshare -m sh -ec '
		mount -t tmpfs -o noexec none /dev/shm
		mkdir tmp
		mount -t tmpfs -o noexec none tmp
		mount -t proc -o hidepid=invisible,subset=pid proc /proc
		[ ! -e /proc/sys ]
		export TMPDIR=$PWD/tmp
		exec "$@"' sh "$JITMEND" deny --mdwe --noexec-dev -- "${variables[@]}" \
		"$ASK" --fork anon-rwx anon-rw-rx malloc-rwx devzero-rwx devzero-written-rx
	show mended
	[ "$(grep -c ': ok$' mended.out)" -eq 5 ]
}

# calls NAME COMMAND...: the system calls that it makes.
calls() {
	local name=$1

	shift
	run_as "$name" "$JITMEND" deny --mdwe --noexec-dev -- strace -f -qq -o "$name.trace" "$@"
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$name.trace" | sort -u >"$name.calls"
	[ -s "$name.calls" ]
}

@test "SystemCallFilter=: @system-service has what the library needs, @ipc three of it" {
	require_program systemd-analyze strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	require_deny --mdwe --noexec-dev
	drop_in_variables
	calls native "$ASK" --fork "${REQUESTS[@]}"
	calls mended "${variables[@]}" "$ASK" --fork "${REQUESTS[@]}"
	[ "$(grep -c ': ok$' mended.out)" -eq 6 ]
	expand @system-service >allowed
	[ "$(wc -l <allowed)" -gt 200 ]
	comm -13 native.calls mended.calls >ours
	cat ours
	grep -qx memfd_create ours
	[ -z "$(comm -23 ours allowed)" ]
	expand @ipc >ipc
	comm -12 ours ipc >taken
	grep -qx process_vm_readv ipc
	[ -z "$(grep -vxe memfd_create -e pipe2 -e process_vm_readv taken)" ]
	grep -q '"event":"request".*"stack":\[{[^]]*},{' log
}

# expand SET: the calls in it and in the sets that it names.
expand() {
	expand_one "$1" | sort -u
}

expand_one() {
	local word

	while read -r word; do
		case $word in
		'#'* | "$1" | '') ;;
		@*) expand_one "$word" ;;
		*) echo "$word" ;;
		esac
	done < <(systemd-analyze syscall-filter "$1" 2>/dev/null)
}

# ------------------------------------------------------------------- SELinux

# policy [RULE]: whether the module compiles, with one more rule.
policy() {
	echo "${1-}" >rule.cil
	run_as secilc secilc -o policy -f contexts base.cil "$CIL" rule.cil
	show secilc
	[ "$(cat secilc.status)" -eq 0 ]
}

no_policy() {
	if policy "$1"; then
		return 1
	fi
	# For that rule's sake, and not for a slip in it.
	grep -q -i 'neverallow' secilc.err secilc.out
}

@test "the SELinux module: a memfd of its own, and no execmem" {
	require_program secilc
	cp "$top_srcdir/tests/data/selinux-base.cil" base.cil
	policy
	# What must not be allowed, and what is.
	policy '(neverallow myapp_t self (process (execmem execheap execstack)))'
	policy '(neverallow other_t jitmend_code_t (file (write execute)))'
	policy '(neverallow myapp_t tmpfs_t (file (execute execmod)))'
	policy '(neverallow myapp_t jitmend_code_t (file (execmod)))'
	no_policy '(neverallow myapp_t jitmend_code_t (file (execute)))'
	no_policy '(neverallow myapp_t jitmend_code_t (file (write)))'
	policy '(neverallow init_t myapp_t (process (noatsecure))) (type init_t)'
}

@test "the SELinux module, on a kernel whose memfds have a class of their own" {
	require_program secilc
	sed 's/(classorder (process file filesystem))/(class memfd_file (create getattr read write map execute execmod))\
(classorder (process file filesystem memfd_file))/' "$top_srcdir/tests/data/selinux-base.cil" >base.cil
	policy '(neverallow other_t myapp_t (memfd_file (write execute)))'
	no_policy '(neverallow myapp_t self (memfd_file (execute)))'
	policy '(neverallow myapp_t self (memfd_file (execmod)))'
}

@test "the examples are named in the man page" {
	grep -q 'jitmend.conf' "$top_srcdir/doc/jitmend.1"
	grep -q 'jitmend\\-memfd.cil' "$top_srcdir/doc/jitmend.1"
}
