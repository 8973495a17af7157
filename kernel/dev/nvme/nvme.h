/* SPDX-License-Identifier: ISC */
/*
 * nvme.h - what the files of the NVMe driver tell each other.  NVMe 1.4.
 *
 *   nvme_pci.c     the bus: registers, interrupts, attach, detach
 *   nvme_ctrl.c    a controller's life, in a thread of its own
 *   nvme_start.c   from a reset controller to one with queues; stopping it
 *   nvme_queue.c   queue pairs: commands out, answers in
 *   nvme_data.c    a request's memory as PRPs or SGLs
 *   nvme_admin.c   commands that somebody waits for; async events
 *   nvme_ns.c      namespaces as disks: found, resized, taken away
 *   nvme_io.c      disk requests as commands, answers as ends of requests
 *   nvme_watch.c   time-outs: look, abort, reset
 *   nvme_user.c    what programs may ask (nvme_user.h)
 *   nvme_ident.c   what it says of itself, checked
 *
 * A controller's states, and who changes them:
 *
 *		 attach()
 *		     |
 *		     v	    nvme_start() = 0
 *	+------> STARTING -------------------> LIVE
 *	|	     |				|
 *	|	     | it lies, is not ready,	| time-out, fatal status,
 *	|	     v or is gone		v somebody asks: nvme_reset()
 *	|	  BROKEN <----------------- RESETTING
 *	|	       it does not stop		|
 *	+---------------------------------------+ it stopped: nvme_silence()
 *
 *	any --- detach() ---> LEAVING
 *
 *   STARTING   the thread talks to the admin queue; I/O queues do not take
 *              requests yet: the first time there are no disks, later the
 *              floor above keeps them (-EAGAIN).
 *   LIVE       all queues take requests.
 *   RESETTING  no queue takes any; those under way may end for a bounded time
 *              (quiesce()), and what is left will be begun again.
 *   BROKEN     all requests have ended with -ENODEV, and new ones do at once;
 *              the tree has been told that the device is gone.
 *   LEAVING    the thread stops the controller and ends.
 *
 * Who waits sleeps on the device's wait queue, which is also woken when the
 * device has gone (device.h); so removal at any moment ends all waiting.
 *
 * Memory that a controller may still write, because it has not been seen to
 * stop (nvme_silence()), is kept aside when requests and queues end.
 *
 * Locking: queue.lock (closed to interrupts), then ctrl.lock or large_lock,
 * all innermost; no callback runs under them.  ctrl.scan, a mutex, is taken by
 * who looks at the list of namespaces and may sleep.
 */
#ifndef DEV_NVME_NVME_H
#define DEV_NVME_NVME_H

#include "abi/nvme.h"
#include "bus/dma.h"
#include "dev/disk.h"
#include "dev/nvme/nvme_ident.h"
#include "dev/nvme/nvme_mmio.h"
#include "kern/mutex.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include "kern/waitq.h"
#include <bsd/sys/queue.h>

#define NVME_IO_QUEUES  32  /* at most */
#define NVME_IO_SIZE    256 /* entries of an I/O queue, if it may be so long */
#define NVME_ADM_SIZE   32
#define NVME_NLARGE     32 /* requests of more than two pages under way */
#define NVME_LARGE_SEGS 128
#define NVME_TRIES      5 /* a request is begun at most so often */
#define NVME_NAME       32

struct device;
struct nvme_ctrl;
struct nvme_ns;
struct nvme_handle;

enum nvme_state {
	NVME_STARTING,
	NVME_LIVE,
	NVME_RESETTING,
	NVME_BROKEN,
	NVME_LEAVING,
};

TAILQ_HEAD(nvme_req_list, disk_req);

/* A command that a thread waits for, or waited for. */
struct nvme_sync {
	struct dma_mem buf; /* its data; kva NULL: none */
	bool done;          /* atomic: the three below are there */
	bool abandoned;     /* ctrl.lock: nobody waits, the end frees it */
	bool quiet;         /* the controller does not write to buf any more */
	int error;          /* 0: answered; -ENODEV, -ECANCELED: never */
	uint16_t status;    /* of the answer, without the phase tag */
	uint32_t result;
};

