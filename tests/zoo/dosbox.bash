# dosbox.bash: DOSBox's dynamic core, on i386 a program with text relocations, which makes
# code out of a DOS program that loops.

needs=dosbox
run_options=--audit-loader

export SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy HOME=$PWD

# Adds up 10,000 to 1, and shows the last 16 bits of the sum.
prepare() {
	mkdir -p disk
	printf '%b' '\xb9\x10\x27\x31\xdb\x01\xcb\xe2\xfc\xb9\x04\x00\xc1\xc3\x04\x88\xd8\x24\x0f' \
		'\x04\x30\x3c\x3a\x72\x02\x04\x07\x88\xc2\xb4\x02\xcd\x21\xe2\xe9\xcd\x20' >disk/SUM.COM
}

load() {
	rm -f disk/OUT.TXT
	dosbox -c 'config -set cpu core=dynamic' -c 'mount c disk' -c 'c:' -c 'sum > out.txt' \
		-c 'exit' >/dev/null 2>&1
	cat disk/OUT.TXT
	echo
}
