/* SPDX-License-Identifier: ISC */
/*
 * intr_test.c - interrupt sources: sharing, masks, lines that are nobody's,
 * and handlers that leave while they run.
 */
/* unit: kernel/bus/intr.c */
/* threads */
#include "bus/intr.h"

#include "kern/kmem.h"
#include "tests/host/host.h"
#include "x86/cpu.h"
#include "x86/irq.h"
#include <linux/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct { /* what the line was told */
	int enable_error;
	unsigned enabled, disabled, freed;
	int masked; /* as the hardware would be */
	unsigned cpu;
} line;

static int
line_enable(struct intr_source *src)
{
	(void)src;
	line.enabled++;
	line.masked = 0;
	return line.enable_error;
}

static void
line_disable(struct intr_source *src)
{
	(void)src;
	line.disabled++;
	line.masked = 1;
}

static void
line_mask(struct intr_source *src)
{
	(void)src;
	assert_int_equal(line.masked, 0);
	line.masked = 1;
}

static void
line_unmask(struct intr_source *src)
{
	(void)src;
	assert_int_equal(line.masked, 1);
	line.masked = 0;
}

static int
line_set_cpu(struct intr_source *src, unsigned cpu)
{
	(void)src;
	if (cpu == 7)
		return -EINVAL;
	line.cpu = cpu;
	return 0;
}

static void
line_free(struct intr_source *src)
{
	line.freed++;
	kfree(src);
}

static const struct intr_ops line_ops = {
	.kind = "test",
	.enable = line_enable,
	.disable = line_disable,
	.mask = line_mask,
	.unmask = line_unmask,
	.set_cpu = line_set_cpu,
	.free = line_free,
};

bool
irq_info(unsigned i, struct irq_info *info)
{
	*info = (struct irq_info){ 4, "ttyS0", 11 };
	return i == 0;
}

static struct intr_source *src;

static int
begin(void **state)
{
	(void)state;
	memset(&line, 0, sizeof(line));
	line.masked = 1;
	src = kzalloc(sizeof(*src));
	return src == NULL ? -1 : intr_source_init(src, &line_ops, NULL, "9");
}

static int
end(void **state)
{
	(void)state;
	intr_put(src);
	return line.freed != 1 || host_kmem_blocks() != 0;
}

static bool
count_mine(void *arg)
{
	(*(unsigned *)arg)++;
	return true;
}

static bool
count_not_mine(void *arg)
{
	(*(unsigned *)arg)++;
	return false;
}

static void
all_who_share_are_called(void **state)
{
	struct intr_handler *a, *b;
	struct intr_info info;
	unsigned na = 0, nb = 0;

	(void)state;
	assert_int_equal(intr_establish(src, count_mine, &na, "a0", &a), 0);
	assert_int_equal(intr_establish(src, count_mine, &nb, "b0", &b), 0);
	assert_int_equal(line.enabled, 1);
	intr_dispatch(src);
	assert_true(intr_info(0, &info));
	assert_string_equal(info.handlers, "ttyS0");
	assert_int_equal(intr_count(0, 0), 11);
	assert_true(intr_info(1, &info));
	assert_string_equal(info.handlers, "a0, b0");
	assert_string_equal(info.name, "9");
	assert_int_equal(info.number, 128);
	assert_int_equal(info.number, intr_number(src));
	assert_int_equal(intr_count(1, cpu_id()), 1);
	assert_false(intr_info(2, &info));
	intr_disestablish(a);
	intr_dispatch(src);
	assert_int_equal(na, 1);
	assert_int_equal(nb, 2);
	assert_int_equal(line.disabled, 0);
	intr_disestablish(b);
	assert_int_equal(line.disabled, 1);
	assert_false(intr_info(1, &info));
	intr_disestablish(NULL);
}

static void
masks_nest(void **state)
{
	struct intr_handler *h;
	unsigned n = 0;

	(void)state;
	intr_mask(src); /* before anybody listens */
	assert_int_equal(intr_establish(src, count_mine, &n, "a", &h), 0);
	assert_int_equal(line.masked, 1);
	intr_mask(src);
	intr_unmask(src);
	assert_int_equal(line.masked, 1);
	intr_unmask(src);
	assert_int_equal(line.masked, 0);
	intr_disestablish(h);
}

