# lli-orc.bash: LLVM's lli with its newer engine, ORC.

needs=lli

load() {
	lli --jit-kind=orc "$zoo/lli.ll"
}

jit_off() {
	lli --jit-kind=mcjit --force-interpreter "$zoo/lli.ll"
}
