/* SPDX-License-Identifier: ISC */
/*
 * scsi.h - SCSI between a transport, which carries commands to targets, and
 * the drivers of what is found there.
 *
 * A transport is a bus: it embeds a struct scsi_host, calls scsi_host_init()
 * in attach(), scsi_host_rescan() from its bus_ops.rescan, and
 * scsi_host_fini() in detach(), when the tree has taken away the units.  Each
 * logical unit that answers becomes a node; disks are driven by sd.c.
 *
 * A command belongs to the transport from a submit() that returned 0 until its
 * one done(), which comes in any case: the transport gives up on a target that
 * does not answer after cmd->timeout_s.
 */
#ifndef DEV_SCSI_H
#define DEV_SCSI_H

#include "bus/device.h"
#include "bus/dma.h"
#include "bus/gate.h"
#include "dev/scsi/scsi_wire.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

#define SCSI_SENSE_MAX 32

struct scsi_cmd {
	uint16_t target;
	uint32_t lun; /* below 16384 */
	uint8_t cdb[SCSI_CDB_MAX];
	enum dma_dir dir;          /* 0: no data */
	const struct dma_run *run; /* the data's memory, */
	unsigned nruns;
	void *buf;    /* or, if not NULL, the kernel's */
	uint32_t len; /* bytes in all */
	unsigned timeout_s;
	/* Any context, no lock held: it may submit. */
	void (*done)(struct scsi_cmd *cmd);
	/*
	 * The answer.  error 0: the target has answered, status says what.
	 * -ENXIO: there is no such target; -EAGAIN: worth another try;
	 * -EBUSY: later; -ETIMEDOUT, -EIO; -ENODEV: the host has gone.
	 */
	int error;
	uint8_t status, nsense;
	uint32_t moved; /* bytes of data, at most len */
	uint8_t sense[SCSI_SENSE_MAX];
	void *priv; /* its sender's */
};

struct scsi_host_ops {
	/* As disk_ops.submit; -EAGAIN: scsi_host_room() follows. */
	int (*submit)(void *arg, struct scsi_cmd *cmd);
	/*
	 * The unit is being taken away as gone: its commands end soon, all of
	 * them at once if the host itself has gone.  May sleep.
	 */
	void (*give_up)(void *arg, unsigned target, uint32_t lun);
};

struct scsi_lun;

struct scsi_host { /* zeroed; the transport fills what is marked [I] */
	const struct scsi_host_ops *ops; /* [I] */
	void *arg;                       /* [I] */
	struct device *dev;              /* [I] the bus */
	unsigned ntargets;               /* [I] numbers to look at */
	unsigned max_segs, max_seg_size; /* [I] of a command; size 0: any */
	uint32_t max_sectors;            /* [I] of 512 bytes; 0: any */
	unsigned cmds_per_lun;           /* [I] at least 1 */
	struct spinlock lock;            /* interrupts off */
	uint32_t round;              /* under lock: of telling who wants room */
	TAILQ_HEAD(, scsi_lun) luns; /* under lock; each holds its node */
};

/* A node's ivars: valid for as long as the node is referenced. */
struct scsi_lun {
	struct scsi_host *host;      /* [I] */
	struct device *dev;          /* [I] referenced by the host's list */
	uint16_t target;             /* [I] */
	uint32_t lun;                /* [I] */
	struct scsi_inquiry inquiry; /* [I] */
	bool seen;                   /* the scan's */
	/* Its driver's, inside the gate: */
	struct gate gate;           /* shut: nobody listens */
	void (*changed)(void *arg); /* size or more may be another; sleeps */
	void (*room)(void *arg);    /* any context */
	void *arg;
	uint32_t starved; /* [a] wants to hear of room */
	uint32_t round;   /* under host->lock: the last that told it */
	TAILQ_ENTRY(scsi_lun) link;
};

/* ---- for transports ---- */

/* Before the first rescan; nothing is looked at yet. */
void scsi_host_init(struct scsi_host *h);
/* Looks for units that came, went or changed.  The bus's turn is held. */
int scsi_host_rescan(struct scsi_host *h);
/* After an -EAGAIN: there is room again.  Any context. */
void scsi_host_room(struct scsi_host *h);
/* Lets go of all units, which the tree has taken away. */
void scsi_host_fini(struct scsi_host *h);
/* For bus_ops.free. */
void scsi_lun_free(void *ivars);

/* ---- for drivers of units ---- */

/* Who is told of changes and of room. */
void scsi_lun_listen(struct scsi_lun *l, void (*changed)(void *arg),
    void (*room)(void *arg), void *arg);
/* Nobody any more, and nobody is inside.  Harmless twice.  May sleep. */
void scsi_lun_deafen(struct scsi_lun *l);
/* Hands a command to the transport; after -EAGAIN room() follows. */
int scsi_lun_submit(struct scsi_lun *l, struct scsi_cmd *cmd);

/* One command and its answer, for a thread that waits. */
struct scsi_call {
	uint8_t cdb[SCSI_CDB_MAX];
	enum dma_dir dir; /* DMA_FROM_DEVICE, or 0 for no data */
	uint32_t len;     /* bytes wanted */
	uint8_t *data;    /* the answer's; scsi_call_end() */
	uint32_t moved;   /* how many */
	struct scsi_sense sense;
	struct scsi_exec *exec; /* ours */
};
/*
 * Does it, again where that helps, until it is done or `dev` has gone.
 * scsi_call_end() is due in any case.  May sleep.
 *   -ENODEV gone; -ENXIO no such target; -ENOMEM; what scsi_judge() says
 */
int scsi_call(struct scsi_host *h, struct device *dev, unsigned target,
    uint32_t lun, struct scsi_call *call);
void scsi_call_end(struct scsi_call *call);

#endif
