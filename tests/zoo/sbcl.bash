# sbcl.bash: SBCL, where everything is compiled code: functions compiled as it runs,
# a file compiled and loaded, the garbage collector, threads, memory faults.
# Refused, it does not come to its heap.

needs=sbcl

load() {
	rm -f sbcl-part.fasl
	sbcl --noinform --no-sysinit --no-userinit --disable-debugger --load "$zoo/sbcl.lisp" --quit
}

jit_off() {
	sbcl --noinform --no-sysinit --no-userinit --disable-debugger \
		--eval '(setf sb-ext:*evaluator-mode* :interpret)' \
		--eval '(defconstant +interpreted+ t)' --load "$zoo/sbcl.lisp" --quit
}
