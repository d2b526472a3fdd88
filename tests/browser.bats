#!/usr/bin/env bats
# browser.bats: the page of jitmend report in headless Chromium, used by browser.js.
# For `make check-browser'.

# common.bash has variables.
# shellcheck disable=SC2154

load common

JOURNALS=$DATA/journals

setup() {
	[ -x "$top_builddir/tools/jitmend-report" ] || skip "built without jitmend report"
	cd "$BATS_TEST_TMPDIR" || return
	for BROWSER in chromium chromium-browser google-chrome ''; do
		[ -z "$BROWSER" ] || ! command -v "$BROWSER" >/dev/null || return 0
	done
	skip "chromium is not installed"
}

teardown() {
	:
}

# look WIDTH [OPTION...]: what browser.js sees on the page goes to seen; whatever
# the browser's console says is an error.
look() {
	local width=$1

	shift
	sed "/<\/body>/{
		s/<\/body>//
		i <script>
		r $top_srcdir/tests/browser.js
		a </script></body>
	}" page.html >used.html
	timeout "$PATIENCE" "$BROWSER" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$PWD/profile" --window-size="$width,900" \
		--virtual-time-budget=4000 --enable-logging=stderr --dump-dom "$@" \
		"file://$PWD/used.html" >dom 2>messages 3>&-
	grep -E 'CONSOLE' messages || true
	[ "$(grep -c 'CONSOLE' messages)" -eq 0 ]
	sed -n '/<pre id="result">/,/<\/pre>/p' dom | sed 's/.*<pre id="result">//; /<\/pre>/d' >seen
	cat seen
}

page() {
	"$JITMEND" report --format=html --output=page.html "$@" || [ $? -eq 2 ]
}

sees() {
	grep -qxE "$1" seen
}

@test "pictures, filters and keys" {
	page --no-symbols "$JOURNALS"/{luajit,node,php,tcc}.json
	look 1280
	sees 'title: jitmend report'
	sees 'headline: .* and 2 more asked for memory to run code in'
	sees 'sections: When, Where in memory, Who asked, What to change, Processes'
	sees 'sites: 5'
	sees 'marks: [5-7]'
	sees 'squares: [1-9][0-9]+'
	sees 'advice: 3'
	sees 'too wide: false'
	sees 'nameless: 0'
	sees 'tip: exec.*request.*UTC.*'
	sees 'spoken: exec.*request.*'
	sees 'opened: 1'
	sees 'tip after: hidden'
	sees 'focus: search'
	sees 'searched: 0'
	sees 'found: 5'
	sees 'pressed: false'
	sees 'sites without it: 4'
	sees 'sites of one process: [12]'
	sees 'frames: [1-9][0-9]+'
	sees 'too wide, open: false'
}

@test "a narrow window, and the dark" {
	local light

	page --no-symbols "$JOURNALS"/{luajit,node,php,tcc}.json
	look 500
	sees 'too wide: false'
	sees 'too wide, open: false'
	light=$(grep '^paper' seen)
	look 500 --blink-settings=preferredColorScheme=0
	[ "$(grep '^paper' seen)" != "$light" ]
}

@test "hostile names are text" {
	sed 's|"comm":"tcc"|"comm":"<img src=x>"|
		s|/usr/bin/tcc|/x/</script><script>document.title=1</script><img src=x onerror=document.title=2>\&lt;|g' \
		"$JOURNALS/tcc.json" >log
	page log
	look 1280
	sees 'title: jitmend report'
	sees 'images: 0'
	sees 'headline: &lt;img src=x&gt; asked for .*'
	sees 'sites: 1'
}

@test "nothing to show, and a journal that is broken" {
	sed -n 1p "$JOURNALS/tcc.json" >log
	echo "no line" >>log
	page log
	look 1280
	sees 'headline: No program asked for what a policy may refuse'
	sees 'sites: 0'
	grep -q 'log:2: no JSON' dom
}

@test "a long journal" {
	require_program python3
	python3 "$DATA/make-journal.py" 30000 40 300 >log
	page --no-symbols log
	look 1280
	sees 'sites: [1-9][0-9]+'
	sees 'marks: [1-9][0-9]{2,3}'
	sees 'too wide: false'
}
