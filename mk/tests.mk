# SPDX-License-Identifier: ISC
# tests.mk - tests, fuzzers, benchmarks and lint.

.PHONY: run test bench fuzz lint
run test bench fuzz lint:
