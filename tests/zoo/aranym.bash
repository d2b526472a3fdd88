# aranym.bash: ARAnyM, an Atari with a 68040 whose code is compiled: to fixed addresses, next
# to memory in which each access to hardware is a fault. The handler reads the instruction
# that met it, in compiled code, does its work, and goes on behind it.

needs='aranym-jit m68k-linux-gnu-as m68k-linux-gnu-objcopy'

export SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy HOME=$PWD

prepare() {
	local jit

	m68k-linux-gnu-as -m68040 -o rom.o "$zoo/aranym.s"
	m68k-linux-gnu-objcopy -O binary -j .text rom.o rom
	truncate -s 512K rom
	for jit in Yes No; do
		printf '%s\n' '[GLOBAL]' 'FastRAM = 4' 'Floppy =' "EmuTOS = $PWD/rom" \
			'[STARTUP]' 'GrabMouse = No' '[AUDIO]' 'Enabled = No' \
			'[JIT]' "JIT = $jit" 'JITCacheSize = 8192' >"jit-$jit"
	done
}

run() {
	aranym-jit --emutos --nomouse --config "$PWD/$1" >said 2>&1
	grep -x '[0-9a-f]\{8\}' said
}

load() {
	run jit-Yes
}

jit_off() {
	run jit-No
}
