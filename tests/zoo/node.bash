# node.bash: Node: optimised functions, WebAssembly, worker threads, child processes.
# The load asks V8 whether its hot function is optimised.

needs=node

load() {
	node --allow-natives-syntax "$zoo/node.js"
}

jit_off() {
	node --jitless --allow-natives-syntax "$zoo/node.js"
}
