# tests/vm/local.mk: programs under a real SELinux, in a virtual machine, for those who
# have what that takes: tools/setup --for=vm gets it. KERNELS=... says which, as 6.12.
EXTRA_DIST += tests/vm
check_PROGRAMS += tests/vm/mark
tests_vm_mark_SOURCES = tests/vm/mark.c

.PHONY: check-vm
check-vm: all $(check_PROGRAMS)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/vm/run $(KERNELS)
