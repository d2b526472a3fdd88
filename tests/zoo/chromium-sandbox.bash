# chromium-sandbox.bash: Chromium, its processes in their sandboxes: user namespaces, folders
# without /proc, and seccomp filters that trap; a page that computes.

needs='chromium unshare'
export HOME=$PWD

# Chromium does not want to be root, and makes namespaces of its own, for which it has to
# have a group, too.
user=()
[ "$(id -u)" -ne 0 ] || user=(unshare --user --map-user=65534 --map-group=65534 --)

lacking() {
	${user[@]+"${user[@]}"} unshare --user true 2>/dev/null || echo "no user namespace for it here"
}

load() {
	rm -rf profile
	${user[@]+"${user[@]}"} chromium --headless --disable-gpu --disable-dev-shm-usage \
		--no-first-run --user-data-dir="$PWD/profile" --virtual-time-budget=20000 --dump-dom \
		"file://$zoo/page.html" 2>/dev/null | grep -o '^.*sums [0-9 -]*'
}
