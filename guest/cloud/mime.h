/* SPDX-License-Identifier: ISC */
/*
 * mime.h - takes a message of several parts apart.  RFC 2045, 2046.
 */
#ifndef CLOUD_MIME_H
#define CLOUD_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/cloud/mem.h"

#define MIME_DEPTH_MAX 4
#define MIME_PARTS_MAX 256

/* Whether it begins as such a message does. */
bool mime_is(const char *data, size_t n);

/*
 * Calls each(arg, type, name, body) for every part, decoded; `type` in small
 * letters without parameters, `name` its file name or NULL.
 *   -EBADMSG  no boundary, encodings that are none, nested too deep
 *   -E2BIG    more parts than MIME_PARTS_MAX
 * or what each() returned, if that was not 0.
 */
int mime_parts(const char *data, size_t n,
    int (*each)(void *arg, const char *type, const char *name,
	const struct buf *body),
    void *arg);

#endif
