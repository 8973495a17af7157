# SPDX-License-Identifier: ISC
# guest.mk - programs of tests/guest, which run as a machine's first program.
#
# Each is linked statically with both C libraries, into $(B)/guest/glibc and
# $(B)/guest/musl.  Those of GUEST_SHAPES exist in the other shapes too: as
# dynamic programs and as static position-independent ones.  A C library that
# is not installed is left out, and the runner tells so.

GUEST_SRC := $(sort $(wildcard tests/guest/*.c))
GUEST_NAMES := $(GUEST_SRC:tests/guest/%.c=%)
GUEST_SHAPES := hello
GUEST_CFLAGS = -std=gnu17 -O1 -g -D_GNU_SOURCE -Wall -Wextra -Werror \
	  -pthread -Itests/guest -MMD -MP
comma	:= ,
MUSLCC	:= $(shell command -v musl-gcc 2>/dev/null)
MUSL_RCRT1 := /usr/lib/x86_64-linux-musl/rcrt1.o

GUEST_BIN := $(GUEST_NAMES:%=$(B)/guest/glibc/%) \
	  $(GUEST_SHAPES:%=$(B)/guest/glibc-dynamic/%) \
	  $(GUEST_SHAPES:%=$(B)/guest/glibc-pie/%)
ifneq ($(MUSLCC),)
GUEST_BIN += $(GUEST_NAMES:%=$(B)/guest/musl/%) \
	  $(GUEST_SHAPES:%=$(B)/guest/musl-dynamic/%) \
	  $(GUEST_SHAPES:%=$(B)/guest/musl-pie/%)
endif

# $(call guest_rule,FOLDER,COMPILER AND SHAPE,LAST)
define guest_rule
$(B)/guest/$(1)/%: tests/guest/%.c mk/guest.mk | $(B)/guest/uapi
	@mkdir -p $$(@D)
	$$(Q)$(2) $$(GUEST_CFLAGS) -MF $$@.d -MT $$@ -o $$@ $$< $(3)
endef
$(eval $(call guest_rule,glibc,gcc -static))
$(eval $(call guest_rule,glibc-dynamic,gcc -pie -fPIE))
$(eval $(call guest_rule,glibc-pie,gcc -static-pie -fPIE))
$(eval $(call guest_rule,musl,musl-gcc -static -idirafter $(B)/guest/uapi))
$(eval $(call guest_rule,musl-dynamic,musl-gcc -pie -fPIE \
	  -idirafter $(B)/guest/uapi))
# Debian's musl-gcc knows no -static-pie: its start file is named here.
$(eval $(call guest_rule,musl-pie,musl-gcc -shared -fPIE -nostartfiles \
	  -idirafter $(B)/guest/uapi,-Wl$(comma)-pie$(comma)-static$(comma)--no-dynamic-linker \
	  $(MUSL_RCRT1)))


# musl-gcc looks into its own headers only; Linux's are beside the others.
$(B)/guest/uapi:
	$(Q)mkdir -p $@.new
	$(Q)ln -sfn /usr/include/linux $@.new/linux
	$(Q)ln -sfn /usr/include/asm-generic $@.new/asm-generic
	$(Q)ln -sfn $$(dirname $$(echo '#include <asm/unistd.h>' | \
	  gcc -M -E - | grep -o '/[^ ]*/asm/unistd.h')) $@.new/asm
	$(Q)rm -rf $@ && mv $@.new $@

.PHONY: guest
guest: $(GUEST_BIN)
test-programs: guest

-include $(GUEST_BIN:%=%.d)

# The loader that leaves a machine in Firecracker's state, and the makers of
# that state: mkstate for QEMU, kvm_firecracker for KVM itself.
LOADER_CFLAGS = -m32 -std=gnu17 -Os -g -Wall -Wextra -Werror -ffreestanding \
	  -fno-pic -fno-pie -fno-stack-protector -mgeneral-regs-only \
	  -fno-asynchronous-unwind-tables -fcf-protection=none -nostdinc \
	  -isystem $(shell gcc -print-file-name=include)
LOADER_TOOLS = $(B)/loader/mkstate $(B)/loader/kvm_firecracker

$(B)/loader/%: tests/loader/%.c tests/loader/state.c tests/loader/state.h \
    tests/loader/container.h
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu17 -O1 -g -D_GNU_SOURCE -Wall -Wextra -Werror \
	  -o $@ $< tests/loader/state.c

$(B)/loader/loader.elf: tests/loader/loader.c tests/loader/entry.S \
    tests/loader/loader.ld tests/loader/container.h mk/guest.mk
	@mkdir -p $(@D)
	$(Q)gcc $(LOADER_CFLAGS) -idirafter /usr/include -c \
	  -o $(B)/loader/loader.o tests/loader/loader.c
	$(Q)gcc -m32 -c -o $(B)/loader/entry.o tests/loader/entry.S
	$(Q)$(LD) -m elf_i386 -nostdlib -static -z noexecstack \
	  --no-warn-rwx-segments --build-id=none -T tests/loader/loader.ld \
	  -o $@ $(B)/loader/entry.o $(B)/loader/loader.o

test-programs: $(LOADER_TOOLS) $(B)/loader/loader.elf

$(B)/loader/probe.elf: tests/loader/probe.c tests/loader/probe_entry.S mk/guest.mk
	@mkdir -p $(@D)
	$(Q)gcc $(filter-out -m32,$(LOADER_CFLAGS)) -mno-red-zone \
	  -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu \
	  -nostdlib -static -Wl,-Ttext=0x100000,-e,probe_start \
	  -Wl,-N,-z,noexecstack,--build-id=none,--no-warn-rwx-segments \
	  -o $@ tests/loader/probe_entry.S tests/loader/probe.c

test-programs: $(B)/loader/probe.elf
