# SPDX-License-Identifier: ISC
# kernel.mk - the kernel: $(B)/remora.elf, with symbols, and its stripped twin.

KGCCINC	:= $(shell $(CC) -print-file-name=include)
# Linux's uapi and Xen's public headers; nothing of the C library is linked.
KINC	= -nostdinc -isystem $(KGCCINC) -iquote kernel -I$(B)/include \
	  -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu
# The kernel is built small; what every system call passes is built fast.
KHOT	= linux/syscalls kern/spinlock kern/kmem kern/page net/inet_stream \
	  net/lwip/ethif_tx net/lwip/segment
# No SSE: stacks need no 16 bytes, varargs no count of vector registers.
KSTACK8	= $(if $(findstring clang,$(CC)),-mstack-alignment=8,\
	  -mpreferred-stack-boundary=3 -mskip-rax-setup)
KCFLAGS	= -std=gnu17 $(if $(filter $*,$(KHOT)),-O2,-Oz) -g -Wall -Wextra -Werror -Wstrict-prototypes \
	  -Wmissing-prototypes -Wno-sign-compare \
	  -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	  $(if $(findstring clang,$(CC)),-mstack-alignment=8,\
	  -mpreferred-stack-boundary=3) -falign-functions=1 -falign-loops=1 \
	  -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer \
	  -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
	  -fno-delete-null-pointer-checks -fwrapv \
	  $(KSTACK8) -ffunction-sections -fdata-sections -MMD -MP \
	  -DREMORA_VERSION='"$(VERSION)"'

KSRC	:= $(filter-out %_test.c %_fuzz.c kernel/vdso/%,$(sort $(wildcard \
	  kernel/*/*.c kernel/*/*/*.c)))
KASM	:= $(sort $(wildcard kernel/*/*.S))
KOBJ	:= $(KSRC:%.c=$(B)/%.o) $(KASM:%.S=$(B)/%.o)
KLD	= kernel/x86/kernel.ld
KLDFLAGS = -nostdlib -static -n -z noexecstack \
	  --no-warn-rwx-segments --gc-sections --build-id=none -T $(KLD)

.PHONY: kernel
kernel: $(B)/remora.elf

$(B)/kernel/%.o: kernel/%.c mk/kernel.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) $(KINC) $(KCFLAGS_$(notdir $*)) -c -o $@ $<

$(B)/kernel/%.o: kernel/%.S mk/kernel.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) $(KINC) -D__ASSEMBLER__ -c -o $@ $<

# The vDSO: code for programs, a shared object of its own, embedded whole.
VDSOFLAGS = -std=gnu17 -O2 -Wall -Wextra -Werror -ffreestanding -fPIC \
	  -fno-stack-protector -fasynchronous-unwind-tables -mno-red-zone \
	  -mno-sse -fno-jump-tables -fcf-protection=none -MMD -MP
VDSOLD	= -shared -soname=linux-vdso.so.1 --hash-style=both --eh-frame-hdr \
	  -Bsymbolic --no-undefined --strip-all --build-id=none \
	  -z max-page-size=4096 -z noexecstack -T kernel/vdso/vdso.lds

$(B)/vdso/vdso.o: kernel/vdso/vdso.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSOFLAGS) $(KINC) -c -o $@ $<

$(B)/vdso/vdso.so: $(B)/vdso/vdso.o kernel/vdso/vdso.lds
	$(Q)$(LD) $(VDSOLD) -o $@ $<

$(B)/kernel/linux/vdso_image.o: KCFLAGS += -DVDSO_SO='"$(B)/vdso/vdso.so"'
$(B)/kernel/linux/vdso_image.o: $(B)/vdso/vdso.so

# Linked twice: the second time with the table of function names that the
# first one yields, so that a panic can print names.  The table stands behind
# the text, which therefore does not move.
$(B)/remora.nosyms: $(KOBJ) $(KTHIRD) $(KLD)
	$(Q)$(LD) $(KLDFLAGS) -o $@ $(KOBJ) $(KTHIRD)

$(B)/ksyms.S: $(B)/remora.nosyms mk/ksyms.awk
	$(Q)$(NM) -n $< | awk -f mk/ksyms.awk >$@.tmp && mv $@.tmp $@

$(B)/ksyms.o: $(B)/ksyms.S
	$(Q)$(CC) -c -o $@ $<

$(B)/remora.elf: $(B)/ksyms.o $(KOBJ) $(KTHIRD) $(KLD)
	$(Q)$(LD) $(KLDFLAGS) -o $@.tmp $(KOBJ) $(KTHIRD) $(B)/ksyms.o
	$(Q)$(OBJCOPY) --strip-debug $@.tmp $(B)/remora.nodebug
	$(Q)$(STRIP) -o $(B)/remora.stripped $@.tmp
	$(Q)mv $@.tmp $@

-include $(KOBJ:.o=.d) $(B)/vdso/vdso.d
