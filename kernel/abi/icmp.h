/* SPDX-License-Identifier: ISC */
/*
 * icmp.h - ICMP's messages (RFC 792, 4443) and raw sockets' filters of them.
 * linux/icmp.h cannot be had without the C library's sockets.
 */
#ifndef ABI_ICMP_H
#define ABI_ICMP_H

#define ICMP_ECHOREPLY     0
#define ICMP_DEST_UNREACH  3
#define ICMP_FRAG_NEEDED   4 /* code */
#define ICMP_ECHO          8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12

#define ICMP6_UNREACHABLE   1 /* RFC 4443 */
#define ICMP6_TOO_BIG       2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER     4
#define ICMP6_ECHO_REQUEST  128
#define ICMP6_ECHO_ANSWER   129

#define ICMP_FILTER   1 /* option of SOL_RAW */
#define ICMPV6_FILTER 1 /* option of SOL_ICMPV6 */

#endif
