# qemu.bash: qemu-x86_64, which translates a program of this machine for this
# machine: loops, signals, threads, and code that the guest itself makes. The
# guest gets no library of its own to mend it: nothing is refused to a guest, and
# a translator does not notice when code changes through another view.

needs='qemu-x86_64 gcc'

prepare() {
	gcc -O1 -pthread -o guest "$zoo/qemu.c"
}

load() {
	qemu-x86_64 -U LD_PRELOAD ./guest
}
