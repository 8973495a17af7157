/* SPDX-License-Identifier: ISC */
/*
 * p9.h - channels that carry 9P messages to a server on the host: arrival,
 * departure, and the call that the file system above makes.
 *
 * A driver calls p9_arrive() at the end of attach() and p9_depart() in
 * detach(), after it has ended all its requests.  Whoever mounts claims a
 * channel by its tag and has it for itself: a session is one.
 *
 * A request belongs to the driver from a submit() that returned 0 until its
 * one p9_done(); its memory stays where it is that long.
 */
#ifndef DEV_P9_H
#define DEV_P9_H

#include "bus/dma.h"
#include "kern/types.h"

struct p9_channel;

#define P9_HEAD      7u  /* size[4] type[1] tag[2], in front of each message */
#define P9_ERROR_LEN 11u /* the longest answer that may stand for any other */
#define P9_RLERROR   7
#define P9_TVERSION  100
#define P9_NOTAG     0xffffu

struct p9_req {
	/*
	 * The message with its head, in kernel memory; the driver fills in
	 * the tag.  Behind it may follow data: of a message that is sent in
	 * `run` with to_device, of one that is received without.
	 */
	uint8_t *t;
	uint32_t tlen;
	uint8_t *r; /* room for the answer, at least P9_ERROR_LEN */
	uint32_t rlen;
	const struct dma_run *run;
	unsigned nruns; /* 0: no data apart */
	bool to_device;
	/* After the call: bytes written to r, then to run; head checked. */
	uint32_t got;
	/* p9.c's own: */
	struct p9_channel *channel;
	int error;
	bool answered; /* atomic */
};

struct p9_ops {
	/*
	 * Takes the request: p9_done() will be called, or was.
	 *   -EAGAIN  full: another p9_done() comes
	 *   -ENODEV  gone
	 *   -EFBIG   too many pieces of memory
	 */
	int (*submit)(void *arg, struct p9_req *req);
};

/*
 * The server is there.  The tag is copied; max_runs: pages of data that a
 * request may have.  May sleep.  -ENOMEM
 */
int p9_arrive(const char *tag, const struct p9_ops *ops, void *arg,
    unsigned max_runs, struct p9_channel **out);
/*
 * It is gone: submit() says -ENODEV by now, all requests have ended.  On
 * return nobody is inside the driver.  May sleep.  NULL is harmless.
 */
void p9_depart(struct p9_channel *ch);

/*
 * One request has ended: 0, with `got`, or -errno; -ENODEV: the device has
 * gone.  Any context, no lock held.
 */
void p9_done(struct p9_req *req, int error);

/* ---- for the file system ---- */

/*
 * The channel of that tag, for the caller alone until p9_release().
 *   -ENOENT  there is none
 *   -EBUSY   it is in use
 */
int p9_claim(const char *tag, struct p9_channel **out);
void p9_release(struct p9_channel *ch);
unsigned p9_max_runs(const struct p9_channel *ch);

/*
 * Sends the request and sleeps until the answer is there.  0, with an answer
 * of the right type or P9_RLERROR of at least P9_ERROR_LEN bytes, whose size
 * is no more than `got`;  -ENODEV, -EFBIG, -EIO.
 */
int p9_call(struct p9_channel *ch, struct p9_req *req);

#endif
