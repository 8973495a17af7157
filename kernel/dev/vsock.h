/* SPDX-License-Identifier: ISC */
/*
 * vsock.h - packets between this machine and its host, as a driver carries
 * them.  Virtio 1.2, 5.10.6.
 *
 * There is one carrier at a time, the first that arrives.  The floor above
 * registers itself once as the consumer; no driver names it.
 */
#ifndef DEV_VSOCK_H
#define DEV_VSOCK_H

#include "kern/types.h"
#include <linux/virtio_vsock.h>

#define VSOCK_DATA_MAX 4096u /* bytes of data in a packet that is sent */

struct vsock_carrier_ops {
	/*
	 * Sends a packet; all of it is copied.  Any context; the consumer's
	 * lock may be held.
	 *   -EAGAIN  no room: room() follows;  -ENODEV  gone
	 */
	int (*send)(void *arg, const struct virtio_vsock_hdr *h,
	    const void *data);
};

struct vsock_carrier { /* the driver's, in place until departure */
	const struct vsock_carrier_ops *ops;
	void *arg;
};

/* Any context but arrive and depart, which may sleep.  No lock held. */
struct vsock_consumer {
	void (*arrive)(struct vsock_carrier *c, uint32_t cid);
	void (*depart)(struct vsock_carrier *c);
	/* h->len bytes of data are there, as the driver has checked. */
	void (*input)(const struct virtio_vsock_hdr *h, const void *data);
	void (*room)(void);
	/* All connections are lost; the machine's number may be another. */
	void (*reset)(uint32_t cid);
};

/* At boot, before drivers attach. */
void vsock_set_consumer(const struct vsock_consumer *consumer);

/* A carrier is there.  -EBUSY: there is another; -EOPNOTSUPP */
int vsock_arrive(struct vsock_carrier *c, uint32_t cid);
/* It is gone: send() says so by now.  Harmless for one that never arrived. */
void vsock_depart(struct vsock_carrier *c);
/* What the device brings, for the carrier's own driver. */
void vsock_input(const struct virtio_vsock_hdr *h, const void *data);
void vsock_room(void);
void vsock_reset(uint32_t cid);

#endif
