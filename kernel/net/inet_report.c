/* SPDX-License-Identifier: ISC */
/* inet_report.c - reads what ICMP reports.  RFC 792, RFC 1122 3.2.2. */
#include "net/inet_error.h"
#include "abi/icmp.h"
#include <linux/errno.h>
#include <linux/in.h>

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32_raw(const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

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
meaning(unsigned type, unsigned code, struct inet_report *r)
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

	if (type == ICMP_DEST_UNREACH && code < 16) {
		r->error = unreachable[code].error;
		r->hard = unreachable[code].hard;
		return true;
	}
	r->hard = type == ICMP_PARAMETERPROB;
	r->error = type == ICMP_PARAMETERPROB ? EPROTO : EHOSTUNREACH;
	return type == ICMP_PARAMETERPROB || type == ICMP_TIME_EXCEEDED;
}

bool
inet_report_parse(const uint8_t *packet, unsigned len, struct inet_report *r)
{
	unsigned outer = header_len(packet, len), inner;
	const uint8_t *icmp, *ip;

	if (outer == 0 || packet[9] != IPPROTO_ICMP || len < outer + 8)
		return false;
	/* A fragment that is not the first has no header. */
	if ((get16(packet + 6) & 0x1fff) != 0)
		return false;
	icmp = packet + outer;
	if (!meaning(icmp[0], icmp[1], r))
		return false;
	ip = icmp + 8;
	len -= outer + 8;
	inner = header_len(ip, len);
	if (inner == 0 || len < inner + 4)
		return false;
	r->protocol = ip[9];
	r->from = get32_raw(ip + 12);
	r->to = get32_raw(ip + 16);
	r->from_port = (uint16_t)get16(ip + inner);
	r->to_port = (uint16_t)get16(ip + inner + 2);
	return true;
}
