/* SPDX-License-Identifier: ISC */
/*
 * instance.h - what is remembered of an instance, in cloud-init's folders:
 * /var/lib/cloud/instance leads to instances/ID, in whose `sem` a file stands
 * for each thing that was done and is done once.
 */
#ifndef CLOUD_INSTANCE_H
#define CLOUD_INSTANCE_H

#include <stdbool.h>

#include "guest/cloud/mem.h"
#include "guest/cloud/seed.h"

struct instance {
	char *folder; /* /var/lib/cloud/instances/ID below root */
};

/* Makes the folders and keeps the user data there.  What fails is told. */
void
instance_open(struct instance *i, const char *root, const struct seed *seed);
void instance_fini(struct instance *i);

/*
 * Whether this was not begun before; from now on it was, even if it fails.
 * Where that cannot be remembered it is told, and true.
 */
bool instance_once(const struct instance *i, const char *what);

/*
 * Puts a program into the instance's scripts, returns its path; NULL, and
 * told, if that cannot be.
 */
char *instance_script(const struct instance *i, const char *name,
    const struct buf *text);

#endif
