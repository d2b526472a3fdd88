# neovim.bash: Neovim, whose configuration and plugins are compiled by LuaJIT. Alone it
# says "runtime code generation failed, restricted kernel?" and ends.

needs=nvim

# Without what its user has configured. What Lua prints goes to the standard error.
edit() {
	generate_words 4000 >words
	nvim --headless -u NONE -i NONE -n -c "$1" -c "luafile $zoo/neovim.lua" -c 'quitall!' words 2>&1
	echo
	cat sorted
}

load() {
	edit ''
}

jit_off() {
	edit 'lua jit.off()'
}
