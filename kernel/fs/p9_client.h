/* SPDX-License-Identifier: ISC */
/*
 * p9_client.h - a session with a 9P2000.L server: calls, and the numbers that
 * stand for its files (fids).  What an answer says is checked here.
 * Context: threads; every call sleeps until the server has answered.
 * Errors: those of the server; -EIO for an answer that makes no sense;
 * -ENODEV once the channel has gone; -ENOMEM.
 */
#ifndef FS_P9_CLIENT_H
#define FS_P9_CLIENT_H

#include "dev/p9.h"
#include "fs/p9_wire.h"
#include "kern/spinlock.h"

struct p9_fid { /* its user's, but for the list */
	uint32_t num;
	uint32_t users; /* opened ones: files that read or write by it */
	bool reads, pinned;
	struct p9_fid *next; /* client's lock, while free */
};

struct p9_client {
	struct p9_channel *channel; /* [I] */
	uint32_t msize;             /* [I] bytes of the longest message */
	uint32_t data_max;          /* [I] bytes that one may carry; pages */
	struct spinlock lock;
	struct p9_fid *free; /* lock */
	uint32_t last_fid;   /* lock */
};

#define P9_MSIZE_MIN     4096u
#define P9_MSIZE_DEFAULT (128u << 10)
#define P9_MSIZE_MAX     (512u << 10)
#define P9_IO_HEAD       24u /* of any message that carries data */

/* Agrees on version and size.  The channel stays the caller's. */
int
p9_client_init(struct p9_client *c, struct p9_channel *channel, uint32_t msize);
/* All fids have been clunked. */
void p9_client_fini(struct p9_client *c);

struct p9_rpc {            /* zeroed by the caller, who may set: */
	uint32_t t_more;   /* room for what the message has beyond the usual */
	uint32_t r_more;   /* and the answer */
	struct p9_req req; /* its run, nruns and to_device */
	/* Afterwards: */
	struct p9_wire in; /* what is behind the answer's head */
	uint32_t data_got; /* bytes written to run */
	uint8_t *buf;
};
/*
 * Sends a message, fields as for p9_put().  p9_end() is due after success
 * only, when `in` has been read.
 */
int p9_begin(struct p9_client *c, struct p9_rpc *rpc, uint8_t type,
    const char *fmt, ...);
void p9_end(struct p9_rpc *rpc);
/* The same for a message whose answer is of no interest. */
int p9_simple(struct p9_client *c, uint8_t type, const char *fmt, ...);

/* A fid for the root of what the server shows as `aname`. */
int p9_attach(struct p9_client *c, const char *uname, const char *aname,
    uint32_t uid, struct p9_qid *qid, struct p9_fid **out);
/* A fid for the entry of that name; NULL: for the same place. */
int p9_walk(struct p9_client *c, const struct p9_fid *dir, const char *name,
    struct p9_qid *qid, struct p9_fid **out);
/* Ends it, opened or not; NULL is harmless. */
void p9_clunk(struct p9_client *c, struct p9_fid *fid);
int
p9_getattr(struct p9_client *c, const struct p9_fid *fid, struct p9_attr *a);

/*
 * Moves up to len bytes between the server's file and pages, which begin at
 * `run`; bytes moved, fewer at the end of the file.
 */
long p9_read(struct p9_client *c, const struct p9_fid *fid, uint64_t at,
    const struct dma_run *run, unsigned nruns, uint32_t len);
long p9_write(struct p9_client *c, const struct p9_fid *fid, uint64_t at,
    const struct dma_run *run, unsigned nruns, uint32_t len);

#endif
