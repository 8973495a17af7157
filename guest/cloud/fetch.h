/* SPDX-License-Identifier: ISC */
/*
 * fetch.h - HTTP over plain sockets, to a service given by its address.
 */
#ifndef CLOUD_FETCH_H
#define CLOUD_FETCH_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "guest/cloud/http.h"

struct fetch_service {
	struct sockaddr_storage at;
	socklen_t at_len;
	char host[80]; /* as the Host header has it */
};

/* "http://ADDRESS[:PORT]", ADDRESS in numbers, IPv6 in [].  -EINVAL */
int fetch_parse(struct fetch_service *s, const char *url);

/*
 * Asks once: `method` and `path`, `headers` each with "\r\n" behind.  Returns
 * 0 with *a complete, whatever its status, or a negative errno: -ETIMEDOUT
 * after `timeout_ms`, what connect(2) and recv(2) say, what http_feed() says.
 * http_fini() is due in any case.
 */
int fetch(const struct fetch_service *s, const char *method, const char *path,
    const char *headers, int timeout_ms, struct http_answer *a);

/* The monotonic clock, milliseconds. */
int64_t fetch_now_ms(void);

#endif
