/* SPDX-License-Identifier: ISC */
/*
 * share.h - folders of the host that the machine sees: what --share says, and
 * how QEMU and the kernel are told.
 */
#ifndef CLI_SHARE_H
#define CLI_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/mem.h"
#include "cli/trouble.h"

enum machine_type;

struct share_option {
	char *folder; /* as given, then absolute */
	char *path;   /* in the machine */
	bool read_only;
};

/*
 * Reads DIR:PATH[,ro]; the last colon counts.  Returns 0, or fills *t with
 * status 125.  share_option_fini() is due in any case.
 */
int share_option_parse(struct share_option *s, const char *value,
    struct trouble *t);
void share_option_fini(struct share_option *s);

/*
 * Whether the folders are there, and the board has room beside `slots` other
 * devices; makes their names absolute.  0, or *t with status 125.
 */
int shares_check(struct share_option *shares, size_t n, size_t slots,
    enum machine_type machine, struct trouble *t);

/* QEMU's options for all of them; on microvm they follow `slots` others. */
void shares_qemu(const struct share_option *shares, size_t n, size_t slots,
    enum machine_type machine, struct strings *argv);

/* Whether it becomes the machine's root. */
bool share_is_root(const struct share_option *s);
/* The folder that does, or NULL. */
const char *shares_root(const struct share_option *shares, size_t n);

/*
 * The kernel's argument for the i-th: remora.mount=shareI:PATH[:ro], or, as
 * Linux takes them too, those that make it the root.
 */
char *share_boot_argument(const struct share_option *s, size_t i);

#endif
