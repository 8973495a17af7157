# SPDX-License-Identifier: ISC
# tools.mk - programs for the inside of a machine, which `remora run --tools`
# and `--cloud` pack: static, so that they need nothing there.

TOOLS_CC := $(shell command -v musl-gcc 2>/dev/null || echo gcc)
TOOLS_CFLAGS = -std=gnu17 -Os -D_GNU_SOURCE -Wall -Wextra -Werror -I. -static \
	  -s $(if $(findstring musl,$(TOOLS_CC)),-idirafter $(B)/guest/uapi)

.PHONY: tools
tools: $(B)/devctl $(B)/remora-cloud

$(B)/devctl: guest/devctl.c kernel/abi/devctl.h mk/tools.mk | $(B)/guest/uapi
	$(Q)$(TOOLS_CC) $(TOOLS_CFLAGS) -o $@ $<

# remora-cloud: with libyaml, and the inflate of zlib.
CLOUD_SRC := $(filter-out %_test.c %_fuzz.c,$(sort $(wildcard guest/cloud/*.c)))
CLOUD_OBJ := $(CLOUD_SRC:%.c=$(B)/%.o)
CLOUD_THIRD = $(YAML_C:%=$(B)/guest/cloud/yaml/%.o) \
	  $(ZLIB_C:%=$(B)/guest/cloud/zlib/%.o)
CLOUD_CFLAGS = $(TOOLS_CFLAGS) -Wstrict-prototypes -Wmissing-prototypes \
	  -ffunction-sections $(YAML_USE) -MMD -MP
CLOUD_THIRD_CFLAGS = -std=gnu17 -Os -w -ffunction-sections

$(B)/guest/cloud/%.o: guest/cloud/%.c mk/tools.mk | $(B)/guest/uapi \
    $(THIRD_STAMP)
	@mkdir -p $(@D)
	$(Q)$(TOOLS_CC) $(CLOUD_CFLAGS) -c -o $@ $<

$(B)/guest/cloud/yaml/%.o: $(THIRD_STAMP) mk/tools.mk
	@mkdir -p $(@D)
	$(Q)$(TOOLS_CC) $(CLOUD_THIRD_CFLAGS) -I$(THIRD)/yaml/include \
	  $(YAML_DEF) -c -o $@ $(THIRD)/yaml/src/$*.c

$(B)/guest/cloud/zlib/%.o: $(THIRD_STAMP) mk/tools.mk
	@mkdir -p $(@D)
	$(Q)$(TOOLS_CC) $(CLOUD_THIRD_CFLAGS) $(ZLIB_DEF) -c -o $@ \
	  $(THIRD)/zlib/$*.c

$(B)/remora-cloud: $(CLOUD_OBJ) $(CLOUD_THIRD)
	$(Q)$(TOOLS_CC) -static -s -Wl,--gc-sections -o $@ $^

-include $(CLOUD_OBJ:.o=.d)
