# gcl.bash: GCL: functions that gcc compiles, loaded into its own heap.
# It sets READ_IMPLIES_EXEC, runs itself anew, and makes all of its data
# executable at once. What the compiler says names temporary files.

needs='gcl gcc'

load() {
	gcl -batch -load "$zoo/gcl.lisp"
}
