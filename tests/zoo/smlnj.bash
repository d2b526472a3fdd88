# smlnj.bash: Standard ML of New Jersey, on i386 a program with text relocations, started
# by a script; it compiles as it reads, and its collector moves what it has compiled.

needs=sml
run_options=--audit-loader

load() {
	sml "$zoo/smlnj.sml" </dev/null | grep -E '^[a-z]+: '
}
