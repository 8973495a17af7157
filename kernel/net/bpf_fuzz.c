/* SPDX-License-Identifier: ISC */
/*
 * bpf_fuzz.c - any bytes as a filter, and the rest as the packet: what is taken
 * for a filter runs, ends, and reads nothing beyond the packet.
 */
/* unit: kernel/net/bpf.c */
#include "net/bpf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at;
	size_t len;
};

static bool
read_bytes(const void *arg, uint32_t off, void *to, unsigned n)
{
	const struct bytes *b = arg;

	if (off > b->len || n > b->len - off)
		abort(); /* bpf_run() knows the length */
	memcpy(to, b->at + off, n);
	return true;
}

static uint32_t
seven(void)
{
	return 7;
}

static void
run(const struct sock_filter *insn, const uint8_t *packet, size_t len,
    uint32_t begin)
{
	struct bytes b = { packet, len };
	struct bpf_packet p = { .read = read_bytes,
		.arg = &b,
		.begin = begin,
		.net = begin + 14,
		.len = (uint32_t)len - begin,
		.protocol = 0x800,
		.if_index = 1,
		.random = seven };

	(void)bpf_run(insn, &p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sock_filter *insn;
	unsigned n;

	if (size < 1)
		return 0;
	n = data[0];
	data++;
	size--;
	if (n * sizeof(*insn) > size)
		n = (unsigned)(size / sizeof(*insn));
	insn = malloc(n == 0 ? 1 : n * sizeof(*insn)); /* exactly so many */
	if (insn == NULL)
		abort();
	memcpy(insn, data, n * sizeof(*insn));
	data += n * sizeof(*insn);
	size -= n * sizeof(*insn);
	if (bpf_check(insn, n) == 0) {
		run(insn, data, size, 0);
		if (size >= 14)
			run(insn, data, size, 14);
	}
	free(insn);
	return 0;
}