/* What a request of more than two pages needs besides its slot. */
struct nvme_large {
	struct nvme_large *next; /* large_lock: free ones */
	struct dma_map *map;
	void *list; /* NVME_LIST_BYTES for PRPs or SGL descriptors */
	busaddr_t list_addr;
};
#define NVME_LIST_BYTES 2048

enum nvme_kind {
	NVME_FREE,
	NVME_REQ,   /* a disk's */
	NVME_SYNC,  /* somebody waits */
	NVME_ABORT, /* of another command */
	NVME_EVENT, /* an async event request */
};

struct nvme_slot {
	union {
		struct disk_req *req;
		struct nvme_sync *sync;
	};
	struct nvme_ns *ns;       /* NVME_REQ */
	struct dma_map *map;      /* for up to two pages */
	struct nvme_large *large; /* NULL: map serves */
	uint32_t began;           /* ctrl.epoch then */
	uint16_t next;            /* free list */
	uint8_t kind;
	uint8_t round; /* in the upper bits of the identifier: 0 .. 15 */
	bool aborted;  /* an abort was sent for it */
};
/* An identifier tells the slot, and which of its lives is meant. */
#define NVME_CID(round, slot) ((uint16_t)((round) << 12 | (slot)))
#define NVME_CID_SLOT(cid)    ((cid)&0xfffu)
#define NVME_CID_ROUND(cid)   ((cid) >> 12)

enum nvme_door {
	NVME_PAUSED, /* -EAGAIN: wait for room */
	NVME_OPEN,
	NVME_SHUT, /* -ENODEV */
};

struct nvme_queue { /* q: under lock */
	struct nvme_ctrl *ctrl;
	unsigned id;   /* [I] 0: admin */
	uint32_t size; /* [I] entries of both rings */
	struct spinlock lock;
	struct dma_mem sq, cq, ranges; /* [I] rings; a DSM range a slot */
	struct nvme_slot *slot;        /* [q] size - 1 of them */
	struct dma_map *maps;          /* [I] as many; admin: NULL */
	uint16_t free;                 /* [q] first free slot; size - 1: none */
	uint16_t tail, head;           /* [q] ours in the rings */
	uint8_t phase;                 /* [q] of answers to come */
	uint8_t door;                  /* [q] NVME_OPEN, ... */
	uint16_t busy;                 /* [q] slots in use */
};

struct nvme_ns {
	struct nvme_ctrl *ctrl;
	uint32_t nsid;
	struct nvme_ns_params p; /* scan */
	char name[NVME_NAME];    /* "nvme0n1" */
	char link[48];           /* "by-ebs/sdf" */
	char path[16];           /* "nvme-1" */
	struct disk *disk;
	struct disk_info info;
	bool dead;                  /* atomic: -ENODEV */
	bool starved;               /* atomic: somebody was told -EAGAIN */
	bool seen;                  /* scan: by this look */
	unsigned rooming;           /* ctrl.lock: disk_room() runs */
	uint32_t round;             /* ctrl.lock: when it last did */
	struct nvme_req_list retry; /* ctrl.lock: to be begun again */
	TAILQ_ENTRY(nvme_ns) link_; /* scan and ctrl.lock to change */
};

struct nvme_ctrl {                  /* the softc */
	struct device *dev;         /* [I] */
	unsigned unit;              /* [I] */
	volatile void *regs;        /* [I] */
	size_t regs_size;           /* [I] bytes mapped */
	struct nvme_cap cap;        /* [I] */
	uint32_t version;           /* [I] */
	unsigned nvectors;          /* [I] */
	struct nvme_params id;      /* the thread's; lock to write */
	bool identified;            /* id is there */
	uint8_t state;              /* atomic: enum nvme_state */
	bool has_thread;            /* attach() and detach() only */
	bool thread_ended;          /* atomic */
	bool stop;                  /* atomic: the thread shall end */
	bool leaving;               /* atomic: disks are being written back */
	int64_t leave_ns;           /* until then; I while leaving */
	bool want_reset, want_scan; /* atomic */
	bool want_subsystem;        /* atomic: reset that, too */
	unsigned draining;          /* atomic: who wants to be woken by ends */
	bool starved;               /* atomic: some namespace is */
	bool retries;               /* atomic: some request waits to be begun */
	bool retry_waits;           /* atomic: and does so for room */
	uint32_t round;             /* atomic: of nvme_ns_room() */
	bool settled;               /* atomic: the first start has ended */
	bool silent;                /* the thread's, then detach()'s */
	bool lied;                  /* atomic: one line is enough */
	char why[96];               /* [lock] what broke it, "" */

