# chez.bash: Chez Scheme, where everything is compiled code, made as it runs.

needs=chezscheme

load() {
	chezscheme --script "$zoo/chez.ss"
}

jit_off() {
	echo '(current-eval interpret) (load "'"$zoo/chez.ss"'")' | chezscheme -q
}
