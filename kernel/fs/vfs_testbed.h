/* SPDX-License-Identifier: ISC */
/*
 * vfs_testbed.h - the machine that vfs_test.c plays: frames, the allocator,
 * locks of one thread, and memory that runs out when asked to.  Included by
 * that one file.
 */
#ifndef FS_VFS_TESTBED_H
#define FS_VFS_TESTBED_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <asm/prctl.h>
#include <cmocka.h>
#include "block/block.h"
#include "fs/blkdev.h"
#include "fs/chrdev.h"
#include "fs/file.h"
#include "fs/initramfs.h"
#include "fs/tmpfs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/uaccess.h"

/* ------------------------------------------------------- the machine -- */

/* Nobody looks at /sys here. */
void
chrdev_show(struct chrdev *dev)
{
	assert_null(dev->shown);
}

void
chrdev_hide(struct chrdev *dev)
{
	assert_null(dev->shown);
}

#define NFRAMES 8192u

static struct percpu cpu;
static struct thread self = { .name = "test" };
static unsigned nfree;
static uint32_t free_frame[NFRAMES];
static unsigned fail_one_in; /* allocations that fail: 1 in so many, 0 none */
static long kmem_live;

static uint64_t seed = 88172645463325252u;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static bool
fails(void)
{
	return fail_one_in != 0 && rnd(fail_one_in) == 0;
}

struct page *
page_alloc(unsigned order, unsigned flags)
{
	struct page *p;

	assert_int_equal(order, 0);
	if (nfree == 0 || fails())
		return NULL;
	p = VMEMMAP + free_frame[--nfree];
	assert_int_equal(p->refs, 0);
	p->refs = 1;
	p->flags = 0;
	memset(page_kva(p), (flags & PAGE_ALLOC_ZERO) != 0 ? 0 : 0xee,
	    PAGE_SIZE);
	return p;
}

void
page_free_last(struct page *p)
{
	free_frame[nfree++] = p - VMEMMAP;
	memset(page_kva(p), 0xdd, PAGE_SIZE);
}

void
page_set_cached(uint64_t (*cached)(void))
{
	(void)cached;
}

void
page_set_reclaim(uint64_t (*reclaim)(uint64_t frames))
{
	(void)reclaim;
}

void
page_release_range(paddr_t pa, uint64_t size)
{
	paddr_t at;

	assert_int_equal(pa & PAGE_MASK, 0);
	for (at = pa; at + PAGE_SIZE <= pa + size; at += PAGE_SIZE)
		page_put(page_of_paddr(at));
}

void
page_stats(struct page_stats *st)
{
	*st = (struct page_stats){ .total = NFRAMES, .free = nfree };
}

void *
kmalloc(size_t size)
{
	void *p = fails() ? NULL : malloc(size);

	kmem_live += p != NULL;
	return p;
}

void *
kcalloc(size_t n, size_t size)
{
	void *p = kmalloc(n * size);

	return p == NULL ? NULL : memset(p, 0, n * size);
}

void *
kzalloc(size_t size)
{
	return kcalloc(1, size);
}

void
kfree(void *p)
{
	kmem_live -= p != NULL;
	free(p);
}

void *
kmap_alloc(size_t size)
{
	return kmalloc(size);
}

void
kmap_free(void *p)
{
	kfree(p);
}

char *
kstrdup(const char *s)
{
	char *p = kmalloc(strlen(s) + 1);

	return p == NULL ? NULL : strcpy(p, s);
}

void *
objcache_alloc(struct objcache *c)
{
	return kmalloc(c->size);
}

void *
objcache_zalloc(struct objcache *c)
{
	return kzalloc(c->size);
}

void
objcache_free(struct objcache *c, void *p)
{
	(void)c;
	kfree(p);
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	return snprintf(dst, size, "%s", src);
}

size_t
strlcat(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(dst, size);

	return len + strlcpy(dst + len, src, size - len);
}

int
scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return MIN(n, (int)size - 1);
}

static char logged[256];

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

void
preempt_now(void)
{
}

void
spin_contend(struct spinlock *lock)
{
	(void)lock;
	abort(); /* one thread: a lock is never taken twice */
}

void
mutex_init(struct mutex *m)
{
	m->owner = NULL;
}

void
mutex_lock(struct mutex *m)
{
	assert_null(m->owner);
	m->owner = &self;
}

void
mutex_unlock(struct mutex *m)
{
	assert_ptr_equal(m->owner, &self);
	m->owner = NULL;
}

bool
mutex_held(const struct mutex *m)
{
	return m->owner == &self;
}

int64_t
clock_real_ns(void)
{
	static int64_t now = 1700000000 * NSEC_PER_SEC;

	return now++;
}

void
vm_object_init(struct vm_object *o, const struct vm_object_ops *ops)
{
	o->ops = ops;
	o->refs = 1;
	spin_init(&o->lock);
	TAILQ_INIT(&o->mappings);
}

void
vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool all)
{
	(void)o;
	(void)all;
	assert_true(first <= last);
}

size_t
copyin_partial(void *dst, uaddr_t src, size_t len)
{
	(void)dst;
	(void)src;
	return len;
}

size_t
copyout_partial(uaddr_t dst, const void *src, size_t len)
{
	(void)dst;
	(void)src;
	return len;
}

size_t
clearout_partial(uaddr_t dst, size_t len)
{
	(void)dst;
	return len;
}

/* There are no disks here. */
const struct file_ops blkdev_node_ops;

/* No driver is looking for disks here. */
void
block_settle(void)
{
}

int
blkdev_add_all_nodes(void)
{
	return 0;
}

static void
map_arena(uint64_t at, size_t size)
{
	void *p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)at)
		abort();
}

static struct vfs_ctx kernel;

/* The table of names has its size now, so that it counts as no leak later. */
static void
grow_the_table(void)
{
	char name[16];
	unsigned i;

	for (i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(vfs_mkdir(&kernel, NULL, name, 0755), 0);
	}
	for (i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(vfs_rmdir(&kernel, NULL, name), 0);
	}
}

static int
machine_start(void **state)
{
	unsigned i;

	(void)state;
	map_arena(KVA_DIRECT, NFRAMES * PAGE_SIZE);
	map_arena(KVA_VMEMMAP, NFRAMES * sizeof(struct page));
	for (i = NFRAMES - 1; i > 0; i--)
		free_frame[nfree++] = i;
	cpu.self = &cpu;
	cpu.current = &self;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu) != 0)
		return -1;
	assert_int_equal(vfs_mount_root("rootfs", ""), 0);
	vfs_ctx_kernel(&kernel);
	grow_the_table();
	return 0;
}

/* There are no disks here. */
int
blkdev_sync_all(void)
{
	return 0;
}

#endif
