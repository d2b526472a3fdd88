# mono.bash: the tests of Mono's JIT: small methods, of which each is compiled and called
# with each of some thirty combinations of optimizations. An image with a combination is a
# test here, and has passed if all its methods have.
#
# Left out: what is written in Mono's assembler (mono-utils has it), or needs it.

needs='mono mcs'

images='basic basic-float basic-long basic-calls objects arrays basic-math exceptions devirtualization
	gshared gc-test mixed builtin-types'

lacking() {
	"$peers/unpack" mono || echo "no source package of mono"
}

prepare() {
	local image

	"$peers/unpack" mono '*/mono/mini/*.cs'
	mv mono-*/mono/mini/*.cs .
	for image in $images; do
		mcs -unsafe -optimize -out:"$image.exe" "$image.cs" TestDriver.cs
	done
}

suite() {
	local image

	for image in $images; do
		mono --regression "$image.exe"
	done
}

verdicts() {
	sed -n -e 's/^Test run: image=.*\/\([^/]*\.exe\), opts=\(.*\)/\1 \2/' -e T -e 'h; :next; n' \
		-e '/^Results: /!b next' -e G -e 's/^Results: total tests: [0-9]*, all pass *\n/ok\t/p' -e t \
		-e 's/^.*\n/fail\t/p'
}
