# tests/model/local.mk: the protocols of the turning, of the fork and of the lock, as
# models that are searched to the end. Wants spin.

EXTRA_DIST += tests/model/run tests/model/lock.pml tests/model/turning.pml \
	tests/model/fork.pml

.PHONY: check-model
check-model:
	CC='$(CC)' $(top_srcdir)/tests/model/run $(MODELS)
