/* SPDX-License-Identifier: ISC */
/*
 * cloud.h - what the machine is told as a cloud tells its instances: --cloud,
 * and files for it to find, as cloud-localds(1) would put them on a disk.
 */
#ifndef CLI_CLOUD_H
#define CLI_CLOUD_H

#include <stdbool.h>

#include "cli/tree.h"
#include "cli/trouble.h"

/* Strings are those of the arguments, or NULL. */
struct cloud_option {
	const char *source; /* --cloud */
	const char *user_data, *meta_data, *network_config;
};

/*
 * Whether they go together; files of it make the source "nocloud".  `root`:
 * the folder that is the machine's root, or NULL.  0, or *t with status 125.
 */
int cloud_check(struct cloud_option *c, const char *root, bool foreign,
    struct trouble *t);

/* Adds remora-cloud and the files.  0, or *t with status 125. */
int
cloud_pack(const struct cloud_option *c, struct tree *tree, struct trouble *t);

#endif
