/* SPDX-License-Identifier: ISC */
/*
 * bpf.h - filters that programs attach to sockets: the classic BPF machine,
 * with Linux's extensions.  linux/filter.h, socket(7) SO_ATTACH_FILTER.
 * Context: any; nothing here sleeps or allocates.
 */
#ifndef NET_BPF_H
#define NET_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* What a filter may ask of a packet beside its bytes. */
struct bpf_packet {
	/*
	 * Copies n (1, 2, 4) bytes from `off` on, counted from the packet's
	 * first byte; false: they are not all there.
	 */
	bool (*read)(const void *arg, uint32_t off, void *to, unsigned n);
	const void *arg;
	uint32_t begin;    /* where the filter's own count begins */
	uint32_t net;      /* where the network header is */
	uint32_t len;      /* bytes behind `begin` */
	uint16_t protocol; /* ETH_P_*, host order */
	uint8_t type;      /* PACKET_* */
	uint32_t if_index;
	uint16_t hatype; /* ARPHRD_* */
	uint32_t cpu;
	uint32_t (*random)(void);
};

/*
 * Whether it is a filter: known instructions, jumps forward and inside, no
 * division by a constant zero, an end that cannot be missed.  Only such ones
 * may be run.  -EINVAL
 */
int bpf_check(const struct sock_filter *insn, unsigned n);

/*
 * How many of the packet's bytes the filter wants, 0: it is not wanted.  A
 * read beyond the packet, or a division by zero, is a 0.  Scratch memory is
 * zeroed at the start.
 */
uint32_t
bpf_run(const struct sock_filter *insn, const struct bpf_packet *packet);

#endif
