/* SPDX-License-Identifier: ISC */
/*
 * block_test.c - transfers cut at any limits, by a driver that checks each
 * part and really moves the bytes; full queues; partitions that come and go;
 * and a disk that leaves while threads read and write.
 */
/* unit: kernel/block/block.c kernel/block/request.c kernel/block/part.c kernel/block/ptable.c kernel/block/gpt.c kernel/block/mbr.c kernel/dev/disk.c kernel/bus/gate.c */
/* threads */
#include "block/block.h"
#include "kern/clock.h"
#include "kern/page.h"
#include "kern/string.h"
#include "tests/host/host.h"
#include <linux/errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SECTORS 4096u
#define BYTES   (SECTORS * SECTOR_SIZE)

int64_t
clock_mono_ns(void)
{
	static int64_t now;

	return __atomic_add_fetch(&now, 1000, __ATOMIC_RELAXED);
}

struct page *
page_alloc(unsigned order, unsigned flags)
{
	(void)order;
	(void)flags;
	return NULL;
}

void
page_free_last(struct page *p)
{
	(void)p;
}

/* Nobody looks at disks or at /sys here. */
static int shown;

void
block_taste_soon(struct block_dev *disk)
{
	(void)disk;
}

void
block_taste_end(struct block_dev *disk)
{
	(void)disk;
}

void
block_publish(struct block_dev *bd)
{
	(void)bd;
	__atomic_add_fetch(&shown, 1, __ATOMIC_RELAXED);
}

void
block_unpublish(struct block_dev *bd)
{
	(void)bd;
	__atomic_sub_fetch(&shown, 1, __ATOMIC_RELAXED);
}

void
block_changed(struct block_dev *bd, const char *env)
{
	(void)bd;
	(void)env;
}

void
block_watch(void)
{
}

void
later_run(struct later *l, void (*fn)(struct later *l))
{
	fn(l);
}

/* ---------------------------------------------------------- a driver -- */

static struct driver_state {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct disk_req_list queue; /* under lock, as the next four */
	unsigned n, depth, most;
	unsigned untold; /* under lock: the last ones, before commit() */
	bool gone, starved, stop;
	unsigned fail_one_in; /* 0: none */
	uint8_t *media;
	struct disk_info info;
	struct disk *disk;
} drv;

/* What the floor above promises of every part. */
static bool
keeps_limits(const struct disk_req *r)
{
	const struct disk_info *i = &drv.info;
	uint64_t bytes = 0;
	unsigned k, segs = 0;

	if (r->op == DISK_FLUSH)
		return r->nsectors == 0;
	for (k = 0; k < r->nruns; k++) {
		segs += i->max_seg_size == 0 ?
		    1 :
		    (r->run[k].len + i->max_seg_size - 1) / i->max_seg_size;
		bytes += r->run[k].len;
		if (r->run[k].len == 0)
			return false;
		if (k > 0 && i->seg_boundary != 0 &&
		    ((r->run[k].pa | (r->run[k - 1].pa + r->run[k - 1].len)) &
			(i->seg_boundary - 1)) != 0)
			return false;
	}
	return r->nsectors > 0 && r->sector + r->nsectors <= i->nsectors &&
	    (r->sector * SECTOR_SIZE) % i->block_size == 0 &&
	    bytes % i->block_size == 0 && segs <= i->max_segs &&
	    (r->op > DISK_WRITE ||
		(bytes == r->nsectors * SECTOR_SIZE &&
		    (i->max_sectors == 0 || r->nsectors <= i->max_sectors)));
}

static void
move(const struct disk_req *r)
{
	uint8_t *at = drv.media + r->sector * SECTOR_SIZE;
	unsigned k;

	for (k = 0; k < r->nruns; k++, at += r->run[k - 1].len) {
		if (r->op == DISK_READ)
			memcpy((void *)r->run[k].pa, at, r->run[k].len);
		else
			memcpy(at, (void *)r->run[k].pa, r->run[k].len);
	}
	if (r->op == DISK_ZERO)
		memset(at, 0, r->nsectors * SECTOR_SIZE);
}

