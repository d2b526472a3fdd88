# embed.sed: makes each line a string of C.
s/[\\"]/\\&/g
s/	/\\t/g
s/^/"/
s/$/\\n"/
