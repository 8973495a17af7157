/* SPDX-License-Identifier: ISC */
/*
 * nocloud.h - a folder with what a cloud would tell: cloud-init's data source
 * NoCloud.  Files meta-data, user-data, network-config.
 */
#ifndef CLOUD_NOCLOUD_H
#define CLOUD_NOCLOUD_H

#include <stdbool.h>

#include "guest/cloud/seed.h"

/* Whether the folder has a meta-data or a user-data. */
bool nocloud_is(const char *folder);

/* Fills *seed from the folder.  What is wrong is told and left out. */
void nocloud_read(const char *folder, struct seed *seed);

/* The same of meta-data's text alone: YAML, or JSON. */
void nocloud_meta_data(const char *data, size_t n, struct seed *seed);

#endif
