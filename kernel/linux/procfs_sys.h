/* SPDX-License-Identifier: ISC */
/* procfs_sys.h - how the files of /proc/sys are written; its folders. */
#ifndef LINUX_PROCFS_SYS_H
#define LINUX_PROCFS_SYS_H

#include "linux/procfs.h"

/* A value that is what it is: SHOW_NUMBER(name, expression). */
#define SHOW_NUMBER(name, expr)                                             \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb) \
	{                                                                   \
		(void)id;                                                   \
		sbuf_printf(sb, "%lu\n", (unsigned long)(expr));            \
		return 0;                                                   \
	}
#define SHOW_TEXT(name, text)                                               \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb) \
	{                                                                   \
		(void)id;                                                   \
		sbuf_printf(sb, "%s\n", text);                              \
		return 0;                                                   \
	}

/* procfs_sys_fs.c: /proc/sys/fs and /proc/sys/vm. */
extern const struct pseudo_entry proc_sys_fs_entries[];
extern const struct pseudo_entry proc_sys_vm_entries[];

/* procfs_sys_net6.c: /proc/sys/net/ipv6 */
extern const struct pseudo_entry proc_sys_net6_entries[];

/*
 * Digits of a text that is written, behind blanks; *text is what follows.
 * false: there are none, or more than 64 bits hold
 */
bool proc_take_number(const char **text, uint64_t *out);

#endif
