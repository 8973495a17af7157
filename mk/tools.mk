# SPDX-License-Identifier: ISC
# tools.mk - programs for the inside of a machine, which `remora run --tools`
# packs: static, so that they need nothing there.

TOOLS_CC := $(shell command -v musl-gcc 2>/dev/null || echo gcc)
TOOLS_CFLAGS = -std=gnu17 -Os -D_GNU_SOURCE -Wall -Wextra -Werror -I. -static \
	  -s $(if $(findstring musl,$(TOOLS_CC)),-idirafter $(B)/guest/uapi)

.PHONY: tools
tools: $(B)/devctl

$(B)/devctl: guest/devctl.c kernel/abi/devctl.h mk/tools.mk | $(B)/guest/uapi
	$(Q)$(TOOLS_CC) $(TOOLS_CFLAGS) -o $@ $<
