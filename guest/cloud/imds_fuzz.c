/* SPDX-License-Identifier: ISC */
/* imds_fuzz.c - a metadata service that answers anything. */
/* unit: guest/cloud/imds.c guest/cloud/http.c guest/cloud/seed.c guest/cloud/mem.c guest/cloud/say.c */
#include "guest/cloud/imds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/say.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	const uint8_t *data;
	size_t size;
	int64_t now;
};

/* Two bytes of an answer's kind and length, then its body. */
static int
fake_fetch(void *arg, const char *method, const char *path, const char *headers,
    int timeout_ms, struct http_answer *a)
{
	static const int kinds[] = { 200, 200, 200, 200, 404, 401, 500, 403,
		-ETIMEDOUT, -EBADMSG, -EMSGSIZE, 301 };
	struct world *w = arg;
	size_t len;
	int kind;

	(void)method;
	if (timeout_ms <= 0 || strpbrk(path, "\r\n ") != NULL ||
	    strstr(headers, "\r\n\r\n") != NULL)
		abort();
	http_init(a);
	w->now += 10;
	if (w->size < 2)
		return -ETIMEDOUT;
	kind = kinds[w->data[0] % 12];
	len = w->data[1] < w->size - 2 ? w->data[1] : w->size - 2;
	if (kind > 0) {
		a->status = kind;
		a->state = HTTP_DONE;
		buf_add(&a->body, w->data + 2, len);
	}
	w->data += 2 + len;
	w->size -= 2 + len;
	return kind < 0 ? kind : 0;
}

static int64_t
fake_now(void *arg)
{
	return ((struct world *)arg)->now;
}

static void
fake_pause(void *arg, int ms)
{
	((struct world *)arg)->now += ms;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { data, size, 0 };
	struct imds_world world = { fake_fetch, fake_now, fake_pause, &w };
	struct seed seed = { 0 };
	static int null = -1;
	int error;

	if (null < 0)
		say_open(null = open("/dev/null", O_WRONLY | O_CLOEXEC));
	error = imds_read(&world, 20, &seed);
	if (w.now > (20 + IMDS_READ_S) * 1000 + 10 ||
	    (error == 0 && seed.instance_id == NULL))
		abort();
	seed_fini(&seed);
	return 0;
}
