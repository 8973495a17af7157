/* SPDX-License-Identifier: ISC */
/*
 * p9_client_fuzz.c - a session with a server that lies: heads are what the
 * driver lets through, everything behind them is the fuzzer's.
 */
/* unit: kernel/fs/p9_client.c kernel/fs/p9_wire.c */
#include "fs/p9_client.h"
#include "kern/kmem.h"
#include "kern/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RUNS 4u

static const uint8_t *input;
static size_t left;
static uint8_t page[RUNS][PAGE_SIZE];

void *
kmalloc(size_t size)
{
	return malloc(size);
}

void
kfree(void *p)
{
	free(p);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

unsigned
p9_max_runs(const struct p9_channel *ch)
{
	(void)ch;
	return RUNS;
}

static uint32_t
feed(void *to, size_t room)
{
	uint32_t n = MIN(left, room);

	memcpy(to, input, n);
	input += n;
	left -= n;
	return n;
}

/* The message's own size must be right: that is ours. */
static void
check_message(const struct p9_req *req)
{
	uint32_t size = req->tlen;
	unsigned i;

	for (i = 0; req->to_device && i < req->nruns; i++)
		size += req->run[i].len;
	if (memcmp(req->t, &size, 4) != 0 || req->rlen < P9_ERROR_LEN)
		abort();
}

/* A byte says which: as much as the input has, with a head that the driver would let through. */
int
p9_call(struct p9_channel *ch, struct p9_req *req)
{
	uint32_t size, least;
	unsigned i;

	(void)ch;
	check_message(req);
	if (left == 0)
		return -ENODEV;
	least = *input & 1 ? P9_ERROR_LEN : P9_HEAD;
	input++;
	left--;
	req->got = P9_HEAD + feed(req->r + P9_HEAD, req->rlen - P9_HEAD);
	for (i = 0; !req->to_device && i < req->nruns; i++)
		req->got += feed((void *)(uintptr_t)req->run[i].pa,
		    req->run[i].len);
	req->got = MAX(req->got, least);
	size = req->got;
	memcpy(req->r, &size, 4);
	req->r[4] = least == P9_ERROR_LEN ? P9_RLERROR : req->t[4] + 1;
	return 0;
}

static void
read_and_write(struct p9_client *c, const struct p9_fid *fid)
{
	struct dma_run run[RUNS];
	unsigned i;
	long n;

	for (i = 0; i < RUNS; i++)
		run[i] = (struct dma_run){ (uintptr_t)page[i], PAGE_SIZE };
	n = p9_read(c, fid, 1, run, RUNS, sizeof(page));
	if (n > (long)sizeof(page))
		abort();
	n = p9_write(c, fid, 1, run, RUNS, sizeof(page));
	if (n > (long)sizeof(page))
		abort();
}

static void
list(struct p9_client *c, const struct p9_fid *fid)
{
	struct p9_rpc rpc = { .r_more = 1000 };
	struct p9_entry e;
	uint32_t count;
	unsigned i;

	if (p9_begin(c, &rpc, P9_TREADDIR, "dqd", fid->num, (uint64_t)0,
		1000) != 0)
		return;
	p9_get(&rpc.in, "d", &count);
	while (p9_get_entry(&rpc.in, &e))
		for (i = 0; i < e.name.len; i++)
			if (e.name.s[i] == '/' || e.name.s[i] == '\0')
				abort();
	p9_end(&rpc);
}

static void
session(struct p9_client *c)
{
	struct p9_fid *root, *fid;
	struct p9_attr a;
	struct p9_qid qid;

	if (p9_attach(c, "root", "", 0, &qid, &root) != 0)
		return;
	while (left > 0 && p9_walk(c, root, "name", &qid, &fid) == 0) {
		if (p9_getattr(c, fid, &a) == 0 && a.size > INT64_MAX)
			abort();
		read_and_write(c, fid);
		list(c, fid);
		p9_clunk(c, fid);
	}
	p9_clunk(c, root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p9_client c;

	input = data;
	left = size;
	if (p9_client_init(&c, NULL, P9_MSIZE_MAX) == 0) {
		if (c.data_max == 0 || c.data_max > sizeof(page))
			abort();
		session(&c);
	}
	p9_client_fini(&c);
	return 0;
}
