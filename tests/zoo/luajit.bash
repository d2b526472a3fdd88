# luajit.bash: LuaJIT, hot loops that become traces, and C calling back.
# The load counts the traces that were compiled.

needs=luajit

load() {
	luajit "$zoo/luajit.lua"
}

jit_off() {
	luajit -joff "$zoo/luajit.lua"
}
