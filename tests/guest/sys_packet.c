/* SPDX-License-Identifier: ISC */
/*
 * sys_packet.c - AF_PACKET on the loopback: whole frames, filters, and rings of
 * frames in shared memory, versions 1 to 3.  packet(7), packet_mmap.rst.
 */
#include "check.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define BLOCK 8192u
#define FRAME 2048u
#define COUNT 4u /* frames, or for version 3 blocks */

static int lo;
static uint16_t port; /* this process's own, also where others are tested */

static void
take_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_RET(bind(fd, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(getsockname(fd, (void *)&sin, &len), 0);
	port = ntohs(sin.sin_port); /* and fd stays open */
}

static void
say(const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_RET(sendto(fd, text, strlen(text), 0, (void *)&to, sizeof(to)),
	    (long)strlen(text));
	close(fd);
}

/* Only datagrams to `port` that come in, and `keep` bytes of them. */
static int
filter(int fd, unsigned keep, unsigned skip)
{
	struct sock_filter insn[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE) },
		{ BPF_JMP | BPF_JEQ | BPF_K, 6, 0, PACKET_OUTGOING },
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 23 - skip },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 4, IPPROTO_UDP },
		{ BPF_LDX | BPF_B | BPF_MSH, 0, 0, 14 - skip },
		{ BPF_LD | BPF_H | BPF_IND, 0, 0, 16 - skip },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, port },
		{ BPF_RET | BPF_K, 0, 0, keep },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};
	struct sock_fprog prog = { 9, insn };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog));
}

static int
packet_socket(int type)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = lo };
	int fd = socket(AF_PACKET, type, 0);

	CHECK(fd >= 0);
	CHECK_RET(filter(fd, 0xffff, type == SOCK_DGRAM ? 14 : 0), 0);
	CHECK_RET(bind(fd, (void *)&ll, sizeof(ll)), 0);
	return fd;
}

static void
await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK_RET(poll(&p, 1, -1), 1);
	CHECK_RET(p.revents, POLLIN);
}

static void
whole_frames(void)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	char buf[200];
	int fd = packet_socket(SOCK_RAW);

	say("fish");
	CHECK_RET(recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len), 46);
	CHECK_RET(memcmp(buf, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45", 15), 0);
	CHECK_RET(memcmp(buf + 42, "fish", 4), 0);
	CHECK_RET(from.sll_ifindex, lo);
	CHECK_RET(from.sll_pkttype, PACKET_HOST);
	CHECK_RET(from.sll_hatype, 772);
	CHECK_RET(from.sll_protocol, htons(ETH_P_IP));
	CHECK_ERR(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	say("octopus");
	CHECK_RET(recv(fd, buf, 20, MSG_TRUNC), 49);
	close(fd);
	fd = packet_socket(SOCK_DGRAM);
	say("fish");
	CHECK_RET(recv(fd, buf, sizeof(buf), 0), 32);
	CHECK_RET(buf[0], 0x45);
	close(fd);
}

static void
filters(void)
{
	struct sock_filter bad = { BPF_JMP | BPF_JA, 0, 0, 9 };
	struct sock_fprog prog = { 1, &bad };
	int fd = packet_socket(SOCK_RAW), one = 1;
	char buf[100];

	CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
		      sizeof(prog)),
	    EINVAL);
	prog.len = 0;
	CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
		      sizeof(prog)),
	    EINVAL);
	prog = (struct sock_fprog){ 1, (void *)1 };
	CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
		      sizeof(prog)),
	    EFAULT);
	CHECK_RET(filter(fd, 30, 0), 0);
	say("fish");
	CHECK_RET(recv(fd, buf, sizeof(buf), MSG_TRUNC), 30);
	CHECK_RET(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one,
		      sizeof(one)),
	    0);
	CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one,
		      sizeof(one)),
	    ENOENT);
	CHECK_RET(filter(fd, 30, 0), 0);
	CHECK_RET(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)),
	    0);
	CHECK_ERR(filter(fd, 40, 0), EPERM);
	close(fd);
}

static int
ring(int version, unsigned frames, void **map)
{
	struct tpacket_req3 req = { .tp_block_size = BLOCK,
		.tp_frame_size = FRAME,
		.tp_block_nr = frames / (BLOCK / FRAME),
		.tp_frame_nr = frames,
		.tp_retire_blk_tov = 20 };
	socklen_t size = version == TPACKET_V3 ? sizeof(req) :
						 sizeof(struct tpacket_req);
	int fd = packet_socket(SOCK_RAW);

	CHECK_RET(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version,
		      sizeof(version)),
	    0);
	CHECK_RET(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, size), 0);
	CHECK_ERR(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version,
		      sizeof(version)),
	    EBUSY);
	*map = mmap(NULL, (size_t)req.tp_block_nr * BLOCK,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(*map != MAP_FAILED);
	return fd;
}

