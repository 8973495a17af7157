/* SPDX-License-Identifier: ISC */
/*
 * mm_vdso.c - the vDSO: found as C libraries find it, and its answers beside
 * those of the system calls.  vdso(7).
 */
#include "check.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static const char *base;
static const Elf64_Sym *symbols;
static const char *strings;
static const Elf64_Half *versions;
static const Elf64_Verdef *verdef;
static const Elf32_Word *hash;

static bool
load_tables(void)
{
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	const Elf64_Dyn *d = NULL;
	int i;

	for (i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			d = (const void *)(base + ph[i].p_vaddr);
	for (; d != NULL && d->d_tag != DT_NULL; d++) {
		const void *p = base + d->d_un.d_ptr;

		switch (d->d_tag) {
		case DT_STRTAB: strings = p; break;
		case DT_SYMTAB: symbols = p; break;
		case DT_HASH: hash = p; break;
		case DT_VERSYM: versions = p; break;
		case DT_VERDEF: verdef = p; break;
		}
	}
	return strings != NULL && symbols != NULL && hash != NULL &&
	    versions != NULL && verdef != NULL;
}

static bool
version_is(unsigned i, const char *wanted)
{
	const Elf64_Verdef *v = verdef;
	unsigned ndx = versions[i] & 0x7fff;

	for (;;) {
		const Elf64_Verdaux *aux = (const void *)((const char *)v +
		    v->vd_aux);

		if ((v->vd_flags & VER_FLG_BASE) == 0 && v->vd_ndx == ndx)
			return strcmp(strings + aux->vda_name, wanted) == 0;
		if (v->vd_next == 0)
			return false;
		v = (const void *)((const char *)v + v->vd_next);
	}
}

static void *
find(const char *name)
{
	Elf32_Word i;

	for (i = 0; i < hash[1]; i++)
		if (symbols[i].st_shndx != SHN_UNDEF &&
		    strcmp(strings + symbols[i].st_name, name) == 0 &&
		    version_is(i, "LINUX_2.6"))
			return (void *)(uintptr_t)(base + symbols[i].st_value);
	return NULL;
}

static int64_t
ns_of(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000ll + ts->tv_nsec;
}

/* One clock read by system call, vDSO, system call: in this order. */
static void
compare(int (*gettime)(clockid_t, struct timespec *), clockid_t clock,
    const char *name)
{
	struct timespec a, b, c;
	int i, bad = 0;

	for (i = 0; i < 1000; i++) {
		syscall(SYS_clock_gettime, clock, &a);
		bad += gettime(clock, &b) != 0;
		syscall(SYS_clock_gettime, clock, &c);
		bad += ns_of(&b) < ns_of(&a) || ns_of(&b) > ns_of(&c);
		bad += (unsigned long)b.tv_nsec >= 1000000000;
	}
	if (!CHECK_RET(bad, 0))
		check_note("%s: %d of 1000 out of order", name, bad);
}

static void
answers(void)
{
	int (*gettime)(clockid_t, struct timespec *) = find(
	    "__vdso_clock_gettime");
	int (*getres)(clockid_t, struct timespec *) = find(
	    "__vdso_clock_getres");
	int (*timeofday)(struct timeval *, void *) = find(
	    "__vdso_gettimeofday");
	time_t (*seconds)(time_t *) = find("__vdso_time");
	long (*cpu)(unsigned *, unsigned *, void *) = find("__vdso_getcpu");
	struct timespec a, b;
	struct timeval tv;
	struct timezone tz = { 99, 99 };
	unsigned c = 99, n = 99;
	time_t t;

	REQUIRE(gettime != NULL && timeofday != NULL && seconds != NULL &&
	    cpu != NULL);
	compare(gettime, CLOCK_MONOTONIC, "monotonic");
	compare(gettime, CLOCK_REALTIME, "realtime");
	compare(gettime, CLOCK_BOOTTIME, "boottime");
	compare(gettime, CLOCK_MONOTONIC_RAW, "raw");
	compare(gettime, CLOCK_PROCESS_CPUTIME_ID, "process");
	CHECK_RET(gettime(CLOCK_MONOTONIC_COARSE, &a), 0);
	CHECK_RET(gettime(77, &a), -EINVAL); /* no errno of its own */
	if (getres != NULL) {
		CHECK_RET(getres(CLOCK_MONOTONIC, &a), 0);
		CHECK_RET(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &b), 0);
		CHECK_RET(ns_of(&a), ns_of(&b));
	}
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &a);
	CHECK_RET(timeofday(&tv, &tz), 0);
	t = seconds(NULL);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &b);
	CHECK(tv.tv_sec >= a.tv_sec && tv.tv_sec <= b.tv_sec);
	CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	CHECK_RET(tz.tz_minuteswest, 0);
	CHECK(t + 1 >= a.tv_sec && t <= b.tv_sec);
	CHECK_RET(timeofday(NULL, &tz), 0);
	t = 0;
	CHECK(seconds(&t) >= a.tv_sec - 1 && t >= a.tv_sec - 1);
	CHECK_RET(cpu(&c, &n, NULL), 0);
	CHECK(c < 4096 && n < 1024);
	CHECK_RET(cpu(NULL, NULL, NULL), 0);
}

/* The C library's own use of it. */
static void
library(void)
{
	struct timespec a, b;
	int i, bad = 0;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 100000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &b);
		bad += ns_of(&b) < ns_of(&a);
		a = b;
	}
	CHECK_RET(bad, 0);
	CHECK(time(NULL) > 1500000000);
}

int
main(void)
{
	base = (const char *)getauxval(AT_SYSINFO_EHDR);
	REQUIRE(base != NULL);
	CHECK_RET(memcmp(base, ELFMAG, SELFMAG), 0);
	CHECK_RET((uintptr_t)base % 4096, 0);
	REQUIRE(load_tables());
	answers();
	library();
	CHECK_FAULT(*(volatile char *)(uintptr_t)base = 1, SIGSEGV, base);
	return check_done();
}
