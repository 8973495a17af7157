# SPDX-License-Identifier: ISC
# bench.mk - what bench/run compares: a kernel that only prints, a program that
# tells when it began, those that count operations and transfers of a disk, that
# which waits for disks, that which does on the network what it is told, and a
# plugin for QEMU that counts instructions.

BENCH_BIN = $(B)/bench/floor $(B)/bench/marker $(B)/bench/ops \
	  $(B)/bench/disk $(B)/bench/cpus $(B)/bench/plug $(B)/bench/netd \
	  $(B)/bench/count.so

$(B)/bench/floor: bench/floor.S
	@mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-Ttext=0x100000 \
	  -Wl,-z,noexecstack -o $@ $<

$(B)/bench/marker: bench/marker.S
	@mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none -s -o $@ $<

$(B)/bench/ops: bench/ops.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -pthread -static -s -o $@ $<

$(B)/bench/disk: bench/disk.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -static -s -o $@ $<

$(B)/bench/cpus: bench/cpus.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -static -s -o $@ $<

$(B)/bench/plug: bench/plug.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -static -s -o $@ $<

$(B)/bench/netd: bench/netd.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -static -s -o $@ $<

$(B)/bench/count.so: bench/count.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $<

# BENCH="hotplug disks": only these parts (bench/run --help).
.PHONY: bench
bench:
	$(Q)./setup.sh --quiet build run bench
	$(Q)$(MAKE) --no-print-directory all $(BENCH_BIN)
	$(Q)bench/run --build $(B) $(BENCH)
