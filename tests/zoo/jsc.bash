# jsc.bash: JavaScriptCore's shell, all of its compilers.
# Refused, it interprets and says nothing. What tells: it counts how often it has
# compiled a function, and answers a million where it has no compiler.

needs=jsc

load() {
	JSC_useConcurrentJIT=0 jsc "$zoo/hot.js" "$zoo/jsc.js"
	jsc "$zoo/hot.js" "$zoo/jsc.js"
}

jit_off() {
	JSC_useJIT=0 jsc "$zoo/hot.js" "$zoo/jsc.js"
	JSC_useJIT=0 jsc "$zoo/hot.js" "$zoo/jsc.js"
}
