# ruby.bash: of Ruby's bootstraptest what YJIT has to get right beside its code
# (exceptions, fibers, forks), the whole: and what is there for YJIT, an assertion by
# assertion; each method is compiled at its first call.
#
# Left out: test_yjit_30k_ifelse.rb and test_yjit_30k_methods.rb, which take minutes;
# the tests of syntax, of which each starts a ruby for one line; test_ractor.rb and
# test_thread.rb, which hang now and then without jitmend too.

needs=ruby

lacking() {
	ruby --yjit -e '' 2>/dev/null || echo "ruby has no YJIT"
	"$peers/unpack" ruby3.1 || echo "no source package of ruby3.1"
}

prepare() {
	"$peers/unpack" ruby3.1 '*/bootstraptest/*'
	mv ruby-*/bootstraptest .
}

suite() {
	local tests=(bootstraptest/test_{exception,fiber,fork}.rb)

	[ -z "$peers_whole" ] || tests+=(bootstraptest/test_yjit.rb)
	ruby bootstraptest/runner.rb --ruby="$(command -v ruby) --yjit --yjit-call-threshold=1" \
		-v "${tests[@]}"
}

verdicts() {
	sed -n \
		-e "s/^#\([0-9]*\) \([a-z_]*\.rb:[0-9]*\):.*' \. [0-9.]*$/ok\t\2 #\1/p" -e t \
		-e "s/^#\([0-9]*\) \([a-z_]*\.rb:[0-9]*\):.*/fail\t\2 #\1/p"
}
