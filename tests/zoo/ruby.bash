# ruby.bash: Ruby's YJIT: hot methods, exceptions, regular expressions, threads,
# forks, of which each goes on compiling.

needs=ruby

lacking() {
	ruby --yjit -e 'exit RubyVM::YJIT.enabled?' 2>/dev/null || echo "ruby has no YJIT"
}

load() {
	ruby --yjit --yjit-call-threshold=2 "$zoo/ruby.rb"
}

jit_off() {
	ruby "$zoo/ruby.rb"
}
