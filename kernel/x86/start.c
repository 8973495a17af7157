/* SPDX-License-Identifier: ISC */
/*
 * start.c - the first C: makes a boot_info of what the entry path left, and
 * hands over to kernel_main().
 */
#include "kern/boot.h"
#include "kern/memmap.h"
#include "x86/boot_entry.h"
#include "x86/layout.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define DIRECT_AT_BOOT (1ul << 30) /* entry.S maps so much */
#define BOOT_PAGE      4096ul

static struct boot_info info;
static int parse_error;

const struct boot_info *
boot_info(void)
{
	return &info;
}

int
boot_info_error(void)
{
	return parse_error;
}

static const void *
boot_phys(paddr_t pa, size_t len)
{
	if (pa >= DIRECT_AT_BOOT || len > DIRECT_AT_BOOT - pa)
		return NULL;
	return (const void *)(KVA_DIRECT + pa);
}

void
boot_entry(unsigned how, uint64_t arg)
{
	const void *p;

	cpu_init();
	trap_init();
	bootchart_mark_at("entry", boot_tsc);
	p = boot_phys(arg, BOOT_PAGE);
	info.entry = how;
	if (p == NULL)
		parse_error = -EFAULT;
	else if (how == BOOT_PVH)
		parse_error = boot_pvh_parse(p, boot_phys, &info);
	else
		parse_error = boot_linux64_parse(p, boot_phys, &info);
	kernel_main();
}
