# maxima.bash: Maxima on GCL: algebra in compiled Lisp, and a function of the user's
# own compiled by gcc and loaded.

needs=maxima

lacking() {
	[ "$(maxima --very-quiet --batch-string='build_info();' 2>/dev/null | grep -c GCL)" -ne 0 ] ||
		echo "maxima does not run on GCL"
}

load() {
	maxima --very-quiet --batch="$zoo/maxima.mac"
}
