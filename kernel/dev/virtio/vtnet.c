/* SPDX-License-Identifier: ISC */
/*
 * vtnet.c - virtio network cards: what they say of themselves, how they come
 * and go.  Virtio 1.2, 5.1.
 * Owns the queues with their slots and the card; what a packet is, is the
 * floor's above.  Received packets lie in struct nic_buf's that are handed up;
 * sent ones are not touched.  Transmit queues interrupt only when they were
 * full.
 */
#include "dev/virtio/vtnet.h"
#include "bus/device.h"
#include "dev/drivers.h"
#include "kern/log.h"
#include "kern/random.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/virtio_ids.h>

#define NPAIR_MAX 32u /* that a device may have, for MQ */
#define BIT(name) VIRTIO_BIT(VIRTIO_NET_F_##name)
#define FEATURES                                                             \
	(BIT(CSUM) | BIT(GUEST_CSUM) | BIT(MTU) | BIT(MAC) | BIT(GSO) |      \
	    BIT(GUEST_TSO4) | BIT(GUEST_TSO6) | BIT(GUEST_ECN) |             \
	    BIT(HOST_TSO4) | BIT(HOST_TSO6) | BIT(MRG_RXBUF) | BIT(STATUS) | \
	    BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(MQ) | BIT(CTRL_MAC_ADDR) |     \
	    BIT(SPEED_DUPLEX))
#define CONFIG(field) offsetof(struct virtio_net_config, field)

void
vtnet_tell(struct vtnet_softc *sc)
{
	struct nic *nic = __atomic_load_n(&sc->nic, __ATOMIC_ACQUIRE);

	if (nic != NULL)
		nic_ready(nic);
}

/* -------------------------------------------------------- configuration -- */

struct vtnet_config {
	uint8_t mac[NIC_MAC_LEN];
	uint16_t status, max_pairs, mtu;
	uint32_t speed;
};

/* Only what was agreed on is there (5.1.4). */
static void
read_config(struct virtio_device *vd, void *arg)
{
	struct vtnet_config *c = arg;
	unsigned i;

	for (i = 0; virtio_has(vd, VIRTIO_NET_F_MAC) && i < NIC_MAC_LEN; i++)
		c->mac[i] = virtio_config8(vd, CONFIG(mac) + i);
	if (virtio_has(vd, VIRTIO_NET_F_STATUS))
		c->status = virtio_config16(vd, CONFIG(status));
	if (virtio_has(vd, VIRTIO_NET_F_MQ))
		c->max_pairs = virtio_config16(vd, CONFIG(max_virtqueue_pairs));
	if (virtio_has(vd, VIRTIO_NET_F_MTU))
		c->mtu = virtio_config16(vd, CONFIG(mtu));
	if (virtio_has(vd, VIRTIO_NET_F_SPEED_DUPLEX))
		c->speed = virtio_config32(vd, CONFIG(speed));
}

/* One that nobody has given: any, but local and of one station. */
static void
check_mac(struct vtnet_config *c)
{
	static const uint8_t none[NIC_MAC_LEN];

	if ((c->mac[0] & 1) == 0 && memcmp(c->mac, none, NIC_MAC_LEN) != 0)
		return;
	random_bytes(c->mac, NIC_MAC_LEN);
	c->mac[0] = (c->mac[0] & 0xfc) | 2;
}

int
vtnet_bad_config(struct vtnet_softc *sc, const char *what, uint32_t value)
{
	log_warn("%s: %s of %u makes no sense", device_name(sc->vd->dev), what,
	    value);
	return -EINVAL;
}

/* Frames that a single buffer holds, where packets cannot have several. */
static uint32_t
mtu_limit(const struct vtnet_softc *sc)
{
	return sc->merge ? NIC_MTU_MAX :
			   NIC_BUF_SIZE - sc->hdr_len - NIC_HEAD - 4u;
}

