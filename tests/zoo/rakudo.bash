# rakudo.bash: Rakudo on MoarVM. Alone it goes on without its compiler, and says nothing:
# its list of compiled frames, meant for perf, remains empty.

needs=raku

load() {
	MVM_JIT_PERF_MAP=1 run_and_look raku "$zoo/rakudo.raku"
}

jit_off() {
	MVM_JIT_DISABLE=1 raku "$zoo/rakudo.raku"
}
