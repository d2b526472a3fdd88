# lli-mcjit.bash: LLVM's lli with its older engine, MCJIT.

needs=lli

load() {
	lli --jit-kind=mcjit "$zoo/lli.ll"
}

jit_off() {
	lli --jit-kind=mcjit --force-interpreter "$zoo/lli.ll"
}
