# qemu-system.bash: a machine of QEMU's without KVM, of two processors, with one thread that
# translates for both, and with one for each. QEMU keeps the machine's memory from children
# (MADV_DONTFORK): it lies on both sides of the code that is made.

needs='qemu-system-x86_64 gcc'

lacking() {
	case $(uname -m) in
	x86_64 | i?86) ;;
	*) echo "what the machine runs is for x86" ;;
	esac
}

prepare() {
	gcc -m32 -O1 -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none \
		-mno-sse -mno-mmx -nostdlib -static -no-pie -Wl,--build-id=none \
		-Wl,-Ttext=0x101000 -Wl,--section-start=.multiboot=0x100000 \
		-o guest "$zoo/qemu-system.c"
}

load() {
	local thread

	for thread in single multi; do
		qemu-system-x86_64 -accel tcg,thread="$thread" -smp 2 -m 64 -nodefaults \
			-display none -no-reboot -serial stdio -kernel guest
	done
}
