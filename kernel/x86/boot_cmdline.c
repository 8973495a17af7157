/* SPDX-License-Identifier: ISC */
/*
 * boot_cmdline.c - copies the boot loader's command line, which may be
 * anything: unterminated, too long, or not there.
 */
#include "x86/boot_entry.h"

#include "kern/memmap.h"

/* Cuts a line that was too long, so that no argument is half there. */
static void
cut_after_word(char *line, size_t len)
{
	while (len > 0 && line[len - 1] != ' ')
		len--;
	line[len] = '\0';
}

/* Copies up to `max` bytes; true if the last one copied is the NUL. */
static bool
copy_to_nul(char *to, const char *from, size_t max)
{
	size_t i;

	for (i = 0; i < max; i++) {
		to[i] = from[i];
		if (to[i] == '\0')
			return true;
	}
	return false;
}

void
boot_cmdline_copy(struct boot_info *bi, paddr_t pa, boot_phys_fn *phys)
{
	size_t len = 0, chunk;
	const char *from;

	bi->cmdline[0] = '\0';
	if (pa == 0)
		return;
	while (len < sizeof(bi->cmdline)) {
		chunk = PAGE_SIZE - (pa & PAGE_MASK);
		chunk = MIN(chunk, sizeof(bi->cmdline) - len);
		from = phys(pa, chunk);
		if (from == NULL) {
			boot_note(bi, "command line: not in memory, not used");
			bi->cmdline[0] = '\0';
			return;
		}
		if (copy_to_nul(&bi->cmdline[len], from, chunk))
			return;
		len += chunk;
		pa += chunk;
	}
	boot_note(bi, "command line: longer than 4095 bytes, end left out");
	cut_after_word(bi->cmdline, sizeof(bi->cmdline) - 1);
}
