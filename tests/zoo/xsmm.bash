# xsmm.bash: libxsmm, which compiles a kernel for each shape of small matrices. Alone
# the program dies of SIGSEGV.

needs=gcc

lacking() {
	echo '#include <libxsmm.h>' | gcc -E - >/dev/null 2>&1 || echo "libxsmm.h is not installed"
}

prepare() {
	gcc -O1 -o xsmm "$zoo/xsmm.c" -lxsmm -lxsmmnoblas -lm -ldl -pthread
}

load() {
	./xsmm
}
