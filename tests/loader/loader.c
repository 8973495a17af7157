/* SPDX-License-Identifier: ISC */
/*
 * loader.c - a guest program of 32 bits, started by PVH, that puts the pieces
 * of a container where they belong and enters the kernel among them in the
 * state that Firecracker leaves (state.h).
 *
 * It stands at 64 MiB, out of the way of everything it copies.  Memory that
 * no piece covers keeps what firmware and QEMU left there.
 */
#include "container.h"

#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

void loader_main(const struct hvm_start_info *info);
void enter_long(uint32_t entry, uint32_t cr0) __attribute__((noreturn));
void enter_pvh(uint32_t entry, uint32_t cr0) __attribute__((noreturn));

static void
out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* On the first serial port, and the machine ends with status 0xb1. */
static void __attribute__((noreturn)) give_up(const char *why)
{
	for (const char *s = "loader: "; *s != '\0'; s++)
		out8(0x3f8, *s);
	for (; *why != '\0'; why++)
		out8(0x3f8, *why);
	out8(0x3f8, '\n');
	out8(0x501, 0x58);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Source and target may overlap. */
static void
move(uint8_t *to, const uint8_t *from, uint32_t size)
{
	if (to < from) {
		__asm__ volatile("rep movsb"
				 : "+D"(to), "+S"(from), "+c"(size)
				 :
				 : "memory");
		return;
	}
	to += size - 1;
	from += size - 1;
	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(to), "+S"(from), "+c"(size)
			 :
			 : "memory");
}

static void
clear(uint8_t *to, uint32_t size)
{
	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(size)
			 : "a"(0)
			 : "memory");
}

/* Firecracker leaves LINT0 as ExtINT, LINT1 as NMI. */
static void
set_lints(void)
{
	*(volatile uint32_t *)0xfee00350 = 0x700;
	*(volatile uint32_t *)0xfee00360 = 0x400;
}

void
loader_main(const struct hvm_start_info *info)
{
	const struct hvm_modlist_entry *mod;
	const struct container *box;
	const struct container_piece *piece;
	struct container head;

	if (info->magic != XEN_HVM_START_MAGIC_VALUE || info->nr_modules != 1)
		give_up("started without a container");
	mod = (const void *)(uint32_t)info->modlist_paddr;
	box = (const void *)(uint32_t)mod->paddr;
	head = *box;
	if (head.magic != CONTAINER_MAGIC)
		give_up("this is no container");
	piece = (const void *)(box + 1);
	/* The last piece may cover the container, so its row is read first. */
	for (uint32_t i = 0; i < head.count; i++) {
		struct container_piece p = piece[i];

		if (p.size == 0)
			continue;
		move((void *)p.paddr, (const uint8_t *)box + p.offset,
		    p.data_size);
		clear((uint8_t *)p.paddr + p.data_size, p.size - p.data_size);
	}
	set_lints();
	if (head.pvh)
		enter_pvh(head.entry, head.cr0);
	enter_long(head.entry, head.cr0);
}
