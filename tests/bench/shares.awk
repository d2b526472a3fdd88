# shares.awk: where a program's processor time goes. For tests/bench/steady.
#
# Reads what `perf script -F comm,ip,sym,dso' prints of samples with the kernel's frames:
# a line for the command, then a line for each frame, the innermost first, then an empty
# one. Prints how many samples there were; how many of them in the library, or in the
# decoder that it maps; and how many in the kernel, for whatever reason: a call that the
# program makes by a hook of the library's looks to perf like one of the library's.

function count() {
	if (!sampled)
		return
	samples++
	if (in_kernel)
		kernel++
	else if (user ~ /libjitmend|libZydis/)
		ours++
	sampled = in_kernel = 0
	user = ""
}

/^[^ \t]/ {
	count()
	sampled = 1
	next
}

/^[ \t]*$/ || user != "" {
	next
}

/\(\[kernel/ {
	in_kernel = 1
	next
}

{
	user = $NF
}

END {
	count()
	print samples + 0, ours + 0, kernel + 0
}
