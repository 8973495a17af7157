/* SPDX-License-Identifier: ISC */
/*
 * probe.c - a kernel that only tells the state in which it was started: a
 * check of the loader, and of kvm_firecracker, before they start a real one.
 * Says it on the first serial port, and `exit 0` on the control channel.
 */
#include <stdint.h>

#include <asm/bootparam.h>

struct probe_regs { /* as probe_entry.S stores them */
	uint64_t rsi, rsp, rbp, flags, cr0, cr3, cr4, efer;
	uint64_t cs, ds, es, ss, fs, gs, tr, rest;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt, idt;
};

void probe_main(const struct probe_regs *regs);

static void
out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
print(const char *text)
{
	for (; *text != '\0'; text++)
		out8(0x3f8, *text);
}

static void
print_hex(const char *name, uint64_t value)
{
	int shift = 60;

	print(name);
	print(" 0x");
	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		out8(0x3f8, "0123456789abcdef"[value >> shift & 15]);
	print("\n");
}

static uint64_t
sum(const uint8_t *p, uint64_t size)
{
	uint64_t total = 0;

	for (uint64_t i = 0; i < size; i++)
		total = total * 31 + p[i];
	return total;
}

static void
print_zero_page(const struct boot_params *bp)
{
	print_hex("magic", bp->hdr.header);
	print_hex("loader", bp->hdr.type_of_loader);
	print_hex("sentinel", bp->sentinel);
	print_hex("rsdp", bp->acpi_rsdp_addr);
	print("cmdline ");
	print((const char *)(uint64_t)bp->hdr.cmd_line_ptr);
	print("\n");
	for (unsigned i = 0; i < bp->e820_entries; i++) {
		print_hex("map base", bp->e820_table[i].addr);
		print_hex("map size", bp->e820_table[i].size);
		print_hex("map type", bp->e820_table[i].type);
	}
	print_hex("initrd", bp->hdr.ramdisk_image);
	print_hex("initrd size", bp->hdr.ramdisk_size);
	if (bp->hdr.ramdisk_image < 1u << 30)
		print_hex("initrd sum",
		    sum((const uint8_t *)(uint64_t)bp->hdr.ramdisk_image,
			bp->hdr.ramdisk_size));
}

/* Without the bits that the processor sets: accessed, dirty. */
static void
print_tables(void)
{
	const uint64_t *pd = (const uint64_t *)0xb000;
	unsigned wrong = 0;

	print_hex("pml4", *(uint64_t *)0x9000 & ~0x60ul);
	print_hex("pdpt", *(uint64_t *)0xa000 & ~0x60ul);
	for (uint64_t i = 0; i < 512; i++)
		wrong += (pd[i] & ~0x60ul) != (i << 21 | 0x83);
	print_hex("wrong in pd", wrong);
}

/*
 * Some nested KVMs interpret ring 0 and know no CLAC: such a machine stops
 * here, and no kernel that uses SMAP runs in it.
 */
static void
try_smap(void)
{
	uint32_t eax = 7, ebx, ecx = 0, edx;
	uint64_t cr4;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if ((ebx & 1u << 20) == 0)
		return;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4; clac" : : "r"(cr4 | 1ul << 21));
}

void
probe_main(const struct probe_regs *r)
{
	print_hex("rsi", r->rsi);
	print_hex("rsp", r->rsp);
	print_hex("rbp", r->rbp);
	print_hex("other registers", r->rest);
	print_hex("rflags", r->flags);
	print_hex("cr0", r->cr0);
	print_hex("cr3", r->cr3);
	print_hex("cr4", r->cr4);
	print_hex("efer", r->efer);
	print_hex("cs", r->cs);
	print_hex("ds", r->ds);
	print_hex("es", r->es);
	print_hex("ss", r->ss);
	print_hex("fs", r->fs);
	print_hex("gs", r->gs);
	print_hex("tr", r->tr);
	print_hex("gdt", r->gdt.base);
	print_hex("gdt limit", r->gdt.limit);
	for (unsigned i = 0; i < 4; i++)
		print_hex("gdt entry", ((uint64_t *)r->gdt.base)[i]);
	print_hex("idt", r->idt.base);
	print_hex("idt limit", r->idt.limit);
	print_tables();
	print_hex("mptable", *(uint32_t *)0x9fc00);
	print_hex("acpi", *(uint32_t *)0xe0000);
	print_zero_page((const void *)r->rsi);
	for (const char *s = "exit 0\n"; *s != '\0'; s++)
		out8(0x2f8, *s);
	try_smap();
	print("usable\n");
	out8(0x501, 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}
