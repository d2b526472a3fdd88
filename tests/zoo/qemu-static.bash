# qemu-static.bash: the same as qemu.bash, with the translator linked statically.

needs='qemu-x86_64-static gcc'
run_options=--all

prepare() {
	gcc -O1 -pthread -o guest "$zoo/qemu.c"
}

load() {
	qemu-x86_64-static ./guest
}
