# erlang.bash: Erlang's JIT, told to be content with one view of its code, as perf and
# emulators want it: modules compiled, loaded, called by several processes at a time, and
# purged. Left alone it makes two views of a memfd, and wants nothing mended.

needs='erl erlc'

lacking() {
	erl +JMsingle true -noshell -s init stop >/dev/null 2>&1 || echo "erl knows no +JMsingle"
}

prepare() {
	erlc "$zoo/erlang_load.erl"
}

load() {
	erl +JMsingle true -noshell -s erlang_load main -s init stop
}
