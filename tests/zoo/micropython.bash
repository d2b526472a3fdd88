# micropython.bash: MicroPython: functions that it is told to compile, to code of two kinds,
# and more of them as it runs. Refused, it writes to nowhere.

needs=micropython

lacking() {
	micropython -c 'exec("import micropython\n@micropython.native\ndef f(): pass")' 2>/dev/null ||
		echo "micropython has no compiler to machine code"
}

load() {
	micropython "$zoo/micropython_load.py"
}
