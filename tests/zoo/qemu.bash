# qemu.bash: qemu-user, which translates a program of this machine for this
# machine: loops, signals, threads, and code that the guest itself makes. The
# guest gets no library of its own to mend it: nothing is refused to a guest, and
# a translator does not notice when code changes through another view.

# In a Debian of i386 uname says i686.
case $(uname -m) in
i?86) translator=qemu-i386 ;;
*) translator=qemu-$(uname -m) ;;
esac
needs="$translator gcc"
# Since Debian 13 it is linked statically.
ldd "$(command -v "$translator")" 2>/dev/null | grep -q '=>' || run_options=--all

prepare() {
	gcc -O1 -pthread -o guest "$zoo/qemu.c"
}

load() {
	"$translator" -U LD_PRELOAD ./guest
}
