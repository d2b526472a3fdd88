# poly.bash: Poly/ML, a program with text relocations, which compiles as it reads; and
# a program that it has made. Refused, the loader does not even start it.

needs=poly
run_options=--audit-loader

load() {
	poly -q --use "$zoo/poly.sml" </dev/null | grep -E '^[a-z]+: '
	poly -q --gcthreads=2 --maxheap=256 --use "$zoo/poly.sml" </dev/null | grep -E '^[a-z]+: '
}
