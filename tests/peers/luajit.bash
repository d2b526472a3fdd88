# luajit.bash: LPeg's own test, a program of 1,600 lines that goes through LuaJIT's
# compiler and C library, with LPeg as installed. LuaJIT itself has no tests in
# Debian.

needs=luajit

lacking() {
	"$peers/unpack" lua-lpeg || echo "no source package of lua-lpeg"
	luajit -e '_ = require "lpeg"' >/dev/null 2>&1 || echo "no LPeg for luajit"
}

prepare() {
	"$peers/unpack" lua-lpeg '*/test.lua' '*/re.lua'
	mv lpeg-*/* .
}

# Every loop is hot at once in the later runs.
suite() {
	local options

	for options in -O3 -Ohotloop=2,hotexit=2 -O1; do
		tell "test.lua $options" luajit "$options" test.lua
	done
}
