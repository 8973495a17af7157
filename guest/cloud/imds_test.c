/* SPDX-License-Identifier: ISC */
/* imds_test.c - the test is the service, and the clock. */
/* unit: guest/cloud/imds.c guest/cloud/http.c guest/cloud/seed.c guest/cloud/mem.c guest/cloud/say.c */
#include "guest/cloud/imds.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/cloud/say.h"

/* A service: what it says at a path, and what goes wrong before. */
struct page {
	const char *path, *body;
	int status; /* 0: 200 */
};

static struct world {
	int64_t now;
	bool tokens;      /* version 2 */
	int token_status; /* of PUT without them */
	int fail, cost;   /* the first `fail` requests: -errno or status */
	unsigned nfail, requests, old_tokens;
	struct page page[8];
} w;

static int
answer(struct http_answer *a, int status, const char *body)
{
	a->status = status;
	a->state = HTTP_DONE;
	buf_format(&a->body, "%s", body);
	return 0;
}

static int
fake_fetch(void *arg, const char *method, const char *path, const char *headers,
    int timeout_ms, struct http_answer *a)
{
	const char *token = strstr(headers, "X-aws-ec2-metadata-token: ");

	(void)arg;
	assert_true(timeout_ms > 0 && timeout_ms <= IMDS_ONCE_MS);
	w.requests++;
	w.now += w.cost < timeout_ms ? w.cost : timeout_ms;
	http_init(a);
	if (w.nfail > 0) {
		w.nfail--;
		return w.fail < 0 ? w.fail : answer(a, w.fail, "");
	}
	if (strcmp(method, "PUT") == 0) {
		assert_non_null(
		    strstr(headers, "token-ttl-seconds: 21600\r\n"));
		return w.tokens ? answer(a, 200, "tok-en=") :
				  answer(a, w.token_status, "no");
	}
	assert_true(w.tokens || token == NULL);
	if (w.tokens &&
	    (token == NULL || strncmp(token + 26, "tok-en=\r\n", 9) != 0))
		return answer(a, 401, "");
	if (w.old_tokens > 0) {
		w.old_tokens--;
		return answer(a, 401, "");
	}
	for (unsigned i = 0; i < 8; i++)
		if (w.page[i].path != NULL && strcmp(w.page[i].path, path) == 0)
			return answer(a,
			    w.page[i].status == 0 ? 200 : w.page[i].status,
			    w.page[i].body);
	return answer(a, 404, "");
}

static int64_t
fake_now(void *arg)
{
	(void)arg;
	return w.now;
}

static void
fake_pause(void *arg, int ms)
{
	(void)arg;
	assert_true(ms > 0);
	w.now += ms;
}

static struct seed seed;

static int
ask(int wait_s)
{
	static const struct imds_world world = { fake_fetch, fake_now,
		fake_pause, NULL };

	seed_fini(&seed);
	seed = (struct seed){ 0 };
	return imds_read(&world, wait_s, &seed);
}

static int
set_up(void **state)
{
	static const struct page pages[] = {
		{ "/latest/meta-data/instance-id", "i-1/..\n", 0 },
		{ "/latest/meta-data/local-hostname", "a.b", 0 },
		{ "/latest/meta-data/public-keys/", "0=one\n1=two\n", 0 },
		{ "/latest/meta-data/public-keys/0/openssh-key",
		    "ssh-rsa AAAA1 x\n", 0 },
		{ "/latest/meta-data/public-keys/1/openssh-key",
		    "ssh-rsa AAAA2 y", 0 },
		{ "/latest/user-data", "#!/bin/sh\n", 0 },
	};

	(void)state;
	memset(&w, 0, sizeof(w));
	memcpy(w.page, pages, sizeof(pages));
	w.token_status = 404;
	w.tokens = true;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	seed_fini(&seed);
	seed = (struct seed){ 0 };
	return 0;
}

