# valgrind.bash: Valgrind, a static program that its script starts, which translates
# a program, and one that makes code of its own.

needs='valgrind gcc'
run_options=--all

prepare() {
	gcc -O1 -pthread -o guest "$zoo/qemu.c"
}

load() {
	valgrind -q --tool=none --smc-check=all ./guest
}
