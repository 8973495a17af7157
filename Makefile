# SPDX-License-Identifier: ISC
# Makefile - builds the kernel, the command and the tests into $(B).
#
# make help lists the targets.  CC=clang builds with clang.

B	?= build
CC	= gcc
HOSTCC	?= $(CC)
LD	= ld
NM	= nm
OBJCOPY	= objcopy
STRIP	= strip
Q	= @
ifeq ($(V),1)
Q	=
endif

.PHONY: all
all: kernel command tools

VERSION	:= 0.1

include mk/third.mk
include mk/kernel.mk
include mk/cli.mk
include mk/tools.mk
include mk/tests.mk
include mk/bench.mk

.PHONY: help setup clean
setup:
	$(Q)./setup.sh

clean:
	rm -rf $(B)

help:
	@echo 'make            build the kernel ($(B)/remora.elf) and the command ($(B)/remora)'
	@echo 'make run        install what is missing, build, boot a real program'
	@echo 'make demo-ssh   log in to a machine over SSH'
	@echo 'make demo-cloud  the same, with a key from a metadata service'
	@echo 'make test       install what is missing, build, pass all tests'
	@echo 'make bench      compare with a Linux guest, side by side'
	@echo 'make conformance  run the test suites of other projects; long'
	@echo 'make soak       disks come and go, 10,000 times in each kind of slot (SOAK_CYCLES=)'
	@echo 'make fuzz       fuzz parsers and system calls for long (FUZZ_SECONDS=)'
	@echo 'make lint       format, layering and static checks'
	@echo 'make setup      install what is missing from Debian packages'
	@echo 'make clean      remove $(B)/'
	@echo 'Variables: B=DIR (build folder), CC=gcc|clang, V=1 (show commands)'
