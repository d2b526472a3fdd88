# polyml.bash: Poly/ML's own tests: programs that it compiles to machine code and runs.
# poly itself has text relocations, which only --all sees.

needs=poly
run_options=--all

lacking() {
	"$peers/unpack" polyml || echo "no source package of polyml"
}

prepare() {
	"$peers/unpack" polyml '*/Tests/*'
	mkdir -p Succeed/Fail Fail/Succeed
	mv polyml-*/Tests/Succeed Succeed
	mv polyml-*/Tests/Fail Fail
	mv polyml-*/Tests/RunTests.sml .
}

# Names come twice: below Succeed and below Fail.
suite() {
	local folder

	for folder in Succeed Fail; do
		echo "runTests \"$folder\";" | poly -q --use RunTests.sml | sed "s/^Test/$folder\/Test/"
	done
}

verdicts() {
	sed -n \
		-e 's/^\(.*\.ML\) => .*Passed$/ok\t\1/p' -e t \
		-e 's/^\(.*\.ML\) => .*/fail\t\1/p'
}
