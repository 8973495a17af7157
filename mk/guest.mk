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
