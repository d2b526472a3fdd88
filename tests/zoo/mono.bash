# mono.bash: Mono: methods compiled at their first call, threads, references to
# nothing, which it learns of by a signal.

needs='mono mcs'

prepare() {
	mcs -out:zoo.exe "$zoo/mono.cs"
}

load() {
	mono zoo.exe
}

jit_off() {
	mono --interpreter zoo.exe
}
