# perf.sed: names for generated code in a perf.data of a program with libjitmend in it.
# See DEBUGGERS in libjitmend(7).
#
#	LC_ALL=C sed -i -f perf.sed perf.data
#
# perf looks into /tmp/perf-PID.map only for memory that is called //anon, and the
# library's lies in a file. The new name is as long as the old one.
s|/memfd:jitmend (deleted)|//anon\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0\x0|g
