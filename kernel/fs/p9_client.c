/* SPDX-License-Identifier: ISC */
/*
 * p9_client.c - a session with a 9P2000.L server.  See p9_client.h.
 *
 * A number for a file is used again once it was clunked; the structs stay, on
 * a list, until the end of the session.
 */
#include "fs/p9_client.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

#define VERSION   "9P2000.L"
#define T_ROOM    640u /* two names and some numbers */
#define R_ROOM    192u /* attributes */
#define ERRNO_MAX 133u

/* ------------------------------------------------------------- calls -- */

/* What the server said in place of an answer. */
static int
error_of(struct p9_wire *in)
{
	uint32_t code;

	if (!p9_get(in, "d", &code) || code == 0 || code > ERRNO_MAX)
		return -EIO;
	return -(int)code;
}

static int
call(struct p9_client *c, struct p9_rpc *rpc)
{
	struct p9_req *req = &rpc->req;
	struct p9_wire head;
	uint32_t size;
	uint16_t tag;
	uint8_t type;
	int error = p9_call(c->channel, req);

	if (error != 0)
		return error;
	head = (struct p9_wire){ req->r, req->r + P9_HEAD, false };
	p9_get(&head, "dbw", &size, &type, &tag);
	rpc->in = (struct p9_wire){ req->r + P9_HEAD,
		req->r + MIN(MIN(size, req->got), req->rlen), false };
	rpc->data_got = req->got > req->rlen ? req->got - req->rlen : 0;
	return type == P9_RLERROR ? error_of(&rpc->in) : 0;
}

static int
beginv(struct p9_client *c, struct p9_rpc *rpc, uint8_t type, const char *fmt,
    va_list ap)
{
	struct p9_req *req = &rpc->req;
	uint32_t t_room = T_ROOM + rpc->t_more, size;
	struct p9_wire w;
	unsigned i;
	int error;

	if (req->rlen == 0)
		req->rlen = R_ROOM + rpc->r_more;
	rpc->buf = kmalloc(t_room + req->rlen);
	if (rpc->buf == NULL)
		return -ENOMEM;
	req->t = rpc->buf;
	req->r = rpc->buf + t_room;
	memset(req->r, 0, MIN(req->rlen, R_ROOM));
	w = (struct p9_wire){ req->t + P9_HEAD, req->t + t_room, false };
	p9_putv(&w, fmt, ap);
	req->tlen = w.at - req->t;
	size = req->tlen;
	for (i = 0; req->to_device && i < req->nruns; i++)
		size += req->run[i].len;
	error = w.bad ? -ENAMETOOLONG : 0;
	w = (struct p9_wire){ req->t, req->t + P9_HEAD, false };
	p9_put(&w, "dbw", size, type, P9_NOTAG);
	if (error == 0)
		error = call(c, rpc);
	if (error != 0)
		p9_end(rpc);
	return error;
}

int
p9_begin(struct p9_client *c, struct p9_rpc *rpc, uint8_t type, const char *fmt,
    ...)
{
	va_list ap;
	int error;

	va_start(ap, fmt);
	error = beginv(c, rpc, type, fmt, ap);
	va_end(ap);
	return error;
}

void
p9_end(struct p9_rpc *rpc)
{
	kfree(rpc->buf);
	rpc->buf = NULL;
}

int
p9_simple(struct p9_client *c, uint8_t type, const char *fmt, ...)
{
	struct p9_rpc rpc = { 0 };
	va_list ap;
	int error;

	va_start(ap, fmt);
	error = beginv(c, &rpc, type, fmt, ap);
	va_end(ap);
	if (error == 0)
		p9_end(&rpc);
	return error;
}

/* Ends a call whose answer has been read. */
static int
finish(struct p9_rpc *rpc)
{
	int error = rpc->in.bad ? -EIO : 0;

	p9_end(rpc);
	return error;
}

/* ----------------------------------------------------------- session -- */

int
p9_client_init(struct p9_client *c, struct p9_channel *channel, uint32_t msize)
{
	struct p9_rpc rpc = { 0 };
	struct p9_str version;
	uint32_t theirs;
	int error;

	memset(c, 0, sizeof(*c));
	spin_init(&c->lock);
	c->channel = channel;
	error = p9_begin(c, &rpc, P9_TVERSION, "ds", msize, VERSION);
	if (error != 0)
		return error;
	p9_get(&rpc.in, "ds", &theirs, &version);
	if (!rpc.in.bad &&
	    (version.len != strlen(VERSION) ||
		memcmp(version.s, VERSION, version.len) != 0))
		rpc.in.bad = true;
	error = finish(&rpc);
	if (error == 0 &&
	    (theirs < P9_MSIZE_MIN + P9_IO_HEAD || theirs > msize))
		error = -EIO;
	if (error != 0)
		return error;
	c->msize = theirs;
	c->data_max = MIN(ROUND_DOWN(theirs - P9_IO_HEAD, (uint32_t)PAGE_SIZE),
	    p9_max_runs(channel) << PAGE_SHIFT);
	return 0;
}

