# tcc.bash: TinyCC, a program compiled and run from memory.
# Code in malloc'd memory; -run has nothing to fall back on.

needs=tcc

load() {
	tcc -run "$zoo/tcc.c"
}
