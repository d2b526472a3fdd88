# js102.bash: SpiderMonkey's shell: its compilers, WebAssembly.
# The load asks it whether a function runs compiled.

needs=js102

load() {
	js102 --no-threads -f "$zoo/hot.js" -f "$zoo/js102.js"
	js102 --ion-eager -f "$zoo/hot.js" -f "$zoo/js102.js"
}

jit_off() {
	js102 --no-jit-backend -f "$zoo/hot.js" -f "$zoo/js102.js"
	js102 --no-jit-backend -f "$zoo/hot.js" -f "$zoo/js102.js"
}
