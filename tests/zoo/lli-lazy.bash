# lli-lazy.bash: LLVM's lli, compiling each function at its first call: through
# stubs and trampolines, and several times making code executable.

needs=lli

load() {
	lli --jit-kind=orc-lazy "$zoo/lli.ll"
}