static void
is_whole(void)
{
	assert_string_equal(seed.instance_id, "i-1_..");
	assert_string_equal(seed.hostname, "a.b");
	assert_int_equal(seed.keys.count, 2);
	assert_string_equal(seed.keys.item[1], "ssh-rsa AAAA2 y");
	assert_string_equal(seed.user_data.data, "#!/bin/sh\n");
}

static void
with_tokens_and_without(void **state)
{
	static const int statuses[] = { 404, 405, 403, 400, 200 };

	(void)state;
	assert_int_equal(ask(120), 0);
	is_whole();
	assert_int_equal(w.requests, 7);
	w.tokens = false;
	for (unsigned i = 0; i < 4; i++) {
		w.token_status = statuses[i];
		assert_int_equal(ask(120), 0);
		is_whole();
	}
}

static void
what_fails_is_asked_again(void **state)
{
	static const int fails[] = { -ECONNREFUSED, -ETIMEDOUT, -EBADMSG, 500,
		503 };

	for (unsigned i = 0; i < 5; i++) {
		set_up(state);
		w.fail = fails[i];
		w.nfail = 7;
		assert_int_equal(ask(120), 0);
		is_whole();
		assert_int_equal(w.requests, 14);
	}
}

static void
a_token_that_grew_old(void **state)
{
	(void)state;
	w.old_tokens = 1;
	assert_int_equal(ask(120), 0);
	is_whole();
	/* One that refuses all of them is not asked for ever. */
	w.old_tokens = 1000;
	assert_int_equal(ask(120), -EPROTO);
	assert_true(w.requests < 30);
}

static void
a_missing_service_costs_its_limit(void **state)
{
	static const int costs[] = { 0, 300, 5000, 100000 };

	for (unsigned i = 0; i < 4; i++) {
		set_up(state);
		w.fail = -ETIMEDOUT;
		w.nfail = 1000000;
		w.cost = costs[i];
		assert_int_equal(ask(7), -ETIMEDOUT);
		assert_in_range(w.now, 7000, 7000);
		assert_null(seed.instance_id);
	}
}

static void
one_that_dies_half_way(void **state)
{
	(void)state;
	w.page[2].status = 500;
	assert_int_equal(ask(120), -ETIMEDOUT);
	assert_in_range(w.now, IMDS_READ_S * 1000, IMDS_READ_S * 1000);
	assert_string_equal(seed.instance_id, "i-1_..");
	assert_int_equal(seed.keys.count, 0);
}

static void
pieces_that_are_missing_or_refused(void **state)
{
	(void)state;
	w.page[1].status = 404;
	w.page[2].status = 403;
	w.page[5].status = 404;
	assert_int_equal(ask(120), 0);
	assert_null(seed.hostname);
	assert_int_equal(seed.keys.count, 0);
	assert_int_equal(seed.user_data.len, 0);
	w.page[0].body = " \n";
	assert_int_equal(ask(120), -EPROTO);
	w.page[0].status = 404;
	assert_int_equal(ask(120), -EPROTO);
}

static void
lists_of_keys(void **state)
{
	(void)state;
	w.page[2].body = "0/\r\n1/";
	assert_int_equal(ask(120), 0);
	assert_int_equal(seed.keys.count, 2);
	w.page[2].body = "../x\n\n1=../../y\n0x\n99999999999=z\n";
	assert_int_equal(ask(120), 0);
	assert_int_equal(seed.keys.count, 1);
	w.page[3].body = "# no key\n\n ssh-a AAAAb \nssh-c AAAAd";
	w.page[2].body = "0";
	assert_int_equal(ask(120), 0);
	assert_int_equal(seed.keys.count, 2);
	assert_string_equal(seed.keys.item[0], "ssh-a AAAAb");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(with_tokens_and_without),
		TEST(what_fails_is_asked_again),
		TEST(a_token_that_grew_old),
		TEST(a_missing_service_costs_its_limit),
		TEST(one_that_dies_half_way),
		TEST(pieces_that_are_missing_or_refused),
		TEST(lists_of_keys),
	};

	say_open(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