	struct nvme_queue admin;
	struct nvme_queue *ioq; /* [I] once made */
	unsigned nioq;          /* [I] made */
	unsigned nlive;         /* atomic: in use, 1 .. nioq */

	struct spinlock large_lock;
	struct nvme_large *large, *large_free;
	struct dma_mem lists;

	struct spinlock lock;
	uint32_t events[4];   /* [lock] answers to async event requests */
	unsigned nevents;     /* [lock] */
	bool event_armed;     /* [lock] one is under way */
	bool no_events;       /* the thread's: it knows none */
	unsigned event_lines; /* the thread's: said of events */
	unsigned aborts;      /* atomic: under way */

	struct mutex scan;
	TAILQ_HEAD(, nvme_ns) namespaces; /* scan and lock to change */

	/* nvme_watch.c */
	uint64_t io_timeout_ns; /* [I] UINT64_MAX: practically never */
	bool watching;          /* atomic: the thread looks every period */
	uint32_t epoch;         /* atomic: periods so far */
	bool told_lost;         /* the thread's: of a lost interrupt */

	struct nvme_handle *handle; /* programs' */
	TAILQ_ENTRY(nvme_ctrl) link;
};

#define NVME_PERIOD_NS 500000000ll
#define NVME_ADMIN_NS  60000000000ll /* until an admin command is overdue */
#define NVME_LEAVE_NS  5000000000ll  /* for writing back, when asked to go */

static inline uint32_t
nvme_read(struct nvme_ctrl *c, size_t reg)
{
	return nvme_mmio_read(c->regs, reg);
}
static inline void
nvme_write(struct nvme_ctrl *c, size_t reg, uint32_t v)
{
	nvme_mmio_write(c->regs, reg, v);
}

static inline enum nvme_state
nvme_state(const struct nvme_ctrl *c)
{
	return __atomic_load_n(&c->state, __ATOMIC_ACQUIRE);
}

/* ---- nvme_pci.c: the bus ---- */

/* Readies up to `want` vectors; c->nvectors says how many there are. */
int nvme_bus_intr_setup(struct nvme_ctrl *c, unsigned want);
int nvme_bus_intr_establish(struct nvme_ctrl *c, unsigned i,
    bool (*fn)(void *arg), void *arg);
/* No handler runs any more, and none will. */
void nvme_bus_intr_end(struct nvme_ctrl *c);
/* Nobody answers at its place on the bus: it is really not there. */
bool nvme_bus_is_absent(struct nvme_ctrl *c);
/* Its name, its wait queue, and whether the tree says that it has gone. */
const char *nvme_name(const struct nvme_ctrl *c);
struct waitq *nvme_waitq(const struct nvme_ctrl *c);
bool nvme_is_gone(const struct nvme_ctrl *c);
/* Has the tree detach it as gone. */
void nvme_bus_report_gone(struct nvme_ctrl *c);

/* ---- nvme_ctrl.c ---- */

/*
 * The registers are mapped: reads what they say, and readies interrupts and
 * the admin queue.  Does not wait for the controller.
 *   -ENODEV gone; -EPROTO nonsense (said in the log); -ENOMEM
 */
int nvme_begin(struct nvme_ctrl *c);
/* Starts the thread that does the rest.  -ENOMEM */
int nvme_run(struct nvme_ctrl *c);
/* Ends everything that nvme_begin() began, also where it failed.  Sleeps. */
void nvme_end(struct nvme_ctrl *c, bool asked);
/* Whether whoever waits for the controller should stop doing so. */
bool nvme_should_stop(const struct nvme_ctrl *c);
/* Wakes the thread, and all who wait. */
void nvme_wake(struct nvme_ctrl *c);
/*
 * It is broken or gone, for the reason that goes to the log: no requests any
 * more, the tree is told.  Any context; the first reason counts.  The thread
 * ends the requests.
 */
