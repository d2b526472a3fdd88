# js102.bash: SpiderMonkey's shell: its compilers, WebAssembly, workers.
# The load asks it whether a function runs compiled.

needs=js102

load() {
	js102 --no-threads "$zoo/js102.js"
	js102 --ion-eager "$zoo/js102.js"
}

jit_off() {
	js102 --no-jit-backend "$zoo/js102.js"
	js102 --no-jit-backend "$zoo/js102.js"
}
