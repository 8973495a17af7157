/* SPDX-License-Identifier: ISC */
/*
 * imds.h - reads the metadata service of EC2, versions 1 and 2, and
 * Firecracker's MMDS, which speaks the same.  EC2 User Guide, "Use instance
 * metadata"; Firecracker, docs/mmds.
 */
#ifndef CLOUD_IMDS_H
#define CLOUD_IMDS_H

#include <stdint.h>

#include "guest/cloud/http.h"
#include "guest/cloud/seed.h"

#define IMDS_URL     "http://169.254.169.254"
#define IMDS_WAIT_S  120  /* for a service that should be there */
#define IMDS_AUTO_S  5    /* for one that may be there */
#define IMDS_READ_S  60   /* for all the rest, once it has answered */
#define IMDS_ONCE_MS 5000 /* for one answer */

/* How it reaches the world, so that tests can be the world. */
struct imds_world {
	/* As fetch(). */
	int (*fetch)(void *arg, const char *method, const char *path,
	    const char *headers, int timeout_ms, struct http_answer *a);
	int64_t (*now_ms)(void *arg);
	void (*pause_ms)(void *arg, int ms);
	void *arg;
};

/*
 * Fills *seed.  Answers that do not come, that are broken, and statuses of
 * 500 and above are asked for again.
 *   -ETIMEDOUT  nothing answered for `wait_s`, or not all within IMDS_READ_S
 *   -EPROTO     it answered, but not with an instance's name
 * What is missing else, or refused, is told and left out.
 */
int imds_read(const struct imds_world *w, int wait_s, struct seed *seed);

#endif
