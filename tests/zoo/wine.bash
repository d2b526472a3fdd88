# wine.bash: Wine: a Windows program that makes code, has two views of a section, patches
# itself and a system DLL, handles access violations, starts threads and another process,
# and loads many DLLs. Each load has a wineserver of its own, so that Wine's services are
# under the policy as well.

# The Windows of this machine's kind: uname says i686 in a Debian of i386.
case $(uname -m) in
i?86) windows=win32 compiler=i686-w64-mingw32-gcc ;;
*) windows=win64 compiler=x86_64-w64-mingw32-gcc ;;
esac
needs="wine $compiler"

# Without a user's folder, a display, and what Wine would like to download.
export HOME=$PWD WINEPREFIX=$PWD/prefix WINEARCH=$windows WINEDEBUG=-all
export WINEDLLOVERRIDES='mscoree,mshtml='
unset DISPLAY WAYLAND_DISPLAY

lacking() {
	wine --version >/dev/null 2>&1 || echo "wine of $windows is not installed"
}

# end_wine: the server goes, and with it all that it has started.
end_wine() {
	wineserver -k || true
	wineserver -w
}

prepare() {
	"$compiler" -O2 -o windows.exe "$zoo/wine.c"
	wine wineboot --init
	end_wine
}

load() {
	local status=0

	wine windows.exe rwx toggle views patch violations threads libraries child load || status=$?
	end_wine
	echo "wine: $status"
}