void nvme_break(struct nvme_ctrl *c, const char *fmt, ...) __printflike(2, 3);
/* Has the thread reset it.  Any context. */
void nvme_want_reset(struct nvme_ctrl *c);
/* As /sys/class/nvme/nvme0/state says it. */
const char *nvme_state_name(enum nvme_state state);

/* ---- nvme_start.c ---- */

/*
 * From any state of the registers to queues that can be opened; identify is
 * done, and checked against the first time's.  The thread's.
 *   -ENODEV gone; -EPROTO, -ETIMEDOUT, -EIO, -ENOMEM: said by nvme_break()
 */
int nvme_start(struct nvme_ctrl *c);
/*
 * CC.EN = 0, and waits so long for CSTS.RDY = 0, or until it has gone.  True:
 * it does not touch memory any more.
 */
bool nvme_silence(struct nvme_ctrl *c, int64_t wait_ns);
/*
 * Deletes the queues of I/O commands, so that those under way end: before a
 * reset of one that still answers.  Waits for a bounded time, and gives up
 * where it does not; the reset must follow.  The thread's.
 */
void nvme_delete_queues(struct nvme_ctrl *c);
/* Tells it that power will go; waits for its word, within bounds. */
void nvme_shutdown(struct nvme_ctrl *c);
/* Memory of all queues; `quiet`: the controller cannot write it any more. */
void nvme_free_queues(struct nvme_ctrl *c, bool quiet);

/* ---- nvme_queue.c ---- */

/* Rings and slots; size at least 2.  -ENOMEM */
int nvme_queue_make(struct nvme_ctrl *c, struct nvme_queue *q, unsigned id,
    uint32_t size);
void nvme_queue_free(struct nvme_queue *q, bool quiet);
/* Empty rings: the controller has forgotten them.  No slot is busy. */
void nvme_queue_clear(struct nvme_queue *q);
void nvme_queue_door(struct nvme_queue *q, enum nvme_door door);
/* How many commands are under way, event requests aside. */
unsigned nvme_queue_busy(struct nvme_queue *q);
/* A free slot of that kind, busy from now on; NULL: none. */
struct nvme_slot *nvme_slot_take_locked(struct nvme_queue *q, unsigned kind);
/* Back to the free ones, with its memory unloaded. */
void nvme_slot_free_locked(struct nvme_queue *q, struct nvme_slot *s);
/* Puts the command into the ring (its cid is filled in) and rings. */
void nvme_push_locked(struct nvme_queue *q, struct nvme_slot *s,
    struct nvme_sqe *sqe);
/* Takes what was answered; false: nothing was. */
bool nvme_queue_answers(struct nvme_queue *q);
/* Interrupt handlers: of one queue, and of all that share one vector. */
bool nvme_queue_intr(void *arg);
bool nvme_shared_intr(void *arg);
/*
 * Takes commands away that were not answered: each ends with `error`, and
 * those of disks that may be begun again are kept for that where `again`.
 * Returns how many requests ended.
 */
unsigned nvme_queue_take_back(struct nvme_queue *q, int error, bool again);

/* ---- nvme_data.c ---- */

/* The pool for large requests.  -ENOMEM */
int nvme_large_make(struct nvme_ctrl *c);
void nvme_large_free_all(struct nvme_ctrl *c, bool quiet);
void nvme_large_put(struct nvme_ctrl *c, struct nvme_large *l);
/*
 * Loads the request's memory and names it in the command.
 *   -EAGAIN  no room for a large one; the namespace is marked as starved
 *   or why it cannot be loaded
 */
int nvme_data_load(struct nvme_queue *q, struct nvme_slot *s,
    const struct disk_req *req, struct nvme_sqe *sqe);

/* PRPs for memory of n segments: see nvme_data.c.  `list` has room for `max`.
 *   -EINVAL  they do not meet at pages, or are too many */
int nvme_prps(const struct dma_seg *seg, unsigned n, unsigned page_shift,
    uint64_t *list, unsigned max, uint64_t *first, unsigned *nlist);

/* ---- nvme_admin.c ---- */

