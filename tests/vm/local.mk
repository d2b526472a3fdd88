# tests/vm/local.mk: programs under a real SELinux, in a virtual machine, for those who
# have what that takes: tools/setup --for=vm gets it. KERNELS=... says which, as 6.12.
EXTRA_DIST += tests/vm/checksum.lisp tests/vm/checksum.sml tests/vm/denials \
	tests/vm/differences tests/vm/each tests/vm/guest tests/vm/init tests/vm/judge \
	tests/vm/packages tests/vm/plan tests/vm/policies.bash tests/vm/policy.cil \
	tests/vm/run tests/vm/unpacked tests/vm/where.lua tests/vm/workloads.bash
check_PROGRAMS += tests/vm/mark
tests_vm_mark_SOURCES = tests/vm/mark.c

.PHONY: check-vm
check-vm: all $(check_PROGRAMS)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/vm/run $(KERNELS)
