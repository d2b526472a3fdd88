# onednn.bash: oneDNN, of which PyTorch and others have their neural networks' kernels: it
# compiles them. Alone it says "could not create a primitive".

needs=gcc

lacking() {
	echo '#include <dnnl.h>' | gcc -E - >/dev/null 2>&1 || echo "dnnl.h is not installed"
}

prepare() {
	gcc -O1 -o onednn "$zoo/onednn.c" -ldnnl
}

# How many threads there are does not change what is added up, nor in which order.
load() {
	OMP_NUM_THREADS=2 ./onednn
}
