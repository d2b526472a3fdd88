# grep.bash: grep -P, whose patterns PCRE2 compiles.
# Refused, grep interprets the pattern and says nothing. What tells is the last
# pattern: interpreted, it comes to more steps than PCRE2 allows; compiled, where
# steps count otherwise, it just fails to match.

needs='grep'

lacking() {
	echo x | grep -qP '(x)' 2>/dev/null || echo "grep has no -P"
}

prepare() {
	generate_words 1000000 >words
	echo 'aaaaaaaaaaaaaaaaaaaaaa!' >backtracking
}

# matches [PATTERN-START]: the way out is a word at the start of each pattern.
matches() {
	grep -cP "$1"'\b(\w)\w*\1\b' words
	grep -cP "$1"'(\w+) (?=\w*(\w)\2)' words
	grep -oP "$1"'(?<=[aeiou])\d+[^ ]*?z' words | cksum
	grep -cP "$1"'^(a+)+$' backtracking || echo "status $?"
}

load() {
	matches ''
}

jit_off() {
	matches '(*NO_JIT)'
}
