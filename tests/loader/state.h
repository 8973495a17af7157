/* SPDX-License-Identifier: ISC */
/*
 * state.h - the memory that Firecracker prepares for a guest kernel, as a list
 * of pieces; used by mkstate (for QEMU) and by kvm_firecracker (for KVM).
 *
 * Three ways to start a kernel: the 64-bit Linux protocol as the first public
 * releases had it (2019), the same as it is now (new), and PVH.  The addresses
 * are Firecracker's own, src/vmm/src/arch/x86_64/layout.rs.
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>

#define FC_GDT         0x500
#define FC_IDT         0x520
#define FC_PVH_INFO    0x6000
#define FC_PVH_MODULES 0x6040
#define FC_ZERO_PAGE   0x7000 /* PVH: the memory map */
#define FC_STACK       0x8ff0
#define FC_PML4        0x9000
#define FC_PDPT        0xa000
#define FC_PD          0xb000
#define FC_CMDLINE     0x20000
#define FC_SYSTEM      0x9fc00 /* MP table, then ACPI tables */
#define FC_SYSTEM_END  0xe0000
#define FC_RSDP        0xe0000
#define FC_HIMEM       0x100000
#define FC_HOLE        0xc0000000u
#define FC_ECAM        0xeec00000u
#define FC_ECAM_SIZE   0x10000000u

#define FC_SEL_CODE 0x08
#define FC_SEL_DATA 0x10
#define FC_SEL_TSS  0x18
#define FC_CODE64   0x00af9b000000ffffull
#define FC_CODE32   0x00cf9b000000ffffull
#define FC_DATA     0x00cf93000000ffffull
#define FC_TSS      0x008f8b000000ffffull
#define FC_TSS_PVH  0x00008b0000000067ull

/*
 * KVM's CR0 at reset (caches off, ET) and what Firecracker sets in it; CR4
 * and EFER are zero at reset.
 */
#define FC_CR0     0xe0000011u
#define FC_CR0_PVH 0x00000011u
#define FC_CR4     0x00000020u
#define FC_EFER    0x00000500u

enum fc_layout { FC_NEW, FC_2019, FC_PVH };

struct fc_range {
	uint64_t base, size;
	uint32_t type;
};

/* What a lying or careless loader does differently. */
struct fc_options {
	enum fc_layout layout;
	const char *kernel, *initrd, *cmdline; /* initrd may be NULL */
	uint64_t memory;
	unsigned cpus;
	bool sentinel; /* zero page never zeroed: junk around */
	bool mptable;
	const struct fc_range *map; /* NULL: the true one */
	unsigned map_count;
	int map_claims; /* what the count says, -1: the truth */
	uint64_t initrd_addr, initrd_size; /* 0: the truth */
	uint64_t cmdline_addr;             /* 0: the truth */
};

/* `data_size` bytes of data, then zeroes up to `size`. */
struct fc_piece {
	uint64_t paddr, size, data_size;
	const void *data;
};

#define FC_PIECES 64
struct fc_state {
	struct fc_piece piece[FC_PIECES];
	unsigned count;
	enum fc_layout layout;
	uint64_t entry;
	uint64_t ram_top; /* end of the first region above 1 MiB */
};

/* Ends the program with a message when a file cannot be read or is no ELF. */
void fc_build(const struct fc_options *opt, struct fc_state *st);

/* Parses what mkstate and kvm_firecracker have in common; --help too. */
void
fc_parse(int argc, char **argv, struct fc_options *opt, const char **output);

#endif
