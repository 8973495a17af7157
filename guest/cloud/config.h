/* SPDX-License-Identifier: ISC */
/*
 * config.h - what a #cloud-config asks for, as far as it is done here:
 * hostname, write_files, users, groups, ssh_authorized_keys, bootcmd, runcmd.
 * cloud-init, "Module reference".
 */
#ifndef CLOUD_CONFIG_H
#define CLOUD_CONFIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest/cloud/mem.h"

struct config_file {        /* write_files */
	char *path, *owner; /* owner: "user:group", or NULL */
	struct buf data;    /* decoded */
	mode_t mode;
	bool append, late; /* late: after the users */
};

struct config_user { /* users; what is not given is NULL */
	char *name, *gecos, *home, *primary_group, *shell;
	char *hash; /* crypt(3)'s, for /etc/shadow; "" for none */
	long uid;   /* -1: any */
	bool system, no_home, unlocked;
	struct strings groups, keys, sudo;
};

struct config_group { /* groups */
	char *name;
	struct strings members;
};

struct config {
	char *hostname, *fqdn; /* or NULL */
	bool keep_hostname, prefer_fqdn, no_root_login;
	struct config_file *file;
	size_t nfiles;
	struct config_user *user;
	size_t nusers;
	struct config_group *group;
	size_t ngroups;
	bool users_given;           /* there is a list of users, ... */
	bool default_user;          /* ... and "default" is in it */
	char *default_name;         /* what that one is called; or NULL */
	struct strings keys;        /* ssh_authorized_keys */
	struct buf bootcmd, runcmd; /* shell scripts; empty: none */
};

/*
 * Adds what one cloud-config asks for: lists grow, of single values the last
 * counts.  What is wrong or not known is told and left out.
 */
void config_read(struct config *c, const char *data, size_t n);
void config_fini(struct config *c);

#endif
