# java.bash: OpenJDK: a hot loop, threads, exceptions that come as signals.
# The load asks the VM how many of its methods were compiled.

needs='java javac'

prepare() {
	javac -d . "$zoo/Zoo.java"
}

load() {
	java -cp . Zoo
}

jit_off() {
	java -Xint -cp . Zoo
}
