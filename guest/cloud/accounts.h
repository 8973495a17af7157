/* SPDX-License-Identifier: ISC */
/*
 * accounts.h - users, groups, and the keys by which users log in: passwd(5),
 * group(5), shadow(5), authorized_keys of sshd(8).  `root` stands before all
 * paths: "" in a machine.
 */
#ifndef CLOUD_ACCOUNTS_H
#define CLOUD_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest/cloud/config.h"

struct account {
	uid_t uid;
	gid_t gid;
	char *home;
};

/* Looks a user up.  -ENOENT; account_fini() is due in any case. */
int account_find(const char *root, const char *name, struct account *a);
void account_fini(struct account *a);
/* The same of a group, by its name or number. */
int group_find(const char *root, const char *name, gid_t *gid);

/* Makes the group unless it is there; adds those named to it. */
int
group_add(const char *root, const char *name, const struct strings *members);

/*
 * Makes the user unless he is there, with his group, groups, home and rules
 * for sudo; missing groups are made.  Keys are keys_add()'s affair.
 */
int account_add(const char *root, const struct config_user *u);

/*
 * Adds keys to the user's ~/.ssh/authorized_keys, each once, `prefix` before
 * each.  Folder and file become his, and his alone.
 */
int keys_add(const char *root, const char *user, const struct strings *keys,
    const char *prefix);

#endif
