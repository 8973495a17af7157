/* SPDX-License-Identifier: ISC */
/*
 * disk.h - disks as their drivers offer them: a request, the operations, how
 * a disk arrives and departs, and the one consumer above.
 *
 * A driver calls disk_arrive() at the end of attach() and disk_depart() in
 * detach(), after it has ended all its requests.  The floor above registers
 * itself once as the consumer; no driver names it.
 *
 * A request belongs to the driver from a submit() that returned 0 until its
 * one done().  Its memory stays where it is that long.
 */
#ifndef DEV_DISK_H
#define DEV_DISK_H

#include "bus/dma.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

#define SECTOR_SHIFT 9 /* a disk's addresses count 512 bytes, always */
#define SECTOR_SIZE  512u

struct classdev;
struct device;
struct disk;

enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH,   /* covers all writes that were done before */
	DISK_DISCARD, /* the range's contents are of no use any more */
	DISK_ZERO,    /* the range reads as zeros */
	DISK_SERIAL,  /* reads DISK_SERIAL_MAX bytes of text, zeros behind */
};
#define DISK_SERIAL_MAX 20

struct disk_req {
	enum disk_op op;
	bool unmap; /* DISK_ZERO: may give the room back */
	/* WRITE: ends when it is on the medium; where disk_info.fua only. */
	bool fua;
	uint8_t tries; /* the driver's: how often it was begun; 0 at first */
	bool more;     /* others follow: the device may be told by commit() */
	/* FLUSH and SERIAL: 0.  Multiples of the disk's block size. */
	uint64_t sector, nsectors;
	const struct dma_run *run; /* READ, WRITE, SERIAL: the memory */
	unsigned nruns;
	/*
	 * Once, with 0 or -errno; any context, interrupts included, with no
	 * lock held: it may submit.  -ENODEV: the disk has gone.
	 */
	void (*done)(struct disk_req *req, int error);
	TAILQ_ENTRY(disk_req) link; /* whoever has it */
};

/* What a disk is and can do.  Limits of 0: none. */
struct disk_info {
	const char *prefix;     /* "vd": letters follow, "vda" */
	const char *name;       /* or all of it, "nvme0n1"; else NULL */
	const char *driver;     /* in /proc/devices: "virtblk" */
	uint32_t major;         /* of the device numbers */
	uint32_t minors;        /* minors a disk has, partitions included */
	uint64_t nsectors;      /* a multiple of block_size */
	uint32_t block_size;    /* bytes, a power of two, 512 .. PAGE_SIZE */
	uint32_t physical_size; /* bytes, a power of two, >= block_size */
	bool read_only;
	bool volatile_cache;   /* writes need a FLUSH to be safe */
	bool fua;              /* knows disk_req.fua */
	uint32_t max_sectors;  /* of a read or write; whole blocks */
	uint32_t max_segs;     /* pieces of memory, at least 1 */
	uint32_t max_seg_size; /* bytes of one; whole blocks */
	/*
	 * Pieces meet at multiples of it: each but the first begins, and each
	 * but the last ends at one.  Bytes, a power of two; 0: anywhere.
	 */
	uint32_t seg_boundary;
	uint64_t max_discard;         /* sectors of one; 0: cannot discard */
	uint64_t max_zero;            /* sectors of one; 0: cannot zero */
	uint32_t discard_granularity; /* bytes */
	/* Text without padding; NULL: none, or not known here.  The driver's,
	 * in place until disk_depart() returns. */
	const char *model, *serial, *firmware;
	const char *wwid;        /* "eui.0025385b71b00123", "uuid.…" */
	struct classdev *parent; /* departs later; NULL: the device */
	const char *link;        /* below /dev/disk, too: "by-ebs/sdf" */
	const char
	    *path; /* which disk of its device: "nvme-1"; NULL: the one */
	/*
	 * After the departure, when nobody has the disk open any more: its
	 * name may be used again.  Any context; NULL: nobody wants to know.
	 */
	void (*released)(void *arg);
	void *released_arg;
};

struct disk_ops {
	/*
	 * Takes the request: done() will be called, or was.  Any context.
	 *   -EAGAIN  full: disk_room() follows
	 *   -ENODEV  gone
	 *   -EOPNOTSUPP, -EFBIG: not this one
	 */
	int (*submit)(void *arg, struct disk_req *req);
	/*
	 * ioctl(2) calls of the driver's own; uaddr: the program's argument.
	 * May sleep.  NULL, -ENOTTY: not known.
	 */
	long (*ioctl)(void *arg, unsigned cmd, uint64_t uaddr);
	/*
	 * Tells the device of what was submitted with `more`; full queues tell
	 * it by themselves.  Any context.  NULL: submit() always does.
	 */
	void (*commit)(void *arg);
};

struct disk {
	const struct disk_ops *ops; /* [I] */
	void *arg;                  /* [I] the driver's */
	struct device *dev;         /* [I] */
	struct disk_info info;      /* [I] but for nsectors, which is atomic */
	void *consumer;             /* the consumer's own */
};

/*
 * The disk is there.  `info` is copied, its strings are not.  May sleep.
 *   -ENOMEM, and what the consumer says
 */
int disk_arrive(struct device *dev, const struct disk_ops *ops, void *arg,
    const struct disk_info *info, struct disk **out);
/*
 * The disk is gone: submit() says -ENODEV by now, all requests have ended.  On
 * return nobody is inside and no name is left.  May sleep.  NULL is harmless.
 */
void disk_depart(struct disk *disk);

/*
 * It has been asked to go, and works still: what is only in memory is written
 * back, as far as it can be.  Then disk_depart().  May sleep for as long as
 * requests take.  NULL is harmless.
 */
void disk_leaving(struct disk *disk);

/* After an -EAGAIN: there is room again.  Any context, no lock held. */
void disk_room(struct disk *disk);
/* Its size is another one now.  Any context. */
void disk_resized(struct disk *disk, uint64_t nsectors);

static inline int
disk_submit(struct disk *disk, struct disk_req *req)
{
	return disk->ops->submit(disk->arg, req);
}

static inline void
disk_commit(struct disk *disk)
{
	if (disk->ops->commit != NULL)
		disk->ops->commit(disk->arg);
}

/*
 * The floor above.  After depart() it does not touch the disk any more; both
 * arrive and depart may sleep, the others are called in any context.
 */
struct disk_consumer {
	int (*arrive)(struct disk *disk);
	void (*depart)(struct disk *disk);
	void (*leaving)(struct disk *disk); /* may sleep */
	void (*room)(struct disk *disk);
	void (*resized)(struct disk *disk);
};
/*
 * Drivers find disks in their own time.  From disk_settling() until its
 * disk_settled() one of them does not know yet which there are; who looks for
 * a name that is not there may wait for that.
 */
void disk_settling(void);
void disk_settled(void);
/* Sleeps until no driver is busy so, or WAIT_SETTLED_NS are over. */
void disk_wait_settled(void);
#define WAIT_SETTLED_NS 10000000000ll

/* At boot, before drivers attach. */
void disk_set_consumer(const struct disk_consumer *consumer);

#endif
