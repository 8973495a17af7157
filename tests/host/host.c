/* SPDX-License-Identifier: ISC */
/*
 * host.c - the kernel's services for code that is tested with real threads:
 * wait queues, threads, memory that can run out, the log.  Linked with every
 * test that is marked with a line "threads" (mk/tests.mk).
 */
#include "tests/host/host.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- random numbers, processors ---- */

static _Thread_local uint64_t seed = 88172645463325252u;
static _Thread_local unsigned cpu = MAX_CPUS;
static unsigned next_cpu;

void
host_random_seed(uint64_t s)
{
	seed = s * 2654435761u + 88172645463325252u;
}

uint64_t
host_random(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

unsigned
cpu_id(void)
{
	if (cpu == MAX_CPUS)
		cpu = __atomic_fetch_add(&next_cpu, 1, __ATOMIC_RELAXED) %
		    MAX_CPUS;
	return cpu;
}

uint64_t host_cpus_online = UINT64_MAX;

bool
cpu_is_online(unsigned i)
{
	return (__atomic_load_n(&host_cpus_online, __ATOMIC_RELAXED) >> i &
		   1) != 0;
}

/* ---- wait queues ---- */

void
waitq_init(struct waitq *wq)
{
	pthread_mutex_init(&wq->m, NULL);
	pthread_cond_init(&wq->c, NULL);
	wq->wakings = 0;
}

void
waitq_wake_all(struct waitq *wq)
{
	pthread_mutex_lock(&wq->m);
	wq->wakings++;
	pthread_cond_broadcast(&wq->c);
	pthread_mutex_unlock(&wq->m);
}

void
waitq_wake_one(struct waitq *wq)
{
	waitq_wake_all(wq);
}

uint64_t
waitq_wakings(struct waitq *wq)
{
	uint64_t n;

	pthread_mutex_lock(&wq->m);
	n = wq->wakings;
	pthread_mutex_unlock(&wq->m);
	return n;
}

int
waitq_sleep(struct waitq *wq, uint64_t seen, int64_t deadline_ns)
{
	struct timespec at = { deadline_ns / 1000000000,
		deadline_ns % 1000000000 };
	int error = 0;

	pthread_mutex_lock(&wq->m);
	while (wq->wakings == seen && error == 0) {
		if (deadline_ns == WAIT_FOREVER)
			pthread_cond_wait(&wq->c, &wq->m);
		else
			error = -pthread_cond_clockwait(&wq->c, &wq->m,
			    CLOCK_MONOTONIC, &at);
	}
	pthread_mutex_unlock(&wq->m);
	return error;
}

/* ---- threads ---- */

struct thread {
	void (*fn)(void *);
	void *arg;
};

static void *
thread_main(void *arg)
{
	struct thread t = *(struct thread *)arg;

	free(arg);
	t.fn(t.arg);
	return NULL;
}

int
thread_create(const char *name, void (*fn)(void *), void *arg,
    struct thread **out)
{
	struct thread *t = malloc(sizeof(*t));

	(void)name;
	if (t == NULL)
		return -ENOMEM;
	*t = (struct thread){ fn, arg };
	*out = t;
	return 0;
}

void
thread_start(struct thread *t)
{
	pthread_t id;

	if (pthread_create(&id, NULL, thread_main, t) != 0)
		panic("no thread");
	pthread_detach(id);
}

/* ---- memory ---- */

static unsigned fail_one_in;
static long blocks;

void
host_fail_one_in(unsigned n)
{
	__atomic_store_n(&fail_one_in, n, __ATOMIC_RELAXED);
}

long
host_kmem_blocks(void)
{
	return __atomic_load_n(&blocks, __ATOMIC_ACQUIRE);
}

void *
kmalloc(size_t size)
{
	unsigned n = __atomic_load_n(&fail_one_in, __ATOMIC_RELAXED);
	void *p = n != 0 && host_random(n) == 0 ? NULL : malloc(size);

	if (p != NULL)
		__atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
	return p;
}

void *
kcalloc(size_t n, size_t size)
{
	size_t all;
	void *p;

	if (__builtin_mul_overflow(n, size, &all))
		return NULL;
	p = kmalloc(all);
	if (p != NULL)
		memset(p, 0, all);
	return p;
}

void *
kzalloc(size_t size)
{
	return kcalloc(1, size);
}

void *
krealloc(void *p, size_t size)
{
	unsigned n = __atomic_load_n(&fail_one_in, __ATOMIC_RELAXED);

	if (p == NULL)
		return kmalloc(size);
	return n != 0 && host_random(n) == 0 ? NULL : realloc(p, size);
}

void
kfree(void *p)
{
	if (p != NULL)
		__atomic_sub_fetch(&blocks, 1, __ATOMIC_RELEASE);
	free(p);
}

/* ---- log and panic ---- */

static struct {
	pthread_mutex_t lock;
	unsigned lines;
	char last[256];
} logged = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
log_line(enum log_level level, const char *fmt, ...)
{
	char text[sizeof(logged.last)];
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&logged.lock);
	memcpy(logged.last, text, sizeof(text));
	logged.lines++;
	pthread_mutex_unlock(&logged.lock);
	if (getenv("SHOW_LOG") != NULL)
		fprintf(stderr, "%s\n", text);
}

unsigned
host_log_lines(void)
{
	unsigned n;

	pthread_mutex_lock(&logged.lock);
	n = logged.lines;
	pthread_mutex_unlock(&logged.lock);
	return n;
}

void
host_log_last(char *buf, unsigned size)
{
	pthread_mutex_lock(&logged.lock);
	snprintf(buf, size, "%s", logged.last);
	pthread_mutex_unlock(&logged.lock);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

/* ---- what the C library of Debian 12 lacks ---- */

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size > 0) {
		memcpy(dst, src, MIN(n, size - 1));
		dst[MIN(n, size - 1)] = '\0';
	}
	return n;
}

size_t
strlcat(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(dst, size);

	return n + (n == size ? strlen(src) : strlcpy(dst + n, src, size - n));
}
