# gforth.bash: Gforth's own tests, with each of its engines, as its Makefile has them:
# Gforth copies pieces of itself into a mapping, one for each word that it compiles.
#
# Left out: libcc.fs, which wants libtool, and checkans.fs, which counts words.

needs='gforth gforth-fast gforth-itc'

lacking() {
	"$peers/unpack" gforth || echo "no source package of gforth"
}

prepare() {
	"$peers/unpack" gforth '*/test/*'
	mv gforth-*/* .
}

# as_expected EXPECTED COMMAND...
as_expected() {
	"${@:2}" 2>&1 | diff - "$1"
}

suite() {
	local engine

	for engine in gforth gforth-fast gforth-itc; do
		tell "$engine coretest" as_expected test/coretest.out "$engine" test/tester.fs test/coretest.fs \
			test/postpone.fs test/dbltest.fs test/string.fs test/float.fs test/deferred.fs \
			test/coreext.fs test/search.fs -e bye
		tell "$engine other" "$engine" test/other.fs -e bye
		tell "$engine signals" "$engine" test/signals.fs -e bye
		tell "$engine gforth" as_expected test/gforth.out "$engine" test/coremore.fs test/gforth.fs -e bye
		tell "$engine gforth-nofast" "$engine" test/gforth-nofast.fs -e bye
	done
}
