# ruby.bash: of Ruby's bootstraptest what the zoo's JIT has to get right beside its code
# (exceptions, fibers, forks), the whole: and what is there for it, an assertion by
# assertion; each method is compiled at its first call.
#
# Left out: test_yjit_30k_ifelse.rb and test_yjit_30k_methods.rb, which take minutes;
# the tests of syntax, of which each starts a ruby for one line; test_ractor.rb and
# test_thread.rb, which hang now and then without jitmend too.

# shellcheck source=tests/zoo/ruby.bash
. "$zoo/ruby.bash"

eval "lacking_jit() $(declare -f lacking | tail -n +2)"
eval "prepare_jit() $(declare -f prepare | tail -n +2)"

lacking() {
	lacking_jit
	"$peers/unpack" 'ruby[0-9].[0-9]' || echo "no source package of ruby"
}

prepare() {
	prepare_jit
	"$peers/unpack" 'ruby[0-9].[0-9]' '*/bootstraptest/*'
	mv ruby-*/bootstraptest .
}

suite() {
	local jit tests=(bootstraptest/test_{exception,fiber,fork}.rb)

	jit=$(<jit)
	[ -z "$peers_whole" ] || tests+=("bootstraptest/test_$jit.rb")
	ruby bootstraptest/runner.rb --ruby="$(command -v ruby) --$jit --$jit-call-threshold=1" \
		-v "${tests[@]}"
}

verdicts() {
	sed -n \
		-e "s/^#\([0-9]*\) \([a-z_]*\.rb:[0-9]*\)\(:.*'\)\? \. [0-9.]*$/ok\t\2 #\1/p" -e t \
		-e "s/^#\([0-9]*\) \([a-z_]*\.rb:[0-9]*\)[: ].*/fail\t\2 #\1/p"
}
