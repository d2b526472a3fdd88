# ruby.bash: Ruby's YJIT, or RJIT where it was built without that (Debian 13): hot
# methods, exceptions, regular expressions, threads, forks, of which each goes on
# compiling.

needs=ruby

# has_jit NAME
has_jit() {
	ruby "--$1" -e "exit RubyVM::${1^^}.enabled?" 2>/dev/null
}

lacking() {
	has_jit yjit || has_jit rjit || echo "ruby has neither YJIT nor RJIT"
}

prepare() {
	if has_jit yjit; then echo yjit; else echo rjit; fi >jit
}

load() {
	local jit

	jit=$(<jit)
	ruby "--$jit" "--$jit-call-threshold=2" "$zoo/ruby.rb"
}

jit_off() {
	ruby "$zoo/ruby.rb"
}
