#!/usr/bin/env bats
# cross.bats: jitmend for aarch64, built with a cross compiler and run by qemu's
# user-mode emulator; on such a machine itself, with its own.
#
# What the emulator does not show: it leaves the fault's syndrome out of signal
# frames, so that what a fault wanted is told by its instruction, and it has no
# caches to bring in line.

# shellcheck disable=SC2154 # common.bash sees to it

load common

HOST=aarch64-linux-gnu

# Once for all tests: it takes half a minute.
setup_file() {
	local build=$BATS_FILE_TMPDIR/build

	command -v "$HOST-gcc" >/dev/null || return 0
	[ ! -e "$top_srcdir/config.status" ] || return 0
	mkdir "$build" && cd "$build" || return
	unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS CXXFLAGS LDFLAGS LIBS
	{
		"$top_srcdir/configure" --host="$HOST" --enable-werror --without-libseccomp \
			CC="$HOST-gcc" PKG_CONFIG_LIBDIR="/usr/lib/$HOST/pkgconfig" &&
			make -j2 all && make tests/unit/decide tests/unit/settings tests/unit/record \
				tests/unit/descriptors tests/unit/aarch64 tests/hosts/aarch64 &&
			touch built
	} >log 2>&1 3>&- || true
}

setup() {
	require_program "$HOST-gcc"
	[ ! -e "$top_srcdir/config.status" ] || skip "the source folder itself is configured"
	BUILD=$BATS_FILE_TMPDIR/build
	LIBRARY=$BUILD/src/.libs/libjitmend.so
	cd "$BATS_TEST_TMPDIR" || return
}

# emulated [NAME=VALUE...] PROGRAM [ARGUMENT...]
emulated() {
	local loader settings=()

	if [ "$(uname -m)" = aarch64 ]; then
		timeout 60 env "$@"
		return
	fi
	while [[ $1 == *=* ]]; do
		settings+=(-E "$1")
		shift
	done
	loader=$("$HOST-gcc" -print-file-name=ld-linux-aarch64.so.1)
	timeout 60 qemu-aarch64 -L "$(dirname "$loader")/.." "${settings[@]}" "$@"
}

mended() {
	emulated LD_PRELOAD="$LIBRARY" JITMEND_POLICY=strict "$@"
}

require_emulator() {
	[ "$(uname -m)" = aarch64 ] || require_program qemu-aarch64
}

@test "it builds for aarch64 without a warning" {
	[ -e "$BUILD/built" ] || tail -n 40 "$BUILD/log"
	[ -e "$BUILD/built" ]
	[ -e "$LIBRARY" ]
	if grep 'warning:' "$BUILD/log"; then
		return 1
	fi
}

@test "the engine for aarch64 needs nothing but itself" {
	require_program "$HOST-nm"
	"$HOST-nm" --defined-only "$BUILD/src/.libs/libengine.a" |
		awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u >defined
	"$HOST-nm" -u "$BUILD/src/.libs/libengine.a" |
		awk '$1 == "U" && $2 != "_GLOBAL_OFFSET_TABLE_" { print $2 }' | sort -u >undefined
	[ -s defined ]
	[ -s undefined ]
	[ -z "$(comm -13 defined undefined | tee /dev/stderr)" ]
}

@test "neither library for aarch64 has libgcc's constructor in it" {
	require_program "$HOST-nm"
	for library in libjitmend libjitmend-origins; do
		"$HOST-nm" "$BUILD/src/.libs/$library.so" >symbols
		[ -s symbols ]
		if grep have_lse_atomics symbols; then
			return 1
		fi
	done
}

@test "unit tests pass for aarch64" {
	require_emulator
	for unit in decide settings record descriptors aarch64; do
		emulated "$BUILD/tests/unit/$unit" >"$unit.out" || {
			grep -a -B2 '^not ok' "$unit.out"
			return 1
		}
		grep -q '^ok' "$unit.out"
	done
}

@test "code on aarch64 is written, run and written again" {
	require_emulator
	run_as native emulated "$BUILD/tests/hosts/aarch64"
	run_as mended mended "$BUILD/tests/hosts/aarch64"
	show native mended
	[ "$(cat native.status)" -eq 0 ]
	[ "$(cat mended.status)" -eq 0 ]
	grep -q 'in turn: 0 wrong' native.out
	diff -u native.out mended.out
	grep -q 'by mapping the pages writable or executable in turn' mended.err
}

@test "no page on aarch64 is writable and executable" {
	require_emulator
	run_as native emulated "$BUILD/tests/hosts/aarch64" maps
	run_as mended mended "$BUILD/tests/hosts/aarch64" maps
	show native mended
	grep -q ' rwx' native.out
	[ "$(cat mended.out)" = "run: 61" ]
}