static int
configure(struct vtnet_softc *sc)
{
	struct virtio_device *vd = sc->vd;
	struct vtnet_config c = { .status = VIRTIO_NET_S_LINK_UP,
		.max_pairs = 1,
		.mtu = 1500 };
	struct nic_info *info = &sc->info;
	int error = virtio_config(vd, read_config, &c);

	if (error != 0)
		return error;
	if (c.mtu < NIC_MTU_MIN)
		return vtnet_bad_config(sc, "MTU", c.mtu);
	if (c.max_pairs == 0 || c.max_pairs > VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX)
		return vtnet_bad_config(sc, "number of queue pairs",
		    c.max_pairs);
	check_mac(&c);
	memcpy(info->mac, c.mac, NIC_MAC_LEN);
	info->mtu = MIN(c.mtu, mtu_limit(sc));
	info->link = (c.status & VIRTIO_NET_S_LINK_UP) != 0;
	info->speed = c.speed <= INT32_MAX ? c.speed : 0;
	info->driver = "virtio_net";
	info->tx_runs = TX_RUNS;
	info->tx_csum = virtio_has(vd, VIRTIO_NET_F_CSUM);
	info->tso4 = virtio_has(vd, VIRTIO_NET_F_HOST_TSO4) ||
	    virtio_has(vd, VIRTIO_NET_F_GSO);
	info->tso6 = virtio_has(vd, VIRTIO_NET_F_HOST_TSO6) ||
	    virtio_has(vd, VIRTIO_NET_F_GSO);
	info->filters = virtio_has(vd, VIRTIO_NET_F_CTRL_RX);
	info->can_set_mac = virtio_has(vd, VIRTIO_NET_F_CTRL_MAC_ADDR);
	sc->npairs = MIN(MIN(c.max_pairs, NPAIR), cpu_count());
	sc->ctrl_index = 2u * c.max_pairs;
	return 0;
}

static void
read_status(struct virtio_device *vd, void *arg)
{
	*(uint16_t *)arg = virtio_config16(vd, CONFIG(status));
}

static void
vtnet_changed(void *arg)
{
	struct vtnet_softc *sc = arg;
	struct nic *nic = __atomic_load_n(&sc->nic, __ATOMIC_ACQUIRE);
	uint16_t status;

	if (nic != NULL && virtio_has(sc->vd, VIRTIO_NET_F_STATUS) &&
	    virtio_config(sc->vd, read_status, &status) == 0)
		nic_link(nic, (status & VIRTIO_NET_S_LINK_UP) != 0);
}

/*
 * What is worth asking for, of what there is: each feature with those that it
 * needs (5.1.3.1), and large packets only into several buffers.
 */
static uint64_t
features_wanted(uint64_t offers, unsigned pairs)
{
	uint64_t want = FEATURES & offers;

	if ((want & BIT(CSUM)) == 0)
		want &= ~(BIT(HOST_TSO4) | BIT(HOST_TSO6) | BIT(GSO));
	if ((want & BIT(GUEST_CSUM)) == 0 || (want & BIT(MRG_RXBUF)) == 0)
		want &= ~(BIT(GUEST_TSO4) | BIT(GUEST_TSO6));
	if ((want & (BIT(GUEST_TSO4) | BIT(GUEST_TSO6))) == 0)
		want &= ~BIT(GUEST_ECN);
	if (pairs < 2 || pairs > NPAIR_MAX || cpu_count() == 1)
		want &= ~BIT(MQ);
	if ((want & BIT(CTRL_VQ)) == 0)
		want &= ~(BIT(CTRL_RX) | BIT(MQ) | BIT(CTRL_MAC_ADDR));
	return want;
}

static int
negotiate(struct vtnet_softc *sc)
{
	struct virtio_device *vd = sc->vd;
	uint64_t offers = virtio_offers(vd), want;
	unsigned pairs = 1;
	int error;

	if ((offers & BIT(MQ)) != 0)
		pairs = virtio_config16(vd, CONFIG(max_virtqueue_pairs));
	want = features_wanted(offers, pairs);
	error = virtio_negotiate(vd, want,
	    (want & BIT(MQ)) != 0 ? 2 * pairs + 1 : 3);
	sc->merge = virtio_has(vd, VIRTIO_NET_F_MRG_RXBUF);
	sc->rx_csum = virtio_has(vd, VIRTIO_NET_F_GUEST_CSUM);
	sc->hdr_len = sc->merge || !vd->legacy ? HDR_MAX :
						 sizeof(struct virtio_net_hdr);
	return error;
}

/* -------------------------------------------------------- attach, detach -- */

static int
make_queues(struct vtnet_softc *sc)
{
	unsigned i;
	int error = 0;

	for (i = 0; i < sc->npairs && error == 0; i++) {
		error = vtnet_rx_make(sc, i);
		if (error == 0)
			error = vtnet_tx_make(sc, i);
	}
	sc->info.nqueues = sc->npairs;
	return error == 0 ? vtnet_ctrl_make(sc) : error;
}

