/* SPDX-License-Identifier: ISC */
/*
 * http.h - reads one HTTP/1 answer from bytes as they come.  RFC 9112.
 * No sockets here: see fetch.h.
 */
#ifndef CLOUD_HTTP_H
#define CLOUD_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/cloud/mem.h"

#define HTTP_HEAD_MAX  16384   /* bytes of all headers */
#define HTTP_BODY_MAX  1048576 /* bytes of a body */
#define HTTP_UNTIL_END ((size_t)-1)

/*
 * HEAD -> LENGTH, CHUNK_SIZE or DONE by what the headers say
 * CHUNK_SIZE -> CHUNK -> CHUNK_END -> CHUNK_SIZE ... -> TRAILER -> DONE
 */
enum http_state {
	HTTP_HEAD,
	HTTP_LENGTH,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_DONE
};

struct http_answer {
	int status;      /* 100 to 599, valid once state is past HEAD */
	struct buf body; /* complete once state is DONE */
	enum http_state state;
	struct buf head; /* of the headers, or of a line of a chunk */
	size_t left;     /* bytes of the body or chunk; HTTP_UNTIL_END */
	size_t trailer;  /* bytes of trailers seen */
};

/* Begins; all zeros is also a beginning. */
void http_init(struct http_answer *a);
void http_fini(struct http_answer *a);

/*
 * Takes `n` bytes; what comes behind the answer is not looked at.
 *   1          the answer is complete
 *   0          more is to come
 *   -EBADMSG   it is no HTTP answer, or contradicts itself
 *   -EMSGSIZE  head or body are larger than allowed
 */
int http_feed(struct http_answer *a, const char *data, size_t n);

/* The other side has closed: 0 if the answer is complete, -EBADMSG. */
int http_end(struct http_answer *a);

#endif
