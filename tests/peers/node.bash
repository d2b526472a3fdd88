# node.bash: of Node's own tests those for messages between workers, forks and signals, the
# whole: and those for modules and contexts of V8 and for memory in workers. They are those of Debian's node, and the one installed may
# be newer: a test that does not fit it fails natively too, and tells nothing.
#
# Left out: what works with the network, or on fixed ports (sequential), or measures
# time (profilers).

needs='node /usr/bin/python3'

lacking() {
	"$peers/unpack" nodejs || echo "no source package of nodejs"
}

prepare() {
	"$peers/unpack" nodejs 'node-*/tools/test.py' 'node-*/tools/utils.py' 'node-*/test/*' 'node-*/lib/*' \
		--exclude='*/deps/*'
	mv node-*/* .
}

suite() {
	local tests=('parallel/test-worker-message-*' 'parallel/test-child-process-fork*' 'parallel/test-signal*')

	[ -z "$peers_whole" ] || tests=('parallel/test-worker-m*' 'parallel/test-vm-*' "${tests[@]:1}")
	[ -z "${peers_only-}" ] || mapfile -t tests <"$peers_only"
	/usr/bin/python3 tools/test.py -p tap --shell="$(command -v node)" --timeout=600 -j 1 "${tests[@]}"
}

verdicts() {
	sed -n \
		-e 's/^ok [0-9]* \([^ ]*\).*# skip.*/skip\t\1/p' -e t \
		-e 's/^ok [0-9]* \([^ ]*\).*/ok\t\1/p' -e t \
		-e 's/^not ok [0-9]* \([^ ]*\).*/fail\t\1/p'
}
