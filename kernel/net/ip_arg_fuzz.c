/* SPDX-License-Identifier: ISC */
/* ip_arg_fuzz.c - any text as ip=, any bytes as an ICMP report. */
/* unit: kernel/net/ip_arg.c kernel/net/inet_report.c */
#include "net/inet_error.h"
#include "net/ip_arg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is behind each place is there. */
static void
check(const struct inet_report *r, unsigned len)
{
	if (r->end > len || r->upper_at + 4 > r->end ||
	    r->quote_at >= r->upper_at || r->icmp_at + 8 != r->quote_at ||
	    r->error <= 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inet_report r;
	struct ip_arg a;
	char *text = malloc(size + 1);
	uint8_t *packet = malloc(size == 0 ? 1 : size);

	if (text == NULL || packet == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (ip_arg_parse(text, &a) == 0 &&
	    (strlen(a.device) >= sizeof(a.device) ||
		strlen(a.hostname) >= sizeof(a.hostname)))
		abort();
	if (size > 0)
		memcpy(packet, data, size); /* exactly as long as it is */
	if (inet_report_parse(packet, (unsigned)size, &r))
		check(&r, (unsigned)size);
	if (size > 0 &&
	    inet_report_parse6(packet, (unsigned)size, packet[0], &r))
		check(&r, (unsigned)size);
	free(text);
	free(packet);
	return 0;
}