/*
 * Sends a command with `len` bytes of data on q and waits for its end.  `in`:
 * the data comes from the controller.  0, with its status and result, or
 *   -ENODEV  gone, or broken;  -ETIMEDOUT  the thread was told to reset it
 *   -ECANCELED  a reset came in between;  -ENOMEM;  -EAGAIN  no free slot,
 *   and it goes at_once
 */
struct nvme_command {
	struct nvme_sqe sqe;
	void *data; /* NULL: none */
	uint32_t len;
	bool in, out;
	bool at_once; /* does not wait for a slot */
	int64_t timeout_ns;
	uint16_t status;
	uint32_t result;
};
int nvme_command(struct nvme_queue *q, struct nvme_command *cmd);
/* The same for the admin queue, where any status but 0 is -EIO. */
int nvme_admin(struct nvme_ctrl *c, struct nvme_command *cmd);
int nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, void *buf);
int nvme_get_log(struct nvme_ctrl *c, unsigned log, void *buf, uint32_t len);
int nvme_set_feature(struct nvme_ctrl *c, unsigned fid, uint32_t cdw11,
    uint32_t *result);
/* One command more or less under way; harmless where it knows no events. */
void nvme_arm_events(struct nvme_ctrl *c);
void nvme_handle_events(struct nvme_ctrl *c);
/* Asks for the end of a command.  False: no more aborts may be sent now. */
bool nvme_abort(struct nvme_ctrl *c, unsigned qid, uint16_t cid);
/* An answer came: queue.lock is not held. */
void nvme_sync_end(struct nvme_ctrl *c, struct nvme_sync *s, int error,
    uint16_t status, uint32_t result);
void nvme_event_end(struct nvme_ctrl *c, int error, uint16_t status,
    uint32_t result);

/* ---- nvme_ns.c ---- */

/* Looks which namespaces there are, and of what size.  The thread's. */
int nvme_scan(struct nvme_ctrl *c);
/* All disks depart; their requests have ended. */
void nvme_ns_end_all(struct nvme_ctrl *c);
/* Asks the floor above to write back what is in memory only. */
void nvme_ns_leaving(struct nvme_ctrl *c);
/* Calls disk_room() where somebody was told -EAGAIN.  Any context. */
void nvme_ns_room(struct nvme_ctrl *c);
/* Begins again what waits for it; with `error` != 0 ends it instead. */
unsigned nvme_ns_retry(struct nvme_ctrl *c, int error);

/* ---- nvme_io.c ---- */

int nvme_io_submit(void *arg, struct disk_req *req); /* disk_ops */
/* An answer, or its lack (error != 0): ends the request, or keeps it to be
 * begun again.  queue.lock is not held. */
void nvme_io_end(struct nvme_ctrl *c, struct nvme_ns *ns, struct disk_req *req,
    int error, uint16_t status);
/* Keeps it to be begun again; false: that was often enough. */
bool nvme_io_again(struct nvme_ns *ns, struct disk_req *req);

/* ---- nvme_watch.c ---- */

/* A request was begun: the thread looks from time to time.  Any context. */
void nvme_watch(struct nvme_ctrl *c);
/* One look: whose time is over, and whether the controller is there. */
void nvme_watch_look(struct nvme_ctrl *c);
/* nvme.io_timeout=, or the default for this model. */
uint64_t nvme_io_timeout_ns(const struct nvme_params *p);

/* ---- nvme_user.c ---- */

/* Programs can name it from now on.  -ENOMEM */
int nvme_user_arrive(struct nvme_ctrl *c);
/* Nobody is inside any more on return.  All commands have ended. */
void nvme_user_depart(struct nvme_ctrl *c);
/* Whose children disks are in /sys, or NULL. */
struct classdev *nvme_user_parent(const struct nvme_ctrl *c);
/* ioctl(2) on a namespace's disk: disk_ops. */
long nvme_user_disk_ioctl(void *arg, unsigned cmd, uint64_t uaddr);
/* Numbers in use: struct driver's unit_in_use. */
bool nvme_unit_in_use(unsigned unit);
void nvme_unit_get(unsigned unit);
void nvme_unit_put(void *unit); /* as a number */

#endif