static int
submit(void *arg, struct disk_req *r)
{
	int error = 0;

	(void)arg;
	if (!keeps_limits(r))
		abort();
	pthread_mutex_lock(&drv.lock);
	drv.untold = r->more && drv.n < drv.depth ? drv.untold + 1 : 0;
	if (drv.gone) {
		error = -ENODEV;
	} else if (drv.n >= drv.depth) {
		drv.starved = true;
		error = -EAGAIN;
	} else {
		TAILQ_INSERT_TAIL(&drv.queue, r, link);
		drv.n++;
		drv.most = MAX(drv.most, drv.n);
		pthread_cond_signal(&drv.more);
	}
	pthread_mutex_unlock(&drv.lock);
	return error;
}

static void
commit(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&drv.lock);
	drv.untold = 0;
	pthread_cond_signal(&drv.more);
	pthread_mutex_unlock(&drv.lock);
}

/* Answers one request; false: there is none that it was told of. */
static bool
serve(void)
{
	struct disk_req *r;
	bool room, fails;

	pthread_mutex_lock(&drv.lock);
	r = drv.gone || drv.n <= drv.untold ? NULL : TAILQ_FIRST(&drv.queue);
	if (r != NULL) {
		TAILQ_REMOVE(&drv.queue, r, link);
		drv.n--;
	}
	room = r != NULL && drv.starved;
	if (room)
		drv.starved = false;
	pthread_mutex_unlock(&drv.lock);
	if (r == NULL)
		return false;
	fails = drv.fail_one_in != 0 && host_random(drv.fail_one_in) == 0;
	if (!fails)
		move(r);
	r->done(r, fails ? -EIO : 0);
	if (room)
		disk_room(drv.disk);
	return true;
}

static const struct disk_ops ops = { .submit = submit, .commit = commit };

static struct block_dev *
attach(const struct disk_info *info, unsigned depth)
{
	pthread_mutex_init(&drv.lock, NULL);
	pthread_cond_init(&drv.more, NULL);
	TAILQ_INIT(&drv.queue);
	drv.n = drv.most = drv.untold = 0;
	drv.depth = depth;
	drv.gone = drv.starved = drv.stop = false;
	drv.info = *info;
	drv.fail_one_in = 0;
	assert_int_equal(disk_arrive(NULL, &ops, NULL, info, &drv.disk), 0);
	return block_find(info->major, 0);
}

/* As a driver's detach(): the door, what is under way, the name. */
static void
detach(void)
{
	struct disk_req *r;

	pthread_mutex_lock(&drv.lock);
	drv.gone = true;
	while ((r = TAILQ_FIRST(&drv.queue)) != NULL) {
		TAILQ_REMOVE(&drv.queue, r, link);
		pthread_mutex_unlock(&drv.lock);
		r->done(r, -ENODEV);
		pthread_mutex_lock(&drv.lock);
	}
	pthread_mutex_unlock(&drv.lock);
	disk_depart(drv.disk);
}

static const struct disk_info plain = { .prefix = "vd",
	.major = 254,
	.minors = 16,
	.nsectors = SECTORS,
	.block_size = 512,
	.physical_size = 512,
	.max_segs = 4,
	.max_zero = 64 };

/* -------------------------------------------------------------- cutting -- */

static unsigned ends;
static int last_error;

static void
count_end(struct block_req *req, int error)
{
	(void)req;
	ends++;
	last_error = error;
}

/* Runs of odd lengths that add up to whole sectors. */
static unsigned
make_runs(struct dma_run *run, unsigned max, uint8_t *buf, uint64_t bytes,
    unsigned unit)
{
	uint64_t at = 0, len;
	unsigned n = 0;

	while (at < bytes) {
		len = unit * (1 + host_random(24));
		if (n == max - 1 || len > bytes - at)
			len = bytes - at;
		run[n++] = (struct dma_run){ (uintptr_t)buf + at, len };
		at += len;
	}
	return n;
}

static void
one_transfer(struct block_dev *bd, uint8_t *model, uint8_t *buf,
    enum disk_op op)
{
	static struct dma_run run[40];
	uint64_t mask = bd->info.block_size / SECTOR_SIZE - 1;
	uint64_t sector = host_random(SECTORS) & ~mask, k;
	uint64_t n = (host_random(MIN(600, SECTORS - sector)) & ~mask) + mask +
	    1;
	struct block_req req = { .op = op,
		.sector = sector,
		.run = run,
		.done = count_end };

