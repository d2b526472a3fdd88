# jitmend.gdb: for a program with libjitmend in it, under gdb. See DEBUGGERS in
# libjitmend(7).
#
#	gdb -x jitmend.gdb PROGRAM
#
# The library learns by SIGSEGV which page is wanted for what; these are none of the
# user's business. It has a probe that is passed when a fault is the program's own:
# there gdb stops instead, in the frame in which the fault was.

handle SIGSEGV nostop noprint pass

set breakpoint pending on
break -probe-stap jitmend:fault
set breakpoint pending auto
commands
	silent
	echo \nThe program's own fault, Segmentation fault.\n
	frame 2
end
