# SPDX-License-Identifier: ISC
# cli.mk - the `remora` command, which runs on the host, and its tests.

CLI_CFLAGS = -std=gnu17 -O2 -g -Wall -Wextra -Werror -Wstrict-prototypes \
	  -Wmissing-prototypes -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -iquote . \
	  -DREMORA_VERSION='"$(VERSION)"' -MMD -MP
CLI_SRC	:= $(filter-out %_test.c %_fuzz.c cli/testelf.c,$(sort $(wildcard cli/*.c)))
CLI_OBJ	:= $(CLI_SRC:%.c=$(B)/%.o)

.PHONY: command
command: $(B)/remora

$(B)/cli/%.o: cli/%.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(CLI_CFLAGS) -c -o $@ $<

$(B)/remora: $(CLI_OBJ)
	$(Q)$(HOSTCC) -o $@ $(CLI_OBJ)

PREFIX	?= /usr/local
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/remora \
	  $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(B)/remora $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(B)/remora.elf $(DESTDIR)$(PREFIX)/lib/remora/
	install -m 755 $(B)/devctl $(B)/remora-cloud $(DESTDIR)$(PREFIX)/lib/remora/
	install -m 644 man/remora.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 man/devctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/

-include $(CLI_OBJ:.o=.d)