	n = MIN(n, SECTORS - sector);
	req.nsectors = n;
	if (op <= DISK_WRITE)
		req.nruns = make_runs(run, 40, buf, n * SECTOR_SIZE,
		    host_random(2) != 0 ? 512 : 4096);
	for (k = 0; k < n * SECTOR_SIZE; k++)
		buf[k] = host_random(256);
	ends = 0;
	block_submit(bd, &req);
	while (serve())
		;
	assert_int_equal(ends, 1);
	assert_int_equal(last_error, 0);
	if (op == DISK_READ)
		assert_memory_equal(buf, model + sector * 512, n * 512);
	else if (op == DISK_WRITE)
		memcpy(model + sector * 512, buf, n * 512);
	else
		memset(model + sector * 512, 0, n * 512);
	assert_memory_equal(model, drv.media, BYTES);
}

static void
cut_at_any_limit(void **state)
{
	uint8_t *model = calloc(1, BYTES), *buf = malloc(BYTES);
	struct disk_info info;
	struct block_dev *bd;
	unsigned i, k;

	(void)state;
	for (i = 0; i < 60; i++) {
		info = plain;
		info.block_size = 512u << host_random(4);
		info.max_segs = 9 + host_random(20);
		info.seg_boundary = info.block_size == 512 &&
			host_random(2) != 0 ?
		    4096 :
		    0;
		info.max_seg_size = host_random(3) * info.block_size;
		info.max_sectors = host_random(3) * 2 *
		    (info.block_size / SECTOR_SIZE);
		info.max_zero = 8 * (1 + host_random(9));
		memset(drv.media, 0, BYTES);
		memset(model, 0, BYTES);
		bd = attach(&info, 1 + host_random(3));
		for (k = 0; k < 12; k++)
			one_transfer(bd, model, buf,
			    (enum disk_op[]){ DISK_READ, DISK_WRITE,
				DISK_ZERO }[host_random(3)]);
		detach();
		block_put(bd);
		assert_int_equal(host_kmem_blocks(), 0);
	}
	free(model);
	free(buf);
}

static void
refusals(void **state)
{
	static uint8_t buf[8192];
	struct dma_run run = { (uintptr_t)buf, 512 };
	struct disk_info info = plain;
	struct block_dev *bd = attach(&info, 4);

	(void)state;
	assert_string_equal(bd->name, "vda");
	assert_int_equal(block_transfer(bd, DISK_READ, SECTORS, 1, &run, 1),
	    -EINVAL);
	assert_int_equal(block_transfer(bd, DISK_READ, UINT64_MAX, 1, &run, 1),
	    -EINVAL);
	assert_int_equal(block_transfer(bd, DISK_DISCARD, 0, 1, NULL, 0),
	    -EOPNOTSUPP);
	assert_int_equal(block_flush(bd), 0);
	detach();
	assert_int_equal(block_transfer(bd, DISK_READ, 0, 1, &run, 1), -ENODEV);
	assert_int_equal(block_flush(bd), -ENODEV);
	assert_null(block_find(254, 0));
	block_put(bd);
	info.block_size = 4096;
	info.read_only = true;
	bd = attach(&info, 4);
	assert_int_equal(block_transfer(bd, DISK_READ, 0, 1, &run, 1), -EINVAL);
	run.len = 4096;
	assert_int_equal(block_transfer(bd, DISK_READ, 1, 8, &run, 1), -EINVAL);
	assert_int_equal(block_transfer(bd, DISK_WRITE, 0, 8, &run, 1), -EROFS);
	detach();
	block_put(bd);
	assert_int_equal(host_kmem_blocks(), 0);
}

/* -------------------------------------------------------- partitions -- */

