/* SPDX-License-Identifier: ISC */
/*
 * netdevice.h - interfaces as ioctl(2) has them: netdevice(7), rtentry.
 * linux/if.h and linux/route.h cannot be had without the C library's sockets.
 */
#ifndef ABI_NETDEVICE_H
#define ABI_NETDEVICE_H

#include <stdint.h>

#define IFNAMSIZ 16

#define IFF_UP        0x1u
#define IFF_BROADCAST 0x2u
#define IFF_LOOPBACK  0x8u
#define IFF_RUNNING   0x40u
#define IFF_NOARP     0x80u
#define IFF_PROMISC   0x100u
#define IFF_ALLMULTI  0x200u
#define IFF_MULTICAST 0x1000u
#define IFF_LOWER_UP  0x10000u

#define ARPHRD_ETHER    1
#define ARPHRD_LOOPBACK 772

struct ifreq_sockaddr {
	uint16_t family;
	uint8_t data[14]; /* AF_INET: port, address; ARPHRD_*: address */
};

struct ifreq {
	char name[IFNAMSIZ];
	union {
		struct ifreq_sockaddr addr;
		int16_t flags;
		int32_t number; /* ifindex, metric, MTU, queue length */
		char newname[IFNAMSIZ];
		uint64_t data; /* of the program */
		struct {
			uint64_t mem_start, mem_end;
			uint16_t base_addr;
			uint8_t irq, dma, port;
		} map;
		uint8_t bytes[24];
	};
};
_Static_assert(sizeof(struct ifreq) == 40, "netdevice(7)");

struct ifconf {
	int32_t len;
	uint32_t pad;
	uint64_t req; /* of the program */
};

/* SIOCADDRT, SIOCDELRT */
struct rtentry {
	uint64_t pad1;
	struct ifreq_sockaddr dst, gateway, genmask;
	uint16_t flags;
	int16_t pad2;
	uint64_t pad3;
	uint8_t tos, class;
	int16_t pad4[3];
	int16_t metric;
	uint64_t dev; /* name, of the program */
	uint64_t mtu, window;
	uint16_t irtt;
};
_Static_assert(sizeof(struct rtentry) == 120, "struct rtentry");

#define RTF_UP      0x1u
#define RTF_GATEWAY 0x2u
#define RTF_HOST    0x4u
#define RTF_REJECT  0x200u
/* Of IPv6 */
#define RTF_DEFAULT   0x10000u
#define RTF_ADDRCONF  0x40000u
#define RTF_PREFIX_RT 0x80000u
#define RTF_NONEXTHOP 0x200000u
#define RTF_EXPIRES   0x400000u
#define RTF_LOCAL     0x80000000u

/* The same ioctls on sockets of AF_INET6 */
struct in6_rtmsg {
	uint32_t dst[4], src[4], gateway[4];
	uint32_t type;
	uint16_t dst_len, src_len;
	uint32_t metric;
	uint64_t info;
	uint32_t flags;
	int32_t if_index;
};
_Static_assert(sizeof(struct in6_rtmsg) == 80, "struct in6_rtmsg");

/* SIOCSIFADDR, SIOCDIFADDR there */
struct in6_ifreq {
	uint32_t addr[4];
	uint32_t plen;
	int32_t if_index;
};
_Static_assert(sizeof(struct in6_ifreq) == 24, "struct in6_ifreq");

#endif
