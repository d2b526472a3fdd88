# smlnj.bash: Standard ML of New Jersey, on i386 a program with text relocations, started
# by a script; it compiles as it reads, and its collector moves what it has compiled.

needs=sml
run_options=--audit-loader

lacking() {
	[ "$(uname -m)" != x86_64 ] || echo "it is a program of 32 bits: make check-i386 tries it"
}

load() {
	sml "$zoo/smlnj.sml" </dev/null | grep -E '^[a-z]+: '
}