static void
part_transfers(struct block_dev *bd, struct block_dev *p)
{
	struct block_stats st;
	uint8_t buf[1024];
	struct dma_run run = { (uintptr_t)buf, 1024 };
	struct block_req req = { .op = DISK_WRITE,
		.sector = 3,
		.nsectors = 2,
		.run = &run,
		.nruns = 1,
		.done = count_end };

	memset(drv.media, 0, BYTES);
	memset(buf, 7, sizeof(buf));
	ends = 0;
	block_submit(p, &req);
	while (serve())
		;
	assert_int_equal(ends, 1);
	assert_int_equal(last_error, 0);
	assert_int_equal(drv.media[103 * 512 - 1], 0);
	assert_int_equal(drv.media[103 * 512], 7);
	assert_int_equal(drv.media[105 * 512 - 1], 7);
	assert_int_equal(drv.media[105 * 512], 0);
	block_stats(p, &st);
	assert_int_equal(st.kind[BLOCK_STAT_WRITE].sectors, 2);
	block_stats(bd, &st);
	assert_int_equal(st.kind[BLOCK_STAT_WRITE].sectors, 2);
	assert_int_equal(block_transfer(p, DISK_READ, 99, 2, &run, 1), -EINVAL);
	assert_int_equal(block_transfer(p, DISK_READ, 100, 2, &run, 1),
	    -EINVAL);
}

static void
part_claims(struct block_dev *bd, struct block_dev *p, struct block_dev *q)
{
	assert_int_equal(block_claim(p), 0);
	assert_int_equal(block_claim(p), -EBUSY);
	assert_int_equal(block_claim(bd), -EBUSY);
	assert_int_equal(block_claim(q), 0);
	block_unclaim(p);
	block_unclaim(q);
	assert_int_equal(block_claim(bd), 0);
	assert_int_equal(block_claim(p), -EBUSY);
	block_unclaim(bd);
}

static void
partitions(void **state)
{
	struct disk_info info = plain;
	struct block_dev *bd, *p, *q;
	uint8_t buf[1024];
	struct dma_run run = { (uintptr_t)buf, 1024 };

	(void)state;
	info.minors = 4;
	bd = attach(&info, 4);
	assert_int_equal(block_part_add(bd, 0, 8, 8), -EINVAL);
	assert_int_equal(block_part_add(bd, 256, 8, 8), -EINVAL);
	assert_int_equal(block_part_add(bd, 1, SECTORS, 1), -EINVAL);
	assert_int_equal(block_part_add(bd, 1, 8, SECTORS), -EINVAL);
	assert_int_equal(block_part_add(bd, 1, 8, 0), -EINVAL);
	assert_int_equal(block_part_add(bd, 3, 100, 100), 0);
	assert_int_equal(block_part_add(bd, 3, 300, 100), -EBUSY);
	assert_int_equal(block_part_add(bd, 1, 199, 100), -EBUSY);
	assert_int_equal(block_part_add(bd, 1, 200, 100), 0);
	assert_int_equal(block_part_add(bd, 9, 400, 100), 0);
	assert_int_equal(shown, 4);
	p = block_find(254, 3);
	q = block_find(259, 0);
	assert_string_equal(p->name, "vda3");
	assert_string_equal(q->name, "vda9");
	assert_int_equal(block_part_add(p, 1, 0, 1), -EINVAL);
	assert_int_equal(block_part_del(p, 1), -EINVAL);
	assert_int_equal(block_reread(p), -EINVAL);

	part_transfers(bd, p);
	assert_int_equal(block_part_resize(bd, 3, 101), -EBUSY);
	assert_int_equal(block_part_resize(bd, 2, 10), -ENXIO);
	assert_int_equal(block_part_resize(bd, 3, 50), 0);
	assert_int_equal(block_sectors(p), 50);

	part_claims(bd, p, q);
	block_opened(p);
	assert_int_equal(block_part_del(bd, 3), -EBUSY);
	assert_int_equal(block_reread(bd), -EBUSY);
	block_closed(p);
	assert_int_equal(block_part_del(bd, 3), 0);
	assert_int_equal(block_part_del(bd, 3), -ENXIO);
	assert_int_equal(block_transfer(p, DISK_READ, 0, 2, &run, 1), -ENODEV);
	detach();
	assert_int_equal(block_transfer(q, DISK_READ, 0, 2, &run, 1), -ENODEV);
	assert_int_equal(block_part_add(bd, 3, 100, 100), -ENODEV);
	assert_int_equal(shown, 0);
	assert_null(block_find(259, 0));
	block_put(q); /* it had a number beyond the disk's minors */
	block_put(p);
	block_put(bd);
	assert_int_equal(host_kmem_blocks(), 0);
}

