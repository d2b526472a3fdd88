# tools/local.mk: the wrapper script and its helpers.
