/* SPDX-License-Identifier: ISC */
/*
 * codec.h - encodings in which user data come: base64, quoted-printable, gzip.
 * Each appends to `out`, which may hold part of the result after an error.
 */
#ifndef CLOUD_CODEC_H
#define CLOUD_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/cloud/mem.h"

/* RFC 4648, 4; spaces and line ends are skipped.  -EBADMSG */
int base64_decode(const char *s, size_t n, struct buf *out);
/* RFC 2045, 6.7; what is wrong is taken as it stands. */
void quoted_decode(const char *s, size_t n, struct buf *out);

/* Whether it begins as RFC 1952 says. */
bool gzip_is(const char *s, size_t n);
/*
 * RFC 1952.  -EBADMSG; -EFBIG: more than `max` bytes come out; -ENOMEM
 */
int gzip_decode(const char *s, size_t n, size_t max, struct buf *out);

#endif