/* ------------------------------------------------ leaving under load -- */

static void *
device(void *arg)
{
	bool stop = false;

	host_random_seed((uintptr_t)arg);
	while (!stop) {
		if (serve())
			continue;
		pthread_mutex_lock(&drv.lock);
		while (!drv.stop && (drv.gone || TAILQ_EMPTY(&drv.queue)))
			pthread_cond_wait(&drv.more, &drv.lock);
		stop = drv.stop;
		pthread_mutex_unlock(&drv.lock);
	}
	return NULL;
}

struct user {
	struct block_dev *bd;
	unsigned number;
	uint64_t base; /* where its part of bd begins */
	unsigned long good;
};

/* Each has a part of the disk of its own, so that it knows what is there. */
static void *
user(void *arg)
{
	struct user *u = arg;
	uint8_t *buf = malloc(65536), *want = calloc(1, BYTES / 4);
	struct dma_run run[40];
	uint64_t at, n;
	enum disk_op op;
	int error = 0;

	host_random_seed(u->number + 7);
	while (error != -ENODEV) {
		at = host_random(SECTORS / 4 - 128);
		n = 1 + host_random(127);
		op = host_random(2) != 0 ? DISK_READ : DISK_WRITE;
		if (op == DISK_WRITE)
			memset(buf, host_random(256), n * 512);
		error = block_transfer(u->bd, op, u->base + at, n, run,
		    make_runs(run, 40, buf, n * 512, 1024));
		if (error == -EIO || error == -ENODEV)
			continue; /* nobody knows what was moved */
		if (error != 0)
			abort();
		if (op == DISK_WRITE)
			memcpy(want + at * 512, buf, n * 512);
		else if (drv.fail_one_in == 0 &&
		    memcmp(want + at * 512, buf, n * 512) != 0)
			abort();
		u->good++;
	}
	free(buf);
	free(want);
	return NULL;
}

/* Each user's quarter: of the disk, or as a partition. */
static struct user
quarter(struct block_dev *bd, unsigned i, bool part)
{
	struct user u = { bd, i, i * (SECTORS / 4), 0 };

	if (part) {
		assert_int_equal(block_part_add(bd, i + 1, u.base, SECTORS / 4),
		    0);
		u.bd = block_find(254, i + 1);
		u.base = 0;
	} else {
		block_get(bd);
	}
	return u;
}

static void
leaving_under_load(void **state)
{
	struct user u[4];
	pthread_t users[4], devices[2];
	struct disk_info info = plain;
	struct block_dev *bd;
	struct block_stats st;
	unsigned i, round;

	(void)state;
	for (round = 0; round < 12; round++) {
		memset(drv.media, 0, BYTES);
		bd = attach(&info, 2 + round % 3);
		drv.fail_one_in = round % 2 != 0 ? 50 : 0;
		for (i = 0; i < 2; i++)
			pthread_create(&devices[i], NULL, device,
			    (void *)(uintptr_t)(i + 1));
		for (i = 0; i < 4; i++) {
			u[i] = quarter(bd, i, round % 3 == 0);
			pthread_create(&users[i], NULL, user, &u[i]);
		}
		usleep(20000);
		pthread_mutex_lock(&drv.lock);
		drv.stop = true;
		pthread_cond_broadcast(&drv.more);
		pthread_mutex_unlock(&drv.lock);
		for (i = 0; i < 2; i++) /* no handler runs any more */
			pthread_join(devices[i], NULL);
		detach();
		for (i = 0; i < 4; i++)
			pthread_join(users[i], NULL);
		for (i = 0; i < 4; i++)
			block_put(u[i].bd);
		block_stats(bd, &st);
		assert_int_equal(st.in_flight, 0);
		assert_true(drv.most <= drv.depth);
		block_put(bd);
		assert_int_equal(host_kmem_blocks(), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_any_limit),
		cmocka_unit_test(refusals),
		cmocka_unit_test(partitions),
		cmocka_unit_test(leaving_under_load),
	};

	drv.media = malloc(BYTES);
	block_init(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
