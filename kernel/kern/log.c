/* SPDX-License-Identifier: ISC */
/*
 * log.c - a ring of records; each is a header and its text.  The oldest are
 * overwritten.  The console gets each line as it comes, or, for those that
 * came before there was one, when it is registered.
 */
#include "kern/log.h"
#include "kern/clock.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/waitq.h"

#define RING_SIZE 16384 /* a power of two */
#define LINE_MAX  256

struct record {
	uint64_t raw; /* clock_raw() */
	uint16_t len;
	uint8_t level;
};

static struct {
	struct spinlock lock;
	uint8_t ring[RING_SIZE];
	uint64_t head, tail;          /* bytes ever written; oldest kept */
	uint64_t next_seq, first_seq; /* records, likewise */
	uint64_t clear_seq;
	uint64_t shown; /* position up to which the console has it */
	const struct log_sink *sink;
} log;
static int console_level = 7;

static struct waitq log_wq = WAITQ_INIT(log_wq);

static void
ring_put(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n-- > 0)
		log.ring[log.head++ & (RING_SIZE - 1)] = *p++;
}

static void
ring_get(uint64_t at, void *bytes, size_t n)
{
	uint8_t *p = bytes;

	while (n-- > 0)
		*p++ = log.ring[at++ & (RING_SIZE - 1)];
}

static void
append_locked(enum log_level level, const char *text, size_t len)
{
	struct record r = { .raw = clock_raw(), .len = len, .level = level };
	struct record old;

	while (log.head - log.tail + sizeof(r) + len > RING_SIZE) {
		ring_get(log.tail, &old, sizeof(old));
		log.tail += sizeof(old) + old.len;
		log.first_seq++;
	}
	ring_put(&r, sizeof(r));
	ring_put(text, len);
	log.next_seq++;
}

/* Shows what the console has not had yet. */
static void
show_locked(void)
{
	char text[LINE_MAX + 1];
	struct record r;

	if (log.shown < log.tail)
		log.shown = log.tail;
	while (log.sink != NULL && log.shown < log.head) {
		ring_get(log.shown, &r, sizeof(r));
		ring_get(log.shown + sizeof(r), text, r.len);
		log.shown += sizeof(r) + r.len;
		if (r.level >= console_level)
			continue;
		text[r.len] = '\n';
		log.sink->write(text, r.len + 1);
	}
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX];
	uint64_t state;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	state = spin_lock_irq(&log.lock);
	append_locked(level, text, n);
	show_locked();
	spin_unlock_irq(&log.lock, state);
	if (!waitq_empty(&log_wq))
		waitq_wake_all(&log_wq);
}

size_t
log_size(void)
{
	return RING_SIZE;
}

struct waitq *
log_waitq(void)
{
	return &log_wq;
}

void
log_set_console_level(int level)
{
	console_level = level;
}

int
log_console_level(void)
{
	return console_level;
}

void
log_set_sink(const struct log_sink *sink)
{
	uint64_t state = spin_lock_irq(&log.lock);

	log.sink = sink;
	show_locked();
	spin_unlock_irq(&log.lock, state);
}

void
log_bust(void)
{
	spin_init(&log.lock);
}

static size_t
format_record(uint64_t at, const struct record *r, char *buf, size_t size)
{
	char text[LINE_MAX + 1];
	uint64_t us = clock_raw_to_ns(r->raw) / 1000;
	int n;

	ring_get(at + sizeof(*r), text, r->len);
	text[r->len] = '\0';
	n = snprintf(buf, size, "<%u>[%5lu.%06lu] %s\n", r->level, us / 1000000,
	    us % 1000000, text);
	return (size_t)n < size ? n : 0;
}

size_t
log_read(uint64_t *seq, char *buf, size_t size)
{
	uint64_t state = spin_lock_irq(&log.lock);
	uint64_t at = log.tail, s = log.first_seq;
	struct record r;
	size_t n, done = 0;

	if (*seq < s)
		*seq = s;
	for (; at < log.head; at += sizeof(r) + r.len, s++) {
		ring_get(at, &r, sizeof(r));
		if (s < *seq)
			continue;
		n = format_record(at, &r, buf + done, size - done);
		if (n == 0)
			break;
		done += n;
		*seq = s + 1;
	}
	spin_unlock_irq(&log.lock, state);
	return done;
}

uint64_t
log_first_seq(void)
{
	return log.first_seq;
}

uint64_t
log_next_seq(void)
{
	return log.next_seq;
}

void
log_clear(void)
{
	log.clear_seq = log.next_seq;
}

uint64_t
log_clear_seq(void)
{
	return log.clear_seq;
}
