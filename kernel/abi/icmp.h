/* SPDX-License-Identifier: ISC */
/*
 * icmp.h - ICMP's messages (RFC 792) and raw sockets' filters of them.
 * linux/icmp.h cannot be had without the C library's sockets.
 */
#ifndef ABI_ICMP_H
#define ABI_ICMP_H

#define ICMP_DEST_UNREACH  3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12

#define ICMP_FILTER   1 /* option of SOL_RAW */
#define ICMPV6_FILTER 1 /* option of SOL_ICMPV6 */

#endif
