/* SPDX-License-Identifier: ISC */
/*
 * vtnet_ctrl.c - virtio network cards: commands.  Virtio 1.2, 5.1.6.5.
 * One at a time, its memory the device's until it has answered.
 */
#include "dev/virtio/vtnet.h"
#include "bus/device.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>

#define CTRL_NS    (5 * NSEC_PER_SEC) /* for a command's answer */
#define ACK_PRESET 0xff

static void
vtnet_ctrl_intr(void *arg)
{
	struct vtnet_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->ctrl_lock);
	uint32_t len;

	do {
		if (virtqueue_pop(sc->ctrl, &len) != NULL)
			sc->ctrl_done = true;
	} while (!virtqueue_intr_on(sc->ctrl));
	spin_unlock_irq(&sc->ctrl_lock, state);
	waitq_wake_all(&sc->ctrl_wq);
}

static bool
flag_is(struct vtnet_softc *sc, const bool *flag)
{
	uint64_t state = spin_lock_irq(&sc->ctrl_lock);
	bool on = *flag;

	spin_unlock_irq(&sc->ctrl_lock, state);
	return on;
}

/* The command's turn: one at a time. */
static bool
take_ctrl(struct vtnet_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->ctrl_lock);
	bool mine = !sc->ctrl_busy;

	sc->ctrl_busy = true;
	spin_unlock_irq(&sc->ctrl_lock, state);
	return mine;
}

static void
leave_ctrl(struct vtnet_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->ctrl_lock);

	sc->ctrl_busy = false;
	spin_unlock_irq(&sc->ctrl_lock, state);
	waitq_wake_all(&sc->ctrl_wq);
}

static int
push_cmd(struct vtnet_softc *sc, unsigned len)
{
	busaddr_t at = sc->ctrl_mem.addr;
	struct dma_seg seg[3] = {
		{ at + offsetof(struct vtnet_cmd, head),
		    sizeof(struct virtio_net_ctrl_hdr) },
		{ at + offsetof(struct vtnet_cmd, data), len },
		{ at + offsetof(struct vtnet_cmd, ack), 1 },
	};
	uint64_t state = spin_lock_irq(&sc->ctrl_lock);
	int error;

	sc->ctrl_done = false;
	error = virtqueue_push(sc->ctrl, seg, 2, 1, sc);
	spin_unlock_irq(&sc->ctrl_lock, state);
	if (error == 0)
		virtqueue_kick(sc->ctrl);
	return error;
}

static int
run_cmd(struct vtnet_softc *sc, struct vtnet_cmd *cmd, unsigned len)
{
	int64_t deadline = clock_mono_ns() + CTRL_NS;
	int error = push_cmd(sc, len);

	if (error != 0)
		return error;
	error = wait_event_kind(&sc->ctrl_wq,
	    flag_is(sc, &sc->ctrl_done) || vtnet_is_gone(sc),
	    WAIT_UNINTERRUPTIBLE, deadline);
	if (vtnet_is_gone(sc))
		return -ENODEV;
	if (error != 0) { /* its memory is still the device's */
		virtio_broken(sc->vd, "no answer to a command for 5 s");
		return -EIO;
	}
	return *(volatile uint8_t *)&cmd->ack == VIRTIO_NET_OK ? 0 : -EIO;
}

/* One command with `len` bytes of data.  May sleep.  -EIO, -ENODEV */
int
vtnet_command(struct vtnet_softc *sc, uint8_t class, uint8_t cmd,
    const void *data, unsigned len)
{
	struct vtnet_cmd *c = sc->ctrl_mem.kva;
	int error;

	if (sc->ctrl == NULL)
		return -EOPNOTSUPP;
	wait_event(&sc->ctrl_wq, take_ctrl(sc));
	c->head = (struct virtio_net_ctrl_hdr){ class, cmd };
	c->ack = ACK_PRESET;
	memcpy(c->data, data, len);
	error = vtnet_is_gone(sc) || virtio_is_broken(sc->vd) ?
	    -ENODEV :
	    run_cmd(sc, c, len);
	leave_ctrl(sc);
	return error;
}

int
vtnet_set_filter(void *arg, bool promisc, bool allmulti)
{
	uint8_t on = promisc;
	int error = vtnet_command(arg, VIRTIO_NET_CTRL_RX,
	    VIRTIO_NET_CTRL_RX_PROMISC, &on, 1);

	on = allmulti;
	return error != 0 ? error :
			    vtnet_command(arg, VIRTIO_NET_CTRL_RX,
				VIRTIO_NET_CTRL_RX_ALLMULTI, &on, 1);
}

int
vtnet_set_mac(void *arg, const uint8_t mac[NIC_MAC_LEN])
{
	return vtnet_command(arg, VIRTIO_NET_CTRL_MAC,
	    VIRTIO_NET_CTRL_MAC_ADDR_SET, mac, NIC_MAC_LEN);
}

int
vtnet_ctrl_make(struct vtnet_softc *sc)
{
	struct virtqueue_spec spec = { .index = sc->ctrl_index,
		.max_size = 16,
		.max_chain = 3,
		.intr = vtnet_ctrl_intr,
		.arg = sc };
	int error;

	if (!virtio_has(sc->vd, VIRTIO_NET_F_CTRL_VQ))
		return 0;
	error = dma_mem_alloc(sc->vd->dma, sizeof(struct vtnet_cmd), PAGE_SIZE,
	    NULL, &sc->ctrl_mem);
	if (error == 0)
		error = virtqueue_create(sc->vd, &spec, &sc->ctrl);
	if (error == 0 && virtqueue_size(sc->ctrl) < 3)
		error = vtnet_bad_config(sc, "queue", virtqueue_size(sc->ctrl));
	return error;
}
