# js102.bash: SpiderMonkey's shell: its compilers, WebAssembly. Debian 13 has no shell, but
# the library, of which mozjs.cpp makes one.
# The load asks it whether a function runs compiled.

needs=''

library=$(find /usr/lib -path '*/pkgconfig/mozjs-*.pc' 2>/dev/null | sort -V | tail -n 1)
library=$(basename "$library" .pc)

lacking() {
	! command -v js102 >/dev/null || return 0
	if [ -z "$library" ]; then
		echo "neither js102 nor SpiderMonkey's library for developers is installed"
	elif ! command -v g++ >/dev/null || ! command -v pkg-config >/dev/null; then
		echo "g++ or pkg-config is not installed"
	fi
}

prepare() {
	local flags

	if command -v js102 >/dev/null; then
		ln -s "$(command -v js102)" shell
		return
	fi
	read -ra flags < <(pkg-config --cflags --libs "$library")
	g++ -std=c++17 -O1 -o shell "$zoo/mozjs.cpp" "${flags[@]}"
}

load() {
	./shell --no-threads -f "$zoo/hot.js" -f "$zoo/js102.js"
	./shell --ion-eager -f "$zoo/hot.js" -f "$zoo/js102.js"
}

jit_off() {
	./shell --no-jit-backend -f "$zoo/hot.js" -f "$zoo/js102.js"
	./shell --no-jit-backend -f "$zoo/hot.js" -f "$zoo/js102.js"
}
