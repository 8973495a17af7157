/* SPDX-License-Identifier: ISC */
/*
 * block.h - disks as things that come and go: names and numbers, requests of
 * any size, statistics.
 *
 * A block device has a name and device numbers from its arrival until its disk
 * departs.  Whoever holds a reference afterwards gets -ENODEV for each request.
 *
 * Locking: one spin lock for the list of devices; one a device (closed to
 * interrupts) for its waiting requests and statistics.  No callback runs under
 * either.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "bus/gate.h"
#include "dev/disk.h"
#include "kern/spinlock.h"
#include "kern/types.h"

#define BLOCK_NAME 32

/* As Linux counts; times in nanoseconds. */
struct block_stats {
	struct {
		uint64_t ios, sectors, ns;
	} kind[4];            /* BLOCK_STAT_* */
	uint64_t busy_ns;     /* something was under way */
	uint64_t weighted_ns; /* times how many */
	uint32_t in_flight;
};
enum {
	BLOCK_STAT_READ,
	BLOCK_STAT_WRITE,
	BLOCK_STAT_DISCARD, /* zeroing counts here, too */
	BLOCK_STAT_FLUSH,
};

TAILQ_HEAD(disk_req_list, disk_req);

struct block_dev {
	char name[BLOCK_NAME]; /* [I] "vda" */
	uint32_t major, minor; /* [I] */
	struct disk_info info; /* [I] but for nsectors: block_sectors() */
	struct disk *disk;     /* [I] while inside the gate */
	struct gate gate;      /* shut when the disk departs */
	uint32_t refs;         /* atomic */
	void *upper;           /* the watcher's */
	unsigned unit;         /* [I] the letter; or the number of minors */
	TAILQ_ENTRY(block_dev) link; /* under the list's lock */
	/* under lock: */
	struct spinlock lock;
	struct disk_req_list waiting; /* for room in the driver's queue */
	uint32_t room;                /* times that room came */
	struct block_stats stats;
	uint64_t changed_ns; /* of in_flight, for the statistics */
};

/*
 * A transfer of any size; cut where the disk's limits ask for it.  Fields as in
 * struct disk_req; the struct and the list of runs stay until done().
 */
struct block_req {
	enum disk_op op;
	bool unmap, more;
	uint64_t sector, nsectors;
	const struct dma_run *run;
	unsigned nruns;
	/* Once; any context; no lock held. */
	void (*done)(struct block_req *req, int error);
	/* Ours: */
	struct block_dev *bd;
	struct disk_req whole; /* when it need not be cut */
	uint32_t parts;        /* atomic: not yet ended */
	int error;             /* atomic: the first */
	int64_t start_ns;
};

/*
 * Begins a transfer.  All errors come through done(), which may be called
 * before this returns.  Any context.
 *   -ENODEV  gone;  -EIO;  -EINVAL  not whole blocks, or beyond the end
 *   -EROFS;  -EOPNOTSUPP  the disk has no such operation;  -ENOMEM
 */
void block_submit(struct block_dev *bd, struct block_req *req);

/*
 * Due after requests with `more`, which the device may not have been told of
 * before.  Any context.
 */
void block_commit(struct block_dev *bd);

/* The same, sleeping until the end. */
int block_transfer(struct block_dev *bd, enum disk_op op, uint64_t sector,
    uint64_t nsectors, const struct dma_run *run, unsigned nruns);
/* 0 at once where the disk has no cache of its own. */
int block_flush(struct block_dev *bd);
/* The driver's own ioctl(2) calls; sleeps.  -ENOTTY, -ENODEV, ... */
long block_ioctl(struct block_dev *bd, unsigned cmd, uint64_t uaddr);
/* The serial number with its NUL; sleeps.  -EOPNOTSUPP, ... */
int block_serial(struct block_dev *bd, char buf[DISK_SERIAL_MAX + 1]);

static inline uint64_t
block_sectors(const struct block_dev *bd)
{
	return __atomic_load_n(&bd->info.nsectors, __ATOMIC_ACQUIRE);
}

void block_get(struct block_dev *bd); /* of one already held */
void block_put(struct block_dev *bd);
bool block_is_gone(const struct block_dev *bd);
/* The device with that number, referenced, or NULL. */
struct block_dev *block_find(uint32_t major, uint32_t minor);
/*
 * The devices in order of arrival: the one after `after` (NULL: the first),
 * whose reference is dropped; referenced; NULL: no more.  Waits at first for
 * drivers that are still looking (disk_wait_settled()).
 */
struct block_dev *block_next(struct block_dev *after);
void block_stats(struct block_dev *bd, struct block_stats *st);

/*
 * The floor above, told of each device: `arrived` once it can be found,
 * `departed` when its requests fail; neither under a lock, both may sleep.
 * `resized` in any context.
 */
struct block_watcher {
	int (*arrived)(struct block_dev *bd);
	void (*departed)(struct block_dev *bd);
	void (*leaving)(struct block_dev *bd); /* write back; may sleep */
	void (*resized)(struct block_dev *bd);
};
/* Once, at boot, before drivers attach. */
void block_set_watcher(const struct block_watcher *w);

struct boot_info;
/* Boot step: disks are taken from here on. */
int block_init(const struct boot_info *bi);

/* What block.c asks of request.c: room came; the gate is shut. */
void block_room(struct block_dev *bd);
void block_end_waiting(struct block_dev *bd);

#endif