void
p9_client_fini(struct p9_client *c)
{
	struct p9_fid *fid;

	while ((fid = c->free) != NULL) {
		c->free = fid->next;
		kfree(fid);
	}
}

/* -------------------------------------------------------------- fids -- */

static struct p9_fid *
fid_take(struct p9_client *c)
{
	struct p9_fid *fid;
	uint32_t num = 0;

	spin_lock(&c->lock);
	fid = c->free;
	if (fid != NULL) {
		c->free = fid->next;
		num = fid->num;
	}
	spin_unlock(&c->lock);
	if (fid == NULL)
		fid = kmalloc(sizeof(*fid));
	if (fid == NULL)
		return NULL;
	if (num == 0)
		num = __atomic_add_fetch(&c->last_fid, 1, __ATOMIC_RELAXED);
	*fid = (struct p9_fid){ .num = num };
	return fid;
}

static void
fid_give(struct p9_client *c, struct p9_fid *fid)
{
	spin_lock(&c->lock);
	fid->next = c->free;
	c->free = fid;
	spin_unlock(&c->lock);
}

int
p9_attach(struct p9_client *c, const char *uname, const char *aname,
    uint32_t uid, struct p9_qid *qid, struct p9_fid **out)
{
	struct p9_fid *fid = fid_take(c);
	struct p9_rpc rpc = { .t_more = strlen(uname) + strlen(aname) };
	int error;

	if (fid == NULL)
		return -ENOMEM;
	error = p9_begin(c, &rpc, P9_TATTACH, "ddssd", fid->num, P9_NOFID,
	    uname, aname, uid);
	if (error == 0) {
		p9_get(&rpc.in, "Q", qid);
		error = finish(&rpc);
	}
	if (error != 0)
		fid_give(c, fid);
	else
		*out = fid;
	return error;
}

int
p9_walk(struct p9_client *c, const struct p9_fid *dir, const char *name,
    struct p9_qid *qid, struct p9_fid **out)
{
	struct p9_fid *fid = fid_take(c);
	struct p9_rpc rpc = { 0 };
	unsigned names = name != NULL;
	uint16_t n;
	int error;

	if (fid == NULL)
		return -ENOMEM;
	error = p9_begin(c, &rpc, P9_TWALK, names ? "ddws" : "ddw", dir->num,
	    fid->num, names, name);
	if (error == 0) {
		p9_get(&rpc.in, "w", &n);
		if (n != names)
			rpc.in.bad = true;
		if (names)
			p9_get(&rpc.in, "Q", qid);
		error = finish(&rpc);
	}
	if (error != 0)
		fid_give(c, fid);
	else
		*out = fid;
	return error;
}

/* The number is free again, whatever the server says. */
void
p9_clunk(struct p9_client *c, struct p9_fid *fid)
{
	int error;

	if (fid == NULL)
		return;
	error = p9_simple(c, P9_TCLUNK, "d", fid->num);
	if (error == -ENOMEM) { /* it was not said: the number stays taken */
		log_warn("9p: fid %u stays in use: out of memory", fid->num);
		kfree(fid);
		return;
	}
	fid_give(c, fid);
}

int
p9_getattr(struct p9_client *c, const struct p9_fid *fid, struct p9_attr *a)
{
	struct p9_rpc rpc = { 0 };
	int error;

	error = p9_begin(c, &rpc, P9_TGETATTR, "dq", fid->num, P9_STATS_BASIC);
	if (error != 0)
		return error;
	if (p9_get_attr(&rpc.in, a) && a->size > INT64_MAX)
		rpc.in.bad = true;
	return finish(&rpc);
}

/* -------------------------------------------------------------- data -- */

/* The answer's count, which cannot be more than was asked for and came. */
static long
count_of(struct p9_rpc *rpc, uint32_t max)
{
	uint32_t count;
	int error;

	if (p9_get(&rpc->in, "d", &count) && count > max)
		rpc->in.bad = true;
	error = finish(rpc);
	return error != 0 ? error : (long)count;
}

long
p9_read(struct p9_client *c, const struct p9_fid *fid, uint64_t at,
    const struct dma_run *run, unsigned nruns, uint32_t len)
{
	/* So that data begins with the first page. */
	struct p9_rpc rpc = {
		.req = { .run = run, .nruns = nruns, .rlen = P9_HEAD + 4 }
	};
	int error;

	error = p9_begin(c, &rpc, P9_TREAD, "dqd", fid->num, at, len);
	if (error != 0)
		return error;
	return count_of(&rpc, MIN(len, rpc.data_got));
}

long
p9_write(struct p9_client *c, const struct p9_fid *fid, uint64_t at,
    const struct dma_run *run, unsigned nruns, uint32_t len)
{
	struct p9_rpc rpc = {
		.req = { .run = run, .nruns = nruns, .to_device = true }
	};
	int error;

	error = p9_begin(c, &rpc, P9_TWRITE, "dqd", fid->num, at, len);
	return error != 0 ? error : count_of(&rpc, len);
}
