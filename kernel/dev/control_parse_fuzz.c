/* SPDX-License-Identifier: ISC */
/* unit: kernel/dev/control_parse.c */
/* control_parse_fuzz.c - any bytes on the control channel. */
#include <stdlib.h>

#include "dev/control_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_parser p = { 0 };
	struct control_message m;
	enum control_kind kind;
	size_t i;

	for (i = 0; i < size; i++) {
		kind = control_feed(&p, data[i], &m);
		if (p.len >= CONTROL_LINE)
			abort();
		if (kind == CONTROL_SIGNAL && (m.signo < 1 || m.signo > 64))
			abort();
	}
	return 0;
}
