# SPDX-License-Identifier: ISC
# tests.mk - tests, fuzzers, benchmarks and lint.
#
# A unit test is a file foo_test.c beside foo.c; a fuzzer is foo_fuzz.c.  Near
# its top stands what it is linked with:
#     /* unit: kernel/fs/cpio.c kernel/kern/str.c */
# where `inflate`, `unzstd`, `acpica`, `yaml` and `lwip` name the libraries of
# third.mk.  Both run on the
# host, with the C library's headers, under the address and (for our own code)
# undefined-behaviour sanitizers.  Seeds of foo_fuzz.c are tests/corpus/foo/*.
#
# A test with a line
#     /* threads */
# runs real threads: it is built against the locks, wait queues and threads of
# tests/host, twice, the second time (foo_test.tsan) under ThreadSanitizer.
#
# Each part of `make test` writes lines "PASS name", "FAIL name" or "SKIP name"
# into $(B)/results/PART*.txt; tests/all runs the parts and adds them up.

FUZZ_SECONDS	?= 600
FUZZ_SHORT_SECONDS ?= 3
HOSTCLANG	?= clang

UNIT_SRC := $(sort $(wildcard kernel/*/*_test.c kernel/*/*/*_test.c \
	  cli/*_test.c guest/*/*_test.c))
FUZZ_SRC := $(sort $(wildcard kernel/*/*_fuzz.c kernel/*/*/*_fuzz.c \
	  cli/*_fuzz.c guest/*/*_fuzz.c))
THREADS_SRC := $(shell grep -l '^/\* threads \*/$$' $(UNIT_SRC))
UNIT_BIN := $(UNIT_SRC:%.c=$(B)/unit/%) $(THREADS_SRC:%.c=$(B)/unit/%.tsan)
FUZZ_BIN := $(FUZZ_SRC:%.c=$(B)/fuzz/%)

HOST_CFLAGS = -std=gnu17 -O1 -g -D_GNU_SOURCE -Wall -Wextra -Werror \
	  -Wno-sign-compare -fno-omit-frame-pointer -iquote kernel -iquote . \
	  $(THIRD_USE) $(if $(findstring acpi_,$*),$(ACPICA_HOST)) \
	  $(if $(findstring guest/cloud/,$*),$(YAML_USE)) \
	  $(if $(findstring net/inet_,$*)$(findstring net/lwip/,$*),$(LWIP_USE)) \
	  -DREMORA_HOST -MMD -MP
UNIT_SAN = -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SAN = -fsanitize=fuzzer-no-link,address,undefined \
	  -fno-sanitize-recover=all -fno-sanitize=function

$(B)/unit/%.o: %.c | $(THIRD_STAMP)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(if $(filter $(notdir $*),$(UNIT_HOST)),-iquote \
	  tests/host) $(HOST_CFLAGS) $(UNIT_SAN) -c -o $@ $<

# Before the kernel's own headers come those that stand in for them.
$(B)/unit-threads/%.o: %.c | $(THIRD_STAMP)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -iquote tests/host $(HOST_CFLAGS) $(UNIT_SAN) -c -o $@ $<

$(B)/unit-tsan/%.o: %.c | $(THIRD_STAMP)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -iquote tests/host $(HOST_CFLAGS) -fsanitize=thread \
	  -Wno-tsan -c -o $@ $<

# What takes locks or uses ports sees those of tests/host here, too.
FUZZ_LOCKS = p9_client p9_client_fuzz
UNIT_HOST = acpi_code_test acpi_osl_io acpi_pci acpi_devices
$(B)/fuzz/%.o: %.c | $(THIRD_STAMP)
	@mkdir -p $(@D)
	$(Q)$(HOSTCLANG) $(if $(filter $(notdir $*),$(FUZZ_LOCKS)),-iquote \
	  tests/host) $(HOST_CFLAGS) $(FUZZ_SAN) -c -o $@ $<

# The libraries once more, for the host: their own definitions, so the same
# code as in the kernel; address sanitizer only.
define third_host
$(B)/$(1)/third/zlib/%.o: $(THIRD_STAMP) mk/third.mk
	@mkdir -p $$(@D)
	$$(Q)$(2) -O2 -g -w $(3) $$(ZLIB_DEF) -c -o $$@ $(THIRD)/zlib/$$*.c
$(B)/$(1)/third/zstd/%.o: $(THIRD_STAMP) mk/third.mk
	@mkdir -p $$(@D)
	$$(Q)$(2) -O2 -g -w $(3) $$(ZSTD_DEF) -c -o $$@ $(THIRD)/zstd/lib/$$*.c
$(B)/$(1)/third/acpica/%.o: $(THIRD_STAMP) mk/third.mk $(THIRD_H)
	@mkdir -p $$(@D)
	$$(Q)$(2) -O1 -g -w $(3) $(4) $$(ACPICA_HOST) $$(ACPICA_DEF_$$*) -c -o $$@ \
	  $(THIRD)/acpica/drivers/acpi/acpica/$$*.c
$(B)/$(1)/third/yaml/%.o: $(THIRD_STAMP) mk/third.mk
	@mkdir -p $$(@D)
	$$(Q)$(2) -O1 -g -w $(3) $(4) -I$(THIRD)/yaml/include $$(YAML_DEF) -c \
	  -o $$@ $(THIRD)/yaml/src/$$*.c
