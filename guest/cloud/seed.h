/* SPDX-License-Identifier: ISC */
/*
 * seed.h - what a cloud tells an instance about itself, wherever it was read.
 */
#ifndef CLOUD_SEED_H
#define CLOUD_SEED_H

#include <stdbool.h>

#include "guest/cloud/mem.h"

struct seed {
	char *instance_id;   /* a name that files may have; never NULL */
	char *hostname;      /* or NULL */
	struct strings keys; /* lines of authorized_keys */
	struct buf user_data;
	struct buf network; /* network-config, as it came */
};

/* Frees all; what is all zeros, too. */
void seed_fini(struct seed *s);

/*
 * Sets the name, cut off at its end and cleaned: what file names must not
 * have becomes '_'.  -EINVAL: nothing is left.
 */
int seed_set_instance_id(struct seed *s, const char *text);

/* Adds each line of `text` that is a key; empty ones and comments are not. */
void seed_add_keys(struct strings *keys, const char *text);

/* A host's name, cut off at its end; NULL for what is none. */
char *seed_hostname(const char *text);

#endif
