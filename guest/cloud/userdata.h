/* SPDX-License-Identifier: ISC */
/*
 * userdata.h - what user data are: a script, a cloud-config, several of them
 * in a MIME message, or any of these packed by gzip.
 */
#ifndef CLOUD_USERDATA_H
#define CLOUD_USERDATA_H

#include <stddef.h>

#include "guest/cloud/mem.h"

#define USERDATA_MAX (16u << 20) /* bytes, unpacked */

enum userdata_kind { USERDATA_SCRIPT, USERDATA_CONFIG, USERDATA_BOOTHOOK };

/*
 * Calls each(arg, kind, data) for every piece in turn.  What is of no known
 * kind, or broken, is told and left out.
 */
void userdata_split(const char *data, size_t n,
    void (*each)(void *arg, enum userdata_kind kind, const struct buf *data),
    void *arg);

#endif
