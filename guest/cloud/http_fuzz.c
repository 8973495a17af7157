/* SPDX-License-Identifier: ISC */
/* http_fuzz.c - answers of a metadata service, in pieces of any size. */
/* unit: guest/cloud/http.c guest/cloud/mem.c guest/cloud/say.c */
#include "guest/cloud/http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pieces' size is the first byte; it must not change what comes out. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_answer a, b;
	const char *text = (const char *)data + 1;
	size_t step, n = size - 1;
	int whole, error = 0;

	if (size < 2)
		return 0;
	step = 1u + data[0];
	http_init(&a);
	http_init(&b);
	whole = http_feed(&a, text, n);
	for (size_t i = 0; i < n && error == 0; i += step)
		error = http_feed(&b, text + i, n - i < step ? n - i : step);
	if (whole != error && !(whole < 0 && error < 0))
		abort();
	if (whole == 0 && http_end(&a) != http_end(&b))
		abort();
	if (whole >= 0 &&
	    (a.status != b.status || a.body.len != b.body.len ||
		memcmp(buf_text(&a.body), buf_text(&b.body), a.body.len) != 0))
		abort();
	http_fini(&a);
	http_fini(&b);
	return 0;
}