/* A slot of version 1 or 2: the frame in it, and what is left when full. */
static void
slots(int version)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);
	volatile uint32_t *status;
	uint8_t *map;
	unsigned i, mac;
	int fd = ring(version, COUNT, (void **)&map);

	for (i = 0; i < COUNT + 2; i++) /* two more than there is room for */
		say("fish");
	await(fd);
	for (i = 0; i < COUNT; i++) {
		status = (void *)(map + i * FRAME);
		CHECK_RET(*status & TP_STATUS_USER, TP_STATUS_USER);
		mac = version == TPACKET_V1 ?
		    ((struct tpacket_hdr *)(map + i * FRAME))->tp_mac :
		    ((struct tpacket2_hdr *)(map + i * FRAME))->tp_mac;
		CHECK_RET(memcmp(map + i * FRAME + mac + 42, "fish", 4), 0);
		*status = TP_STATUS_KERNEL;
	}
	say("whale");
	await(fd);
	status = (void *)map;
	CHECK_RET(*status & TP_STATUS_LOSING, TP_STATUS_LOSING);
	CHECK_RET(memcmp(map + mac + 42, "whale", 5), 0);
	CHECK_RET(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len),
	    0);
	CHECK_RET(stats.tp_packets, COUNT + 3);
	CHECK_RET(stats.tp_drops, 2);
	CHECK_RET(munmap(map, COUNT * FRAME), 0);
	close(fd);
}

static void
blocks(void)
{
	struct tpacket_block_desc *d;
	struct tpacket3_hdr *h;
	uint8_t *map;
	unsigned i;
	int fd = ring(TPACKET_V3, COUNT * BLOCK / FRAME, (void **)&map);

	for (i = 0; i < 3; i++) {
		say("fish");
		await(fd);
		d = (void *)(map + i * BLOCK);
		CHECK_RET(d->hdr.bh1.block_status,
		    TP_STATUS_USER | TP_STATUS_BLK_TMO);
		CHECK_RET(d->version, TPACKET_V3);
		CHECK_RET(d->hdr.bh1.num_pkts, 1);
		CHECK_RET(d->hdr.bh1.offset_to_first_pkt, 48);
		CHECK_RET((long)d->hdr.bh1.seq_num, i + 1);
		h = (void *)((uint8_t *)d + 48);
		CHECK_RET(h->tp_next_offset, 0);
		CHECK_RET(h->tp_snaplen, 46);
		CHECK_RET(h->tp_len, 46);
		CHECK_RET(memcmp((uint8_t *)h + h->tp_mac + 42, "fish", 4), 0);
		d->hdr.bh1.block_status = TP_STATUS_KERNEL;
	}
	close(fd); /* the mapping holds the memory */
	CHECK_RET(d->version, TPACKET_V3);
	CHECK_RET(munmap(map, COUNT * BLOCK), 0);
}

static void
refused(void)
{
	struct tpacket_req req = { BLOCK, 1, FRAME, BLOCK / FRAME };
	int fd = packet_socket(SOCK_RAW), n = 7;
	socklen_t len = sizeof(n);

	CHECK_ERR((long)mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, fd, 0),
	    EINVAL);
	CHECK_ERR(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &n, sizeof(n)),
	    EINVAL);
	CHECK_ERR(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &n, &len), EINVAL);
	n = TPACKET_V2;
	CHECK_RET(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &n, &len), 0);
	CHECK_RET(n, (long)sizeof(struct tpacket2_hdr));
	req.tp_block_size = BLOCK + 1;
	CHECK_ERR(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)),
	    EINVAL);
	req = (struct tpacket_req){ BLOCK, 1, FRAME, 3 };
	CHECK_ERR(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)),
	    EINVAL);
	req = (struct tpacket_req){ BLOCK, 1, FRAME + 1, 3 };
	CHECK_ERR(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)),
	    EINVAL);
	close(fd);
}

int
main(void)
{
	lo = (int)if_nametoindex("lo");
	CHECK(lo > 0);
	take_port();
	whole_frames();
	filters();
	slots(TPACKET_V1);
	slots(TPACKET_V2);
	blocks();
	refused();
	return check_done();
}