/* Every step accepts a softc that is half built. */
static void
vtnet_detach(struct device *dev, enum detach_kind kind)
{
	struct vtnet_softc *sc = device_softc(dev);
	unsigned i;
	bool quiet;

	/* 1. nothing new, and nobody waits for a command's answer */
	__atomic_store_n(&sc->gone, true, __ATOMIC_RELEASE);
	waitq_wake_all(&sc->ctrl_wq);
	/* 2. no DMA, and no handler runs any more */
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE);
	nic_depart(sc->nic); /* 3. every packet done, nobody inside */
	sc->nic = NULL;
	for (i = 0; i < NPAIR; i++) { /* 4. what it may write is kept aside */
		vtnet_rx_free(&sc->rx[i], quiet);
		vtnet_tx_free(&sc->tx[i], quiet);
	}
	dma_mem_free(&sc->ctrl_mem, quiet);
	virtqueue_destroy(sc->ctrl, quiet);
}

/* How many pairs there are; and group addresses, but not all of the world. */
static int
set_up(struct vtnet_softc *sc)
{
	uint16_t pairs = sc->npairs;
	int error = 0;

	if (virtio_has(sc->vd, VIRTIO_NET_F_MQ))
		error = vtnet_command(sc, VIRTIO_NET_CTRL_MQ,
		    VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, sizeof(pairs));
	if (error == 0 && sc->info.filters)
		error = vtnet_set_filter(sc, false, true);
	if (error == -EIO && !virtio_is_broken(sc->vd)) {
		log_warn("%s: refuses its settings, goes on without",
		    device_name(sc->vd->dev));
		error = 0;
	}
	return error;
}

static int
vtnet_start(void *arg)
{
	struct vtnet_softc *sc = arg;
	unsigned i;
	int error = 0;

	for (i = 0; i < sc->npairs && error == 0; i++) {
		error = vtnet_tx_start(sc, &sc->tx[i]);
		if (error == 0)
			error = vtnet_rx_start(sc, &sc->rx[i]);
	}
	return error == 0 ? set_up(sc) : error;
}

static const struct nic_ops vtnet_ops = {
	.start = vtnet_start,
	.receive = vtnet_receive,
	.transmit = vtnet_transmit,
	.kick = vtnet_kick,
	.reap = vtnet_reap,
	.set_filter = vtnet_set_filter,
	.set_mac = vtnet_set_mac,
};

static void
announce(struct vtnet_softc *sc, struct device *dev)
{
	const struct nic_info *info = &sc->info;
	const uint8_t *m = info->mac;

	device_announce(dev,
	    "address %02x:%02x:%02x:%02x:%02x:%02x, MTU %u%s%s%s", m[0], m[1],
	    m[2], m[3], m[4], m[5], info->mtu,
	    info->tx_csum ? ", checksums" : "",
	    info->tso4 || info->tso6 ? ", segmentation" : "",
	    info->link ? "" : ", no link");
}

static int
vtnet_attach(struct device *dev)
{
	struct vtnet_softc *sc = device_softc(dev);
	unsigned i;
	int error;

	sc->vd = virtio_device_of(dev);
	for (i = 0; i < NPAIR; i++) {
		spin_init(&sc->rx[i].lock);
		spin_init(&sc->tx[i].lock);
	}
	spin_init(&sc->ctrl_lock);
	waitq_init(&sc->ctrl_wq);
	error = negotiate(sc);
	if (error == 0)
		error = configure(sc);
	if (error == 0)
		error = make_queues(sc);
	if (error == 0) {
		virtio_on_change(sc->vd, vtnet_changed, sc);
		announce(sc, dev);
		virtio_driver_ok(sc->vd);
		error = nic_arrive(dev, &vtnet_ops, sc, &sc->info, &sc->nic);
	}
	if (error != 0)
		vtnet_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id vtnet_ids[] = { { .device = VIRTIO_ID_NET },
	{ 0 } };

const struct driver vtnet_driver = {
	.name = "vtnet",
	.bus = "virtio",
	.softc_size = sizeof(struct vtnet_softc),
	.ids = vtnet_ids,
	.attach = vtnet_attach,
	.detach = vtnet_detach,
};
