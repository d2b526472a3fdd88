# chromium.bash: Chromium without its sandbox (chromium-sandbox.bash has it with); a
# page that computes.

needs=chromium
export HOME=$PWD

load() {
	rm -rf profile
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
		--user-data-dir="$PWD/profile" --virtual-time-budget=20000 --dump-dom \
		"file://$zoo/page.html" 2>/dev/null | grep -o '^.*sums [0-9 -]*'
}