$(B)/$(1)/third/lwip/%.o: $(THIRD_STAMP) mk/third.mk \
    $(wildcard kernel/net/lwip/*.h kernel/net/lwip/*/*.h)
	@mkdir -p $$(@D)
	$$(Q)$(2) -O1 -g -w $(3) $(4) $$(LWIP_USE) $$(LWIP_DEF_$$(notdir $$*)) \
	  -c -o $$@ $(THIRD)/lwip/src/$$*.c
endef
$(eval $(call third_host,unit,$(HOSTCC),-fsanitize=address))
$(eval $(call third_host,fuzz,$(HOSTCLANG),-fsanitize=address,\
	  -fsanitize=fuzzer-no-link))

# $(call unit_words,FILE): the words of its unit line.
unit_words = $(shell sed -n 's|^/\* unit: \(.*\) \*/$$|\1|p' $(1))
# $(call unit_objs,FILE,unit|fuzz): the objects those words stand for.
unit_objs = $(foreach w,$(call unit_words,$(1)),\
	  $(if $(filter inflate,$(w)),$(ZLIB_C:%=$(B)/$(2)/third/zlib/%.o),\
	  $(if $(filter unzstd,$(w)),$(ZSTD_C:%=$(B)/$(2)/third/zstd/%.o),\
	  $(if $(filter acpica,$(w)),$(ACPICA_C:%=$(B)/$(2)/third/acpica/%.o),\
	  $(if $(filter yaml,$(w)),$(YAML_C:%=$(B)/$(2)/third/yaml/%.o),\
	  $(if $(filter lwip,$(w)),$(LWIP_C:%=$(B)/$(2)/third/lwip/%.o),\
	  $(w:%.c=$(B)/$(2)/%.o)))))))

define unit_rule
$(B)/unit/$(1:.c=): $(B)/unit/$(1:.c=.o) $(call unit_objs,$(1),unit)
	$$(Q)$(HOSTCC) $(UNIT_SAN) -o $$@ $$^ -lcmocka
endef
define threads_rule
$(B)/unit/$(1:.c=): $(B)/unit-threads/$(1:.c=.o) \
    $(call unit_objs,$(1),unit-threads) $(B)/unit-threads/tests/host/host.o
	@mkdir -p $$(@D)
	$$(Q)$(HOSTCC) $(UNIT_SAN) -o $$@ $$^ -lcmocka -lpthread
$(B)/unit/$(1:.c=).tsan: $(B)/unit-tsan/$(1:.c=.o) \
    $(call unit_objs,$(1),unit-tsan) $(B)/unit-tsan/tests/host/host.o
	@mkdir -p $$(@D)
	$$(Q)$(HOSTCC) -fsanitize=thread -o $$@ $$^ -lcmocka -lpthread
endef
define fuzz_rule
$(B)/fuzz/$(1:.c=): $(B)/fuzz/$(1:.c=.o) $(call unit_objs,$(1),fuzz)
	$$(Q)$(HOSTCLANG) -fsanitize=fuzzer,address,undefined -o $$@ $$^
endef
$(foreach t,$(filter-out $(THREADS_SRC),$(UNIT_SRC)),\
	  $(eval $(call unit_rule,$(t))))
$(foreach t,$(THREADS_SRC),$(eval $(call threads_rule,$(t))))
$(foreach t,$(FUZZ_SRC),$(eval $(call fuzz_rule,$(t))))
.SECONDARY:

.PHONY: run test unit fuzz fuzz-short bench test-programs conformance
test-programs: $(UNIT_BIN) $(FUZZ_BIN)

unit: $(UNIT_BIN)
	$(Q)tests/unit $(B) $(UNIT_BIN)

fuzz-short: $(FUZZ_BIN)
	$(Q)tests/fuzz $(B) $(FUZZ_SHORT_SECONDS) $(FUZZ_BIN)

fuzz: $(FUZZ_BIN) all guest
	$(Q)tests/fuzz $(B) $(FUZZ_SECONDS) $(FUZZ_BIN)
	$(Q)FUZZ_CALLS_SECONDS=$(FUZZ_SECONDS) tests/run -v -k 'fuzz/calls' $(B)

# NVMe disks come and go that often in each kind of slot: hours.
SOAK_CYCLES	?= 10000
.PHONY: soak
soak:
	$(Q)./setup.sh --quiet build run test
	$(Q)$(MAKE) --no-print-directory all
	$(Q)SOAK_CYCLES=$(SOAK_CYCLES) tests/run -v -k 'nvme/HP1 ' $(B)

test:
	$(Q)./setup.sh --quiet build run test
	$(Q)$(MAKE) --no-print-directory all test-programs
	$(Q)MAKE='$(MAKE)' tests/all $(B)

conformance:
	$(Q)./setup.sh --quiet build run conformance
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/conformance/run $(B) --table docs/conformance.md

run:
	$(Q)./setup.sh --quiet build run
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo $(B)

# A login over SSH, by key, from this host into a machine.
.PHONY: demo-ssh
demo-ssh:
	$(Q)./setup.sh --quiet build run ssh
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo-ssh $(B)

# The same, after DHCP, with a key from a metadata service.
.PHONY: demo-cloud
demo-cloud:
	$(Q)./setup.sh --quiet build run ssh
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo-cloud $(B)

include mk/guest.mk
include mk/lint.mk

-include $(shell find $(B)/unit $(B)/unit-threads \
	  $(B)/unit-tsan $(B)/fuzz -name '*.d' 2>/dev/null)
