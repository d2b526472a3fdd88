# gjs.bash: GNOME's JavaScript: SpiderMonkey in a library.

needs=gjs

prepare() {
	cat "$zoo/hot.js" - <<<'print(everything(60));' >gjs.js
}

load() {
	gjs gjs.js
}

jit_off() {
	JS_DISABLE_JIT=1 gjs gjs.js
}
