# dolphin.bash: Dolphin, a console whose PowerPC is compiled. Its memory is a shared one in
# many views, each access an instruction of compiled code; a handler of SIGSEGV changes those
# that turn out to be no memory's.

PATH=$PATH:/usr/games
needs='dolphin-emu-nogui powerpc-linux-gnu-as powerpc-linux-gnu-objcopy'

export SDL_AUDIODRIVER=dummy HOME=$PWD

prepare() {
	powerpc-linux-gnu-as -mgekko -o program.o "$zoo/dolphin.s"
	powerpc-linux-gnu-objcopy -O binary -j .text program.o program.dol
	mkdir -p user/Config
	printf '%s\n' '[Logs]' 'OSREPORT = True' '[Options]' 'Verbosity = 4' \
		'WriteToConsole = True' >user/Config/Logger.ini
}

# has_said_or_ended PROCESS
has_said_or_ended() {
	grep -aq 'OSREPORT.*[0-9a-f]\{8\}' said || ! kill -0 "$1"
}

# run CPU: by that kind of processor. It has no end of its own.
run() {
	local process

	dolphin-emu-nogui --user="$PWD/user" --platform=headless --video_backend=Null \
		--config="Dolphin.Core.CPUCore=$1" --exec=program.dol >said 2>&1 &
	process=$!
	wait_for has_said_or_ended "$process" || true
	kill -KILL "$process" || true
	wait "$process" 2>/dev/null || true
	grep -ao 'OSREPORT.*' said
}

load() {
	run 1
}

jit_off() {
	run 0
}