static void
a_line_that_is_nobodys_is_masked(void **state)
{
	struct intr_handler *h;
	unsigned n = 0, lines = host_log_lines();

	(void)state;
	src->flags = INTR_LEVEL;
	assert_int_equal(intr_establish(src, count_not_mine, &n, "a", &h), 0);
	while (line.masked == 0)
		intr_dispatch(src);
	assert_in_range(n, 1000, 1000000);
	assert_int_equal(host_log_lines(), lines + 1);
	intr_mask(src);
	intr_unmask(src);
	assert_int_equal(line.masked, 1);
	intr_disestablish(h);
	assert_int_equal(intr_establish(src, count_mine, &n, "a", &h), 0);
	assert_int_equal(line.masked, 0);
	intr_disestablish(h);
}

static void
what_cannot_be_routed_is_refused(void **state)
{
	struct intr_handler *h;
	unsigned n = 0;

	(void)state;
	line.enable_error = -ENOSPC;
	assert_int_equal(intr_establish(src, count_mine, &n, "a", &h), -ENOSPC);
	assert_null(h);
	line.enable_error = 0;
	host_fail_one_in(1);
	assert_int_equal(intr_establish(src, count_mine, &n, "a", &h), -ENOMEM);
	host_fail_one_in(0);
	assert_int_equal(intr_set_cpu(src, 5), 0); /* for when it is enabled */
	assert_int_equal(line.cpu, 0);
	assert_int_equal(intr_establish(src, count_mine, &n, "a", &h), 0);
	assert_int_equal(intr_set_cpu(src, 7), -EINVAL);
	assert_int_equal(intr_cpu(src), 5);
	assert_int_equal(intr_set_cpu(src, MAX_CPUS), -EINVAL);
	assert_int_equal(intr_set_cpu(src, 6), 0);
	assert_int_equal(line.cpu, 6);
	intr_disestablish(h);
}

static void
it_moves_when_its_processor_runs(void **state)
{
	struct intr_handler *h;
	unsigned n = 0;

	(void)state;
	host_cpus_online = 1;
	intr_prefer_cpu(src, MAX_CPUS); /* there is none */
	intr_prefer_cpu(src, 4);
	assert_int_equal(intr_establish(src, count_mine, &n, "a", &h), 0);
	intr_dispatch(src);
	assert_int_equal(intr_cpu(src), 0);
	host_cpus_online = 1 | 1 << 4;
	assert_int_equal(intr_cpu(src), 0); /* nobody asked the device yet */
	intr_dispatch(src);
	assert_int_equal(line.cpu, 4);
	assert_int_equal(intr_cpu(src), 4);
	intr_prefer_cpu(src, 7); /* refused: it stays, and is not tried again */
	host_cpus_online |= 1 << 7;
	intr_dispatch(src);
	assert_int_equal(intr_cpu(src), 4);
	assert_int_equal(src->wanted, 4);
	intr_prefer_cpu(src, 0); /* it runs already */
	assert_int_equal(line.cpu, 0);
	assert_int_equal(n, 3);
	host_cpus_online = UINT64_MAX;
	intr_disestablish(h);
}

/* ---- handlers that leave while they run ---- */

static bool stop; /* atomic */

static void *
raise_thread(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		intr_dispatch(src);
	return NULL;
}

struct listener {
	bool freed; /* not atomic: the drain orders it */
	unsigned calls;
};

static bool
listen(void *arg)
{
	struct listener *l = arg;

	assert_false(__atomic_load_n(&l->freed, __ATOMIC_RELAXED));
	__atomic_add_fetch(&l->calls, 1, __ATOMIC_RELAXED);
	return true;
}

static void *
come_and_go(void *arg)
{
	struct intr_handler *h;
	struct listener *l;
	unsigned i;

	(void)arg;
	for (i = 0; i < 300; i++) {
		l = kzalloc(sizeof(*l));
		assert_int_equal(intr_establish(src, listen, l, "l", &h), 0);
		if (host_random(2) == 0)
			usleep(20);
		intr_disestablish(h);
		__atomic_store_n(&l->freed, true, __ATOMIC_RELAXED);
		kfree(l);
	}
	return NULL;
}

static void
after_disestablish_none_runs(void **state)
{
	pthread_t raisers[2], users[3];
	unsigned i;

	(void)state;
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_create(&raisers[i], NULL, raise_thread, NULL);
	for (i = 0; i < 3; i++)
		pthread_create(&users[i], NULL, come_and_go, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(users[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(raisers[i], NULL);
	assert_int_equal(line.enabled, line.disabled);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_who_share_are_called),
		CASE(masks_nest),
		CASE(a_line_that_is_nobodys_is_masked),
		CASE(what_cannot_be_routed_is_refused),
		CASE(it_moves_when_its_processor_runs),
		CASE(after_disestablish_none_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
