/* SPDX-License-Identifier: ISC */
/*
 * smp_memory.c - page tables that change under running threads: no thread
 * reads or writes through a translation that is no longer there.
 *
 * Readers hammer a place while another thread takes it away, gives it other
 * contents, makes it read-only, or forks.  What a reader sees must be old or
 * new before the call returned, and new after.
 */
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define NREADERS 3
#define PAGE     4096
#define NPAGES   16
#define STRETCH  900 /* ms that a part takes */

static volatile bool over;
static volatile uint64_t *place; /* NPAGES pages at one address */
static volatile uint64_t epoch;  /* what stands there at least */
static uint64_t stale, rounds, faults;
static __thread sigjmp_buf back;

static bool
time_is_up(void)
{
	static int64_t end;
	int64_t now = check_now_ms();

	if (end == 0)
		end = now + STRETCH;
	if (now < end)
		return false;
	end = 0;
	return true;
}

static void
on_fault(int sig)
{
	__atomic_add_fetch(&faults, 1, __ATOMIC_RELAXED);
	siglongjmp(back, sig);
}

static void
during(void *(*fn)(void *), void (*change)(void))
{
	pthread_t t[NREADERS];
	long i;

	over = false;
	rounds = stale = faults = 0;
	for (i = 0; i < NREADERS; i++)
		REQUIRE(pthread_create(&t[i], NULL, fn, (void *)i) == 0);
	while (!time_is_up()) {
		change();
		rounds++;
	}
	over = true;
	for (i = 0; i < NREADERS; i++)
		pthread_join(t[i], NULL);
	check_note("%lu changes, %lu faults", rounds, faults);
	CHECK_RET(stale, 0);
}

/* ---- contents replaced by mmap(MAP_FIXED): never older than the epoch ---- */

static void *
read_new(void *arg)
{
	uint64_t least, seen;
	volatile int i = (int)(long)arg;

	while (!over) {
		if (sigsetjmp(back, 1) != 0)
			continue;
		i = (i + 1) % NPAGES;
		least = epoch;
		seen = place[i * PAGE / 8];
		/* 0: replaced and not yet written. */
		if (seen != 0 && seen < least)
			__atomic_add_fetch(&stale, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void
replace(void)
{
	static uint64_t next = 1;
	int i;

	if (mmap((void *)place, NPAGES * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		0) != (void *)place)
		stale++;
	epoch = ++next; /* what was there before is nobody's now */
	for (i = 0; i < NPAGES; i++)
		place[i * PAGE / 8] = next;
}

static void
discard(void)
{
	static uint64_t next = 1ull << 40;
	int i;

	if (madvise((void *)place, NPAGES * PAGE, MADV_DONTNEED) != 0)
		stale++;
	epoch = ++next;
	for (i = 0; i < NPAGES; i++)
		place[i * PAGE / 8] = next;
}

/* Taken away: between munmap() and mmap() nobody can read it. */
static volatile uint32_t gone;

static void *
read_gone(void *arg)
{
	volatile int i = (int)(long)arg;
	volatile uint32_t before;

	while (!over) {
		if (sigsetjmp(back, 1) != 0)
			continue;
		i = (i + 1) % NPAGES;
		before = gone;
		(void)place[i * PAGE / 8];
		/* Odd: it was gone before and still is. */
		if ((before & 1) != 0 && gone == before)
			__atomic_add_fetch(&stale, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void
take_away(void)
{
	int i;

	munmap((void *)place, NPAGES * PAGE);
	gone++;
	for (i = 0; i < 2000; i++)
		__asm__ volatile("pause");
	gone++;
	if (mmap((void *)place, NPAGES * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		0) != (void *)place)
		stale++;
	for (i = 0; i < NPAGES; i++)
		place[i * PAGE / 8] = 1;
}

/* ---- made read-only: no write gets through while it is ---- */

static void *
write_all(void *arg)
{
	volatile int i = (int)(long)arg;

	while (!over) {
		if (sigsetjmp(back, 1) != 0)
			continue;
		i = (i + 1) % NPAGES;
		__atomic_add_fetch(&place[i * PAGE / 8], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void
protect(void)
{
	uint64_t before[NPAGES];
	int i, turn;

	mprotect((void *)place, NPAGES * PAGE, PROT_READ);
	for (i = 0; i < NPAGES; i++)
		before[i] = place[i * PAGE / 8];
	for (turn = 0; turn < 200; turn++)
		for (i = 0; i < NPAGES; i++)
			if (place[i * PAGE / 8] != before[i])
				stale++;
	mprotect((void *)place, NPAGES * PAGE, PROT_READ | PROT_WRITE);
}

/* ---- fork: what threads write later is not the child's ---- */

static void
fork_and_look(void)
{
	int status = -1, i, turn;
	uint64_t before[NPAGES];
	pid_t pid = fork();

	if (pid == 0) {
		for (i = 0; i < NPAGES; i++)
			before[i] = place[i * PAGE / 8];
		for (turn = 0; turn < 300; turn++)
			for (i = 0; i < NPAGES; i++)
				if (place[i * PAGE / 8] != before[i])
					_exit(1);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		stale++;
}

/* Each thread maps, fills, checks and unmaps places of its own. */
static void *
own_places(void *arg)
{
	uint64_t mark = 0x0101010101010101ull * ((long)arg + 1);
	uint64_t *p;
	size_t i, n;

	for (n = 1; !over; n = n % 64 + 1) {
		p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			break;
		for (i = 0; i < n * PAGE / 8; i += 64) {
			if (p[i] != 0)
				__atomic_add_fetch(&stale, 1, __ATOMIC_RELAXED);
			p[i] = mark;
		}
		for (i = 0; i < n * PAGE / 8; i += 64)
			if (p[i] != mark)
				__atomic_add_fetch(&stale, 1, __ATOMIC_RELAXED);
		munmap(p, n * PAGE);
	}
	return NULL;
}

/* A file shrinks and grows under those who have it mapped. */
static int file;

static void
truncate_file(void)
{
	uint64_t word = 1;

	if (ftruncate(file, 0) != 0 || ftruncate(file, NPAGES * PAGE) != 0 ||
	    pwrite(file, &word, 8, 0) != 8)
		stale++;
}

int
main(void)
{
	struct sigaction sa = { .sa_handler = on_fault,
		.sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	place = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(place != MAP_FAILED);
	check_note("mmap over it");
	during(read_new, replace);
	check_note("madvise");
	during(read_new, discard);
	check_note("munmap");
	during(read_gone, take_away);
	check_note("mprotect");
	during(write_all, protect);
	check_note("fork");
	during(write_all, fork_and_look);
	check_note("own places");
	during(own_places, fork_and_look);
	file = memfd_create("file", 0);
	REQUIRE(file >= 0);
	REQUIRE(mmap((void *)place, NPAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, file, 0) == (void *)place);
	check_note("truncate");
	during(write_all, truncate_file);
	return check_done();
}
