/* SPDX-License-Identifier: ISC */
/*
 * block.h - disks and their partitions as things that come and go: names and
 * numbers, requests of any size, statistics.
 *
 * A block device has a name and device numbers from its arrival until it
 * departs.  Whoever holds a reference afterwards gets -ENODEV for each request.
 * A partition is a block device, too, whose requests become its disk's; it
 * departs before its disk does.
 *
 * Locking, outermost first: a disk's parts_lock, a sleep lock, for which
 * partitions it has; one spin lock for the list of devices; one a device
 * (closed to interrupts) for its waiting requests and statistics.  The watcher
 * is called under parts_lock, no callback runs under a spin lock.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "block/ptable.h"
#include "bus/classdev.h"
#include "bus/gate.h"
#include "dev/disk.h"
#include "kern/later.h"
#include "kern/mutex.h"
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
	uint32_t in_flight, reads_in_flight;
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
	uint64_t diskseq;      /* [I] no two disks have the same */
	bool no_writes;        /* atomic: as BLKROSET asked */
	uint32_t openers;      /* atomic: who has it open: block_opened() */
	struct classdev cd;    /* in /sys */
	TAILQ_ENTRY(block_dev) link; /* under the list's lock */
	bool claimed;                /* the same: for one opener alone */
	uint32_t part_claims;        /* the same, of a disk's partitions */
	/* A partition's: */
	struct block_dev *whole; /* [I] its disk, referenced; NULL: is one */
	uint64_t start;          /* [I] its first sector */
	unsigned number;         /* [I] 1 .. */
	char label[PTABLE_NAME]; /* [I] "": none */
	char uuid[PTABLE_UUID];  /* [I]; of a disk: parts_lock, its table's */
	TAILQ_ENTRY(block_dev) part_link; /* parts_lock */
	/* A disk's: */
	struct mutex parts_lock;
	TAILQ_HEAD(block_parts, block_dev) parts; /* parts_lock, by number */
	const char *table;                 /* parts_lock; "gpt", NULL: none */
	bool leaving;                      /* parts_lock: no more partitions */
	char serial[DISK_SERIAL_MAX + 1];  /* [I] once tasted; "": none */
	TAILQ_ENTRY(block_dev) taste_link; /* taste.c's, as the next */
	bool taste_waits;
	struct later resize_later; /* to tell of another size */
	bool resize_told;          /* atomic: nobody is about to tell */
	struct {                   /* watch.c's: at its last look */
		uint64_t ended;
		bool busy, stuck;
	} watch;
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

/* The disk that a device is, or is a part of. */
static inline struct block_dev *
block_disk(struct block_dev *bd)
{
	return bd->whole != NULL ? bd->whole : bd;
}
/* Its driver's node, while the device has not departed; or NULL. */
struct device *block_device_of(struct block_dev *bd);
static inline bool
block_is_read_only(const struct block_dev *bd)
{
	return bd->info.read_only ||
	    __atomic_load_n(&bd->no_writes, __ATOMIC_RELAXED) ||
	    (bd->whole != NULL &&
		__atomic_load_n(&bd->whole->no_writes, __ATOMIC_RELAXED));
}

/* ---- partitions: part.c, taste.c; all sleep ---- */

/*
 * Looks for partitions, soon and by another thread: of a disk that arrived.
 * Nothing at boot waits for it.
 */
void block_taste_soon(struct block_dev *disk);
/*
 * Returns when drivers have found their disks (disk_wait_settled()) and all of
 * those have been looked at, or one takes very long: before names are looked
 * for.
 */
void block_settle(void);
/*
 * Reads the table anew: all partitions depart, and those of the table arrive.
 *   -EINVAL  no disk;  -EBUSY  a partition is open;  what reading said
 */
int block_reread(struct block_dev *disk);
/*
 * A partition that no table says, 512-byte sectors of the disk.
 *   -EINVAL, -EBUSY (overlaps, or the number is taken), -ENXIO, -ENOMEM
 */
int block_part_add(struct block_dev *disk, unsigned number, uint64_t start,
    uint64_t nsectors);
int block_part_del(struct block_dev *disk, unsigned number);
int
block_part_resize(struct block_dev *disk, unsigned number, uint64_t nsectors);

/* Somebody opens it, closes it. */
static inline void
block_opened(struct block_dev *bd)
{
	__atomic_add_fetch(&bd->openers, 1, __ATOMIC_RELAXED);
}
static inline void
block_closed(struct block_dev *bd)
{
	__atomic_sub_fetch(&bd->openers, 1, __ATOMIC_RELEASE);
}
/*
 * For one user alone: O_EXCL, file systems.  A disk and its partitions exclude
 * each other.  -EBUSY
 */
int block_claim(struct block_dev *bd);
void block_unclaim(struct block_dev *bd);

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
/* As /proc/diskstats shows them, without the name; with a newline. */
struct sbuf;
void block_print_stats(struct sbuf *sb, const struct block_stats *st);

/*
 * The floor above, told of each device: `arrived` once it can be found,
 * `described` when all is known of a disk that its links are made of,
 * `departed` when its requests fail; all may sleep.  `resized` in any context.
 */
struct block_watcher {
	int (*arrived)(struct block_dev *bd);
	void (*described)(struct block_dev *bd); /* NULL: no matter */
	void (*departed)(struct block_dev *bd);
	void (*leaving)(struct block_dev *bd); /* write back; may sleep */
	void (*resized)(struct block_dev *bd);
};
/* Once, at boot, before drivers attach. */
void block_set_watcher(const struct block_watcher *w);

struct boot_info;
/* Boot step: disks are taken from here on. */
int block_init(const struct boot_info *bi);

/* ---- between the files of this folder ---- */

/*
 * Gives a filled device its name, numbers and place, and shows it; on an error
 * all is undone but the reference.  The opposite shuts its gate.
 */
int block_enlist(struct block_dev *bd);
void block_delist(struct block_dev *bd);
struct block_dev *block_alloc(void); /* one reference; NULL: no memory */
void block_describe(struct block_dev *bd);
/* Another size; any context, but the uevent comes from a thread. */
void block_resize(struct block_dev *bd, uint64_t nsectors);
/* Reads the table; parts_lock held. */
int block_parts_read(struct block_dev *disk);
/* All partitions depart, and no more come. */
void block_parts_end(struct block_dev *disk);
/* A disk that departs is looked at no more. */
void block_taste_end(struct block_dev *disk);
/* A request begins on an idle disk; any context.  Disks are tasted: watch.c. */
void block_watch(void);
void block_watch_start(void);
/* In /sys, with uevents: class.c. */
void block_publish(struct block_dev *bd);
void block_unpublish(struct block_dev *bd);
void block_changed(struct block_dev *bd, const char *env);

/* What block.c asks of request.c: room came; the gate is shut. */
void block_room(struct block_dev *bd);
void block_end_waiting(struct block_dev *bd);

#endif
