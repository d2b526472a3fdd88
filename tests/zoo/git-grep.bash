# git-grep.bash: git grep -P, several threads of it.
# Refused, git before 2.40 has nothing to fall back on: it ends with "fatal", and -48.
# Since then it interprets, and says nothing. What tells: only PCRE2's interpreter has
# a limit of depth, beyond which git ends.

needs=git

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

lacking() {
	case $(git grep --no-index -qP '(*NO_JIT)x' -- . 2>&1) in
	*USE_LIBPCRE*) echo "git has no -P" ;;
	esac
}

prepare() {
	local i

	git init -q repository
	mkdir repository/folder
	for i in {1..80}; do
		generate_words 10000 "$i" >"repository/folder/words$i"
	done
	git -C repository add .
}

matches() {
	git -C repository grep --threads=4 -cP "$1"'\b(\w)\w*\1\b' | cksum
	git -C repository grep --threads=4 -hoP "$1"'(\w+) (?=\w*(\w)\2)' | cksum
	git -C repository grep --threads=4 -oP "$1"'(?<=[aeiou])\d+[^ ]*?z' | cksum
}

compiled() {
	git -C repository grep -qP '(*LIMIT_DEPTH=1)(\w\d?)+ '
}

load() {
	matches ''
	echo "compiled: $(compiled && echo yes || echo no)"
}

jit_off() {
	matches '(*NO_JIT)'
}
