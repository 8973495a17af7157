# SPDX-License-Identifier: ISC
# lint.mk - format, layering and static checks.
#
# `make lint` does all of it, `make test` what takes seconds (lint-fast).
# See tests/lint/run.

.PHONY: lint lint-fast
lint: all
	$(Q)MAKE='$(MAKE)' tests/lint/run $(B)

lint-fast:
	$(Q)tests/lint/run $(B) fast
