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

/* A number that is what it is: it may be written as it is, not otherwise. */
#define FIXED(n)                                                           \
	static int show_##n(const struct pseudo_id *id, struct sbuf *sb)   \
	{                                                                  \
		(void)id;                                                  \
		sbuf_puts(sb, #n "\n");                                    \
		return 0;                                                  \
	}                                                                  \
	static int store_##n(const struct pseudo_id *id, const char *text, \
	    size_t len)                                                    \
	{                                                                  \
		uint64_t value;                                            \
                                                                           \
		(void)id;                                                  \
		(void)len;                                                 \
		return proc_take_number(&text, &value) && value == (n) ?   \
		    0 :                                                    \
		    -EINVAL;                                               \
	}
/* An entry of show_fn() and store_fn(). */
#define WRITABLE(n, fn)                                         \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0644, \
		.show = show_##fn, .store = store_##fn          \
	}
/* inet_icmp.c's settings: show_name(), store_name(). */
#define ICMP_WORD(name, key)                                                   \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb)    \
	{                                                                      \
		(void)id;                                                      \
		sbuf_printf(sb, "%d\n", inet_icmp_get(key));                   \
		return 0;                                                      \
	}                                                                      \
	static int store_##name(const struct pseudo_id *id, const char *text,  \
	    size_t len)                                                        \
	{                                                                      \
		uint64_t value;                                                \
                                                                               \
		(void)id;                                                      \
		(void)len;                                                     \
		return proc_take_number(&text, &value) && value <= INT32_MAX ? \
		    inet_icmp_set(key, (int)value) :                           \
		    -EINVAL;                                                   \
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
