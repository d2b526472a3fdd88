# guile.bash: Guile's JIT, from the first call of a function on.

needs=guile

prepare() {
	guile --no-auto-compile -c '
		(use-modules (system base compile))
		(compile-file (cadr (command-line)) #:output-file "guile.go")' "$zoo/guile.scm"
}

load() {
	GUILE_JIT_THRESHOLD=0 guile --no-auto-compile -c '(load-compiled "guile.go")'
}

jit_off() {
	GUILE_JIT_THRESHOLD=-1 guile --no-auto-compile -c '(load-compiled "guile.go")'
}
