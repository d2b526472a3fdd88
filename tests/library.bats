#!/usr/bin/env bats
# library.bats: what the library's files may hold: exported names, libraries
# needed, writable and thread-local data; and that the engine is freestanding.

# shellcheck disable=SC2154 # common.bash

load common

setup() {
	require_program nm readelf
	LIBRARY=$top_builddir/src/.libs/libjitmend.so
	ENGINE=$top_builddir/src/.libs/libengine.a
	cd "$BATS_TEST_TMPDIR" || return
}

# libc_names: what this machine's libc defines: an address, a kind, a name with its version.
libc_names() {
	local loader libc

	loader=$(readelf -lW "$HOSTS/heap" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	libc=$("$loader" --list "$LIBRARY" | awk '$1 ~ /^libc\.so/ { print $3 }')
	nm -D --defined-only --with-symbol-versions "$libc"
}

# without_unknown FILE: its names but those of recent calls that this libc has not.
without_unknown() {
	libc_names | sed 's/.* //; s/@.*//' | sort -u >known
	grep -vxFf <(printf '%s\n' arc4random_buf pidfd_spawn pidfd_spawnp | comm -23 - known) "$1"
}

@test "the exported symbols are those of the version script" {
	sed -n '/^global:/,/^local:/s/^[[:space:]]\{1,\}\([A-Za-z_0-9]*\);.*/\1/p' \
		"$top_srcdir/src/libjitmend.map" | sort -u >listed
	nm -D --defined-only "$LIBRARY" | awk '{ print $3 }' | sort -u >exported
	[ -s listed ]
	diff -u <(without_unknown listed) exported
}

@test "the hooks in the source are the exported symbols" {
	{
		grep -hoE '^HOOK [^(]*\(' "$top_srcdir"/src/hook/*.c |
			grep -oE '[A-Za-z_0-9]+\($' | tr -d '('
		sed -n 's/^HOOK_ALIAS(\([A-Za-z_0-9]*\),.*/\1/p' "$top_srcdir"/src/hook/*.c
	} | sort -u >marked
	nm -D --defined-only "$LIBRARY" | awk '{ print $3 }' | sort -u >exported
	[ -s marked ]
	diff -u <(without_unknown marked) exported
}

# By its dynamic symbols: what lies at one address, but for libc's private names. What
# the library itself goes on to (malloc's, sbrk's) is left.
@test "a hooked function is hooked by each of its names in libc" {
	nm -D --defined-only "$LIBRARY" | awk '{ print $3 }' >exported
	libc_names |
		awk '$2 ~ /[TWi]/ && $3 !~ /@+GLIBC_PRIVATE$/ { sub(/@.*/, "", $3); print $1, $3 }' >names
	awk 'FNR == NR { hooked[$1]; next }
	     { at[NR] = $1; name[NR] = $2 }
	     $2 in hooked { places[$1] }
	     END { for (i in name) if (at[i] in places && !(name[i] in hooked)) print name[i] }' \
		exported names | grep -vxE '__libc_[a-z_]+|__sbrk' | sort -u >missed || true
	[ -s names ]
	cat missed
	[ ! -s missed ]
}

@test "the engine needs nothing but itself" {
	nm --defined-only "$ENGINE" | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u >defined
	# Division of 64 bits by 32-bit processors is libgcc's: it has no state.
	nm -u "$ENGINE" | awk '$1 == "U" { print $2 }' |
		grep -vxE '_GLOBAL_OFFSET_TABLE_|__u?div(mod)?di[34]|__udivmoddi4|__umoddi3' |
		sort -u >undefined
	[ -s defined ]
	[ -s undefined ]
	[ -z "$(comm -13 defined undefined | tee /dev/stderr)" ]
}

@test "the engine has no constructor and no thread-local data" {
	readelf -SW "$ENGINE" >sections
	grep -q '\.text' sections
	if grep -E '\.(init_array|ctors|preinit_array|tbss|tdata)' sections; then
		return 1
	fi
}

@test "the library's thread-local data, if any, is initial-exec" {
	if readelf -rW "$LIBRARY" | grep -E 'R_X86_64_(DTPMOD|DTPOFF|TLSDESC)|R_386_TLS_(DTPMOD|DTPOFF|DESC)'; then
		return 1
	fi
	if nm -D -u "$LIBRARY" | grep __tls_get_addr; then
		return 1
	fi
}

@test "the library needs libc alone, and no text relocation or executable stack" {
	readelf -dW "$LIBRARY" >dynamic
	grep -q NEEDED dynamic
	if grep NEEDED dynamic | grep -vE '\[(libc\.so\.6|ld-linux[^]]*)\]'; then
		return 1
	fi
	if grep -E 'TEXTREL' dynamic; then
		return 1
	fi
	readelf -lW "$LIBRARY" >headers
	grep -E 'GNU_STACK .* RW +0x' headers
	if grep -E 'LOAD .* RWE ' headers; then
		return 1
	fi
}

# A conservative collector of the host's goes through it, each time (src/tables.h).
@test "neither library has more than 64 KiB of writable data" {
	for library in "$LIBRARY" "${LIBRARY%.so}-origins.so"; do
		readelf -SW "$library" | sed 's/^ *\[ *[0-9]*\]//' |
			awk '$1 == ".data" || $1 == ".bss" { print $5 }' >sizes
		[ -s sizes ]
		sum=0
		while read -r size; do sum=$((sum + 0x$size)); done <sizes
		[ "$sum" -le 65536 ]
	done
}

# src/libjitmend.ld: with contents behind it each start has a fault and a mapping more.
@test "what has contents in the library's writable segment is read-only once it is relocated" {
	readelf -lW "$LIBRARY" | awk '$1 == "LOAD" && $7 == "RW" || $1 == "GNU_RELRO" { print $1, $3, $5, $6 }' >segments
	read -r _ start _ size < <(grep GNU_RELRO segments)
	read -r _ _ contents _ < <(grep "LOAD $start " segments)
	[ "$((contents))" -lt "$((size))" ]
	[ "$(((start + size) % 4096))" -eq 0 ]
}

@test "what every start runs lies together" {
	nm "$LIBRARY" | awk '$2 ~ /[tT]/ && $3 ~ /^(start|settings_read|policy_begin|signals_begin|journal_begin)$/ {
		print $1 }' | sort >places
	[ "$(wc -l <places)" -eq 5 ]
	first=$(head -n 1 places) last=$(tail -n 1 places)
	[ "$((16#$last - 16#$first))" -lt 16384 ]
}
