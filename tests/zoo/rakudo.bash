# rakudo.bash: Rakudo on MoarVM. Alone it goes on without its compiler, and says nothing:
# its list of compiled frames, meant for perf, remains empty.

needs=raku

run_raku() {
	local id status=0

	MVM_JIT_PERF_MAP=1 raku "$zoo/rakudo.raku" &
	id=$!
	wait "$id" || status=$?
	echo "compiled: $([ -s "/tmp/perf-$id.map" ] && echo yes || echo no)"
	rm -f "/tmp/perf-$id.map"
	return "$status"
}

load() {
	run_raku
}

jit_off() {
	MVM_JIT_DISABLE=1 run_raku
}
