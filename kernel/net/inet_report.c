/* SPDX-License-Identifier: ISC */
/*
 * inet_report.c - reads what ICMP reports.  RFC 792, RFC 1122 3.2.2; RFC 4443.
 */
#include "net/inet_error.h"
#include "abi/icmp.h"
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

#define IP6_HEADER  40u
#define ICMP_HEADER 8u

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* ------------------------------------------------------------------- IPv4 -- */

/* The length of a header that begins there; 0: none. */
static unsigned
header_len(const uint8_t *p, unsigned len)
{
	unsigned n;

	if (len < 20 || p[0] >> 4 != 4)
		return 0;
	n = (p[0] & 0xfu) * 4;
	return n < 20 || n > len ? 0 : n;
}

/* ip(7) and icmp(7): which errno a code is, and whether it is final. */
static bool
meaning(const uint8_t *icmp, struct inet_report *r)
{
	static const struct {
		uint8_t error;
		bool hard;
	} unreachable[] = {
		{ ENETUNREACH, false },
		{ EHOSTUNREACH, false },
		{ ENOPROTOOPT, true },
		{ ECONNREFUSED, true },
		{ EMSGSIZE, false },
		{ EOPNOTSUPP, false },
		{ ENETUNREACH, true },
		{ EHOSTDOWN, true },
		{ ENONET, true },
		{ ENETUNREACH, true },
		{ EHOSTUNREACH, true },
		{ ENETUNREACH, false },
		{ EHOSTUNREACH, false },
		{ EHOSTUNREACH, true },
		{ EHOSTUNREACH, true },
		{ EHOSTUNREACH, true },
	};

	r->type = icmp[0];
	r->code = icmp[1];
	switch (r->type) {
	case ICMP_DEST_UNREACH:
		if (r->code >= ARRAY_SIZE(unreachable))
			return false;
		r->error = unreachable[r->code].error;
		r->hard = unreachable[r->code].hard;
		if (r->code == ICMP_FRAG_NEEDED)
			r->info = get16(icmp + 6);
		return true;
	case ICMP_TIME_EXCEEDED:
		r->error = EHOSTUNREACH;
		return r->code == 0; /* 1: of fragments, of no use here */
	case ICMP_PARAMETERPROB:
		r->error = EPROTO;
		r->hard = true;
		r->info = icmp[4];
		return true;
	default: return false;
	}
}

/* What of the header behind IP's the quoted packet still has. */
static bool
read_upper(const uint8_t *packet, struct inet_report *r)
{
	const uint8_t *at = packet + r->upper_at;
	unsigned len = r->end - r->upper_at;
	bool echo = r->protocol == (r->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	if (len < 4)
		return false;
	r->from_port = (uint16_t)get16(at);
	r->to_port = (uint16_t)get16(at + 2);
	if (len < 8)
		return r->protocol != IPPROTO_TCP && !echo;
	r->seq = get32(at + 4);
	if (echo) {
		r->to_port = 0;
		r->from_port = 0;
		if (at[0] == (r->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO))
			r->from_port = (uint16_t)get16(at + 4);
	}
	return true;
}

bool
inet_report_parse(const uint8_t *packet, unsigned len, struct inet_report *r)
{
	unsigned outer = header_len(packet, len), inner;
	const uint8_t *ip;

	*r = (struct inet_report){ .icmp_at = outer };
	if (outer == 0 || packet[9] != IPPROTO_ICMP)
		return false;
	len = MIN(len, get16(packet + 2));
	r->quote_at = outer + ICMP_HEADER;
	r->end = len;
	/* Of a fragment the rest may still be missing. */
	if (len < r->quote_at || (get16(packet + 6) & 0x3fff) != 0 ||
	    !meaning(packet + outer, r))
		return false;
	ip = packet + r->quote_at;
	inner = header_len(ip, len - r->quote_at);
	/* A fragment that is not the first has no header. */
	if (inner == 0 || (get16(ip + 6) & 0x1fff) != 0)
		return false;
	r->protocol = ip[9];
	__builtin_memcpy(r->from, ip + 12, 4);
	__builtin_memcpy(r->to, ip + 16, 4);
	r->upper_at = r->quote_at + inner;
	return read_upper(packet, r);
}

/* ------------------------------------------------------------------- IPv6 -- */

static bool
meaning6(const uint8_t *icmp, struct inet_report *r)
{
	static const struct {
		uint8_t error;
		bool hard;
	} unreachable[] = {
		{ ENETUNREACH, false },
		{ EACCES, true },
		{ EHOSTUNREACH, false },
		{ EHOSTUNREACH, false },
		{ ECONNREFUSED, true },
		{ EACCES, true },
		{ EACCES, true },
	};

	r->type = icmp[0];
	r->code = icmp[1];
	r->info = get32(icmp + 4);
	r->hard = true;
	switch (r->type) {
	case ICMP6_UNREACHABLE:
		r->error = EPROTO;
		if (r->code < ARRAY_SIZE(unreachable)) {
			r->error = unreachable[r->code].error;
			r->hard = unreachable[r->code].hard;
		}
		return true;
	case ICMP6_TOO_BIG:
		r->error = EMSGSIZE;
		r->hard = false;
		return true;
	case ICMP6_TIME_EXCEEDED:
		r->error = EHOSTUNREACH;
		r->hard = false;
		return true;
	case ICMP6_PARAMETER: r->error = EPROTO; return true;
	default: return false;
	}
}

/* Past the headers that may stand before TCP's and the like. */
static bool
skip_headers(const uint8_t *packet, struct inet_report *r)
{
	const uint8_t *h;
	unsigned n;

	for (;;) {
		h = packet + r->upper_at;
		switch (r->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_FRAGMENT: break;
		default: return true;
		}
		if (r->upper_at + 8 > r->end)
			return false;
		n = 8;
		if (r->protocol != IPPROTO_FRAGMENT)
			n *= h[1] + 1u;
		else if (get16(h + 2) >> 3 != 0)
			return false;
		if (r->upper_at + n > r->end)
			return false;
		r->protocol = h[0];
		r->upper_at += n;
	}
}

bool
inet_report_parse6(const uint8_t *packet, unsigned len, unsigned icmp_at,
    struct inet_report *r)
{
	const uint8_t *ip;

	*r = (struct inet_report){ .v6 = true,
		.icmp_at = icmp_at,
		.quote_at = icmp_at + ICMP_HEADER };
	if (len < IP6_HEADER || icmp_at < IP6_HEADER)
		return false;
	r->end = MIN(len, IP6_HEADER + get16(packet + 4));
	if (r->end < r->quote_at + IP6_HEADER || !meaning6(packet + icmp_at, r))
		return false;
	ip = packet + r->quote_at;
	if (ip[0] >> 4 != 6)
		return false;
	__builtin_memcpy(r->from, ip + 8, 16);
	__builtin_memcpy(r->to, ip + 24, 16);
	r->protocol = ip[6];
	r->upper_at = r->quote_at + IP6_HEADER;
	return skip_headers(packet, r) && read_upper(packet, r);
}
