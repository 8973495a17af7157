/* SPDX-License-Identifier: ISC */
/*
 * nvme_user.h - controllers as the floors above see them: who they are, their
 * state, commands from programs.
 *
 * A handle stands for one controller and outlives it: who has a reference
 * after its departure gets -ENODEV.  Its number is nobody else's until the
 * last reference is gone.
 */
#ifndef DEV_NVME_NVME_USER_H
#define DEV_NVME_NVME_USER_H

#include "abi/nvme.h"
#include "kern/types.h"

struct classdev;
struct device;
struct nvme_handle;

struct nvme_info {
	char model[41], serial[21], firmware[9], subnqn[224];
	char address[32];  /* "0000:00:04.0" */
	const char *state; /* "live" */
	uint16_t cntlid;
	uint8_t cntrltype;
	unsigned queues; /* with the admin queue */
	uint32_t queue_entries;
	bool identified; /* else all strings but address are empty */
};

/* A command of a program's.  buf: NULL where len is 0. */
struct nvme_passthru {
	struct nvme_sqe sqe; /* without cid, flags and addresses */
	void *buf;
	uint32_t len;        /* bytes, up to 1 MiB */
	bool in, out;        /* where the data goes */
	uint32_t timeout_ms; /* 0: the usual */
	uint32_t result;
};

/*
 * The floor above; registered once, at boot, before drivers attach.  All may
 * sleep.  After departed() its handle answers -ENODEV.
 */
struct nvme_upper {
	int (*arrived)(struct nvme_handle *h, struct device *dev);
	void (*departed)(struct nvme_handle *h);
	/* ioctl(2) on a namespace's disk. */
	long (*disk_ioctl)(struct nvme_handle *h, uint32_t nsid, unsigned cmd,
	    uint64_t uaddr);
};
void nvme_set_upper(const struct nvme_upper *upper);

/* One more reference, of one already held; one less (NULL is harmless). */
void nvme_handle_get(struct nvme_handle *h);
void nvme_handle_put(struct nvme_handle *h); /* any context */
/* The controller's number. */
unsigned nvme_handle_unit(const struct nvme_handle *h);
/* The floor above's own word about it. */
void **nvme_handle_upper(struct nvme_handle *h);

/* Whose children its disks are in /sys; by arrived(). */
void nvme_handle_set_parent(struct nvme_handle *h, struct classdev *cd);

/* -ENODEV */
int nvme_handle_info(struct nvme_handle *h, struct nvme_info *info);
/*
 * Has the controller do it, sleeping until the end: 0, the answer's status
 * (above 0), or
 *   -ENODEV  gone;  -ETIMEDOUT, -EINTR  a reset ended it;  -ENOMEM;  -EINVAL
 *   -EPERM   would take the disk from under us, or wipe it, and nobody has
 *            allowed that (nvme.allow=format)
 * io: on an I/O queue.
 */
int
nvme_handle_command(struct nvme_handle *h, bool io, struct nvme_passthru *p);
/* Resets the controller and waits until it serves again.  -ENODEV, -EIO;
 * subsystem: the whole of it, -ENOTTY where it cannot. */
int nvme_handle_reset(struct nvme_handle *h, bool subsystem);
/* Looks for namespaces, soon. */
int nvme_handle_rescan(struct nvme_handle *h);

#endif
