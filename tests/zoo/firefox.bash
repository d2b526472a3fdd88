# firefox.bash: Firefox, its processes in their sandboxes; a page that computes. It ends
# once it has made a picture of the page.

needs=firefox-esr
export HOME=$PWD

load() {
	rm -rf profile page.png
	mkdir profile
	echo 'user_pref("browser.dom.window.dump.enabled", true);' >profile/user.js
	firefox-esr --headless --no-remote --profile "$PWD/profile" --window-size=300,200 \
		--screenshot "$PWD/page.png" "file://$zoo/page.html" 2>/dev/null | grep '^sums'
	[ -s page.png ]
}
