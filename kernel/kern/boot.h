/* SPDX-License-Identifier: ISC */
/*
 * boot.h - from the entry point to the first program: one table of steps.
 */
#ifndef KERN_BOOT_H
#define KERN_BOOT_H

#include "kern/boot_info.h"
#include "kern/types.h"

enum boot_need { BOOT_REQUIRED, BOOT_OPTIONAL };

/*
 * A step: 0 or -errno.  A required step that fails ends the boot with a
 * message and a power-off; an optional one is logged and skipped.
 */
struct boot_step {
	const char *name;
	int (*run)(const struct boot_info *bi);
	enum boot_need need;
};

/* What every entry path calls, on the boot stack, interrupts off. */
void kernel_main(void) __noreturn;

/* The machine's boot_info; valid from the first step on. */
const struct boot_info *boot_info(void);

/* 0, or why the entry path's structures could not be read. */
int boot_info_error(void);

/*
 * Has fn() called, once, by the first program's thread just before the program
 * runs: for what a boot must not wait for.  The struct is kept.
 */
struct boot_later {
	void (*fn)(void);
	struct boot_later *next; /* boot_later()'s */
};
void boot_later(struct boot_later *later);
void boot_run_later(void);

/* Notes a moment for the boot chart: `name` ends here. */
void bootchart_mark(const char *name);
void bootchart_mark_at(const char *name, uint64_t raw);
/* Prints it, if `bootchart` was asked; ends at the program's first step. */
void bootchart_print(void);

#endif
