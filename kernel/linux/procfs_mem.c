/* SPDX-License-Identifier: ISC */
/*
 * procfs_mem.c - what a debugger asks of a process: mem, pagemap, smaps,
 * smaps_rollup, syscall, wchan.  proc(5).
 */
#include "fs/uio.h"
#include "fs/vfs.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/vm.h"
#include "linux/procfs_pid.h"
#include "linux/ptrace.h"
#include "x86/trapframe.h"
#include <linux/errno.h>
#include <linux/fs.h>

#define KIB_A_PAGE (PAGE_SIZE / 1024)

/* ------------------------------------------------------ mem, pagemap -- */

/* The address space of the moment of opening; file->priv has a reference. */
static int
mem_open(struct inode *inode, struct file *f)
{
	struct vmspace *vm;
	struct pseudo_id id;
	int error;

	pseudo_inode_entry(inode, &id);
	error = proc_vm(&id, &vm);
	if (error == 0)
		f->priv = vm;
	return error;
}

static void
mem_release(struct file *f)
{
	if (f->priv != NULL)
		vmspace_put(f->priv);
}

static long
mem_read(struct file *f, struct uio *u, int64_t *pos)
{
	char *buf;
	size_t n, got, done = 0;

	if (f->priv == NULL)
		return 0;
	buf = kmalloc(PAGE_SIZE);
	if (buf == NULL)
		return -ENOMEM;
	while (u->resid > 0) {
		n = MIN(u->resid, PAGE_SIZE);
		got = vm_peek(f->priv, *pos, buf, n);
		got = uio_put(u, buf, got);
		*pos += got;
		done += got;
		if (got < n)
			break;
	}
	kfree(buf);
	return done == 0 && u->resid > 0 ? -EIO : (long)done;
}

static long
mem_write(struct file *f, struct uio *u, int64_t *pos)
{
	char *buf;
	size_t n, put, done = 0;
	int error = -EIO;

	if (f->priv == NULL)
		return 0;
	buf = kmalloc(PAGE_SIZE);
	if (buf == NULL)
		return -ENOMEM;
	while (u->resid > 0) {
		n = uio_get(u, buf, MIN(u->resid, PAGE_SIZE));
		if (n == 0) {
			error = -EFAULT;
			break;
		}
		put = vm_poke(f->priv, *pos, buf, n);
		*pos += put;
		done += put;
		if (put < n)
			break;
	}
	kfree(buf);
	return done == 0 && error != 0 && u->resid > 0 ? error : (long)done;
}

/* Addresses have no end that SEEK_END could mean. */
static int64_t
mem_llseek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

const struct file_ops proc_mem_ops = {
	.open = mem_open,
	.release = mem_release,
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_llseek,
};

static long
pagemap_read(struct file *f, struct uio *u, int64_t *pos)
{
	uint64_t entries[64];
	size_t n, put, done = 0;

	if (*pos % 8 != 0 || u->resid % 8 != 0)
		return -EINVAL;
	if (f->priv == NULL)
		return 0;
	while (u->resid > 0 && (uint64_t)*pos / 8 < USER_END >> PAGE_SHIFT) {
		n = MIN(u->resid / 8, ARRAY_SIZE(entries));
		n = MIN(n, (USER_END >> PAGE_SHIFT) - (uint64_t)*pos / 8);
		vm_pagemap(f->priv, (uaddr_t)*pos / 8 << PAGE_SHIFT, n,
		    entries);
		put = uio_put(u, entries, n * 8);
		*pos += put;
		done += put;
		if (put < n * 8)
			return done != 0 ? (long)done : -EFAULT;
	}
	return done;
}

const struct file_ops proc_pagemap_ops = {
	.open = mem_open,
	.release = mem_release,
	.read = pagemap_read,
	.llseek = mem_llseek,
};

/* ------------------------------------------------------------- smaps -- */

#define KIB_NAME   16 /* of a row: its name, with blanks */
#define KIB_COLUMN 24 /* where the digits end */

/* "%s%8lu kB\n", which a reader of many mappings waits for most of all. */
static void
print_kib(struct sbuf *sb, const char name[static KIB_NAME + 1], uint64_t kib)
{
	char line[] = "                         kB\n";
	size_t at = KIB_COLUMN;

	_Static_assert(sizeof(line) == KIB_COLUMN + sizeof(" kB\n"), "width");
	if (kib > 99999999) {
		sbuf_printf(sb, "%s%8lu kB\n", name, kib);
		return;
	}
	memcpy(line, name, KIB_NAME);
	do
		line[--at] = (char)('0' + kib % 10);
	while ((kib /= 10) != 0);
	sbuf_write(sb, line, sizeof(line) - 1);
}

static void
print_usage(struct sbuf *sb, const struct vm_usage *u, unsigned flags)
{
	uint64_t all = u->private_pages + u->object_pages;
	uint64_t dirty = MIN(u->dirty, all), clean = all - dirty;
	uint64_t shared = (flags & VM_SHARED) != 0 ? all : u->shared;
	uint64_t shared_dirty = MIN(shared, dirty);
	const struct {
		char name[KIB_NAME + 1];
		uint64_t kib;
	} rows[] = {
		{ "Rss:            ", all * KIB_A_PAGE },
		{ "Pss:            ", u->pss / 1024 },
		{ "Pss_Dirty:      ", MIN(u->pss / 1024, dirty * KIB_A_PAGE) },
		{ "Shared_Clean:   ", (shared - shared_dirty) * KIB_A_PAGE },
		{ "Shared_Dirty:   ", shared_dirty * KIB_A_PAGE },
		{ "Private_Clean:  ",
		    (clean - MIN(clean, shared - shared_dirty)) * KIB_A_PAGE },
		{ "Private_Dirty:  ", (dirty - shared_dirty) * KIB_A_PAGE },
		{ "Referenced:     ", all * KIB_A_PAGE },
		{ "Anonymous:      ", u->private_pages * KIB_A_PAGE },
	};
	static const char none[] = "LazyFree:              0 kB\n"
				   "AnonHugePages:         0 kB\n"
				   "ShmemPmdMapped:        0 kB\n"
				   "FilePmdMapped:         0 kB\n"
				   "Shared_Hugetlb:        0 kB\n"
				   "Private_Hugetlb:       0 kB\n"
				   "Swap:                  0 kB\n"
				   "SwapPss:               0 kB\n";
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		print_kib(sb, rows[i].name, rows[i].kib);
	sbuf_write(sb, none, sizeof(none) - 1);
}

/* The two-letter flags of Linux's show_smap_vma_flags(). */
static void
print_flags(struct sbuf *sb, unsigned flags)
{
	static const struct {
		unsigned flag;
		char name[4];
	} names[] = {
		{ VM_READ, "rd " },
		{ VM_WRITE, "wr " },
		{ VM_EXEC, "ex " },
		{ VM_SHARED, "sh " },
		{ VM_MAYWRITE, "mw " },
		{ VM_GROWSDOWN, "gd " },
		{ VM_LOCKED, "lo " },
		{ VM_DONTCOPY, "dc " },
		{ VM_NORESERVE, "nr " },
		{ VM_WIPEONFORK, "wf " },
		{ VM_DONTDUMP, "dd " },
	};
	unsigned i;

	sbuf_puts(sb, "VmFlags: ");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if ((flags & names[i].flag) != 0)
			sbuf_puts(sb, names[i].name);
	sbuf_puts(sb, "mr me\n");
}

static void
add_usage(struct vm_usage *to, const struct vm_usage *u)
{
	to->private_pages += u->private_pages;
	to->object_pages += u->object_pages;
	to->shared += u->shared;
	to->dirty += u->dirty;
	to->foreign += u->foreign;
	to->pss += u->pss;
}

static void
print_smap(struct sbuf *sb, const struct vm_info *info, char *path,
    const struct vm_usage *u)
{
	uint64_t locked = (info->flags & VM_LOCKED) != 0 ? u->pss / 1024 : 0;

	proc_print_mapping(sb, info, path);
	print_kib(sb, "Size:           ", (info->end - info->start) / 1024);
	print_kib(sb, "KernelPageSize: ", PAGE_SIZE / 1024);
	print_kib(sb, "MMUPageSize:    ", PAGE_SIZE / 1024);
	print_usage(sb, u, info->flags);
	print_kib(sb, "Locked:         ", locked);
	sbuf_puts(sb, "THPeligible:    0\n");
	print_flags(sb, info->flags);
}

/* All mappings, or only their sum. */
static int
show_smaps(const struct pseudo_id *id, struct sbuf *sb, bool each)
{
	struct vm_usage sum = { 0 }, u;
	struct vm_info info;
	struct vmspace *vm;
	uaddr_t after = 0, first = 0;
	char *path;
	int error = proc_vm(id, &vm);

	if (error != 0 || vm == NULL)
		return error;
	path = kmalloc(VFS_PATH_MAX);
	if (path == NULL)
		error = -ENOMEM;
	while (error == 0 && vmspace_info(vm, after, &info)) {
		vm_usage(vm, info.start, info.end, &u);
		if (each)
			print_smap(sb, &info, path, &u);
		add_usage(&sum, &u);
		if (info.object != NULL)
			vm_object_put(info.object);
		first = after == 0 ? info.start : first;
		after = info.end;
	}
	if (error == 0 && !each && after != 0) {
		sbuf_printf(sb,
		    "%08lx-%08lx ---p 00000000 00:00 0 %*s[rollup]\n", first,
		    after, 26, "");
		print_usage(sb, &sum, 0);
		sbuf_printf(sb, "%-16s%8lu kB\n", "Locked:", 0ul);
	}
	kfree(path);
	vmspace_put(vm);
	return error;
}

int
proc_show_smaps(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_smaps(id, sb, true);
}

int
proc_show_smaps_rollup(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_smaps(id, sb, false);
}

/* ---------------------------------------------------- syscall, wchan -- */

/* "running", or the call that is waited in, its arguments, sp and pc. */
int
proc_show_syscall(const struct pseudo_id *id, struct sbuf *sb)
{
	const struct trapframe *tf;
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	if (proc_may_look_locked(p, t) != 0)
		error = -EPERM;
	else if (t == NULL || t == task_self() ||
	    t->thread->state == THREAD_RUNNABLE)
		sbuf_puts(sb, "running\n");
	else {
		tf = tf_of(t->thread);
		if (tf->orig_rax == ~0ull)
			sbuf_printf(sb, "-1 0x%lx 0x%lx\n", tf->rsp, tf->rip);
		else
			sbuf_printf(sb,
			    "%lu 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx "
			    "0x%lx\n",
			    tf->orig_rax, tf->rdi, tf->rsi, tf->rdx, tf->r10,
			    tf->r8, tf->r9, tf->rsp, tf->rip);
	}
	proc_unlock();
	return error;
}

/* Where in the kernel is nobody's business: as Linux without symbols. */
int
proc_show_wchan(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	proc_unlock();
	sbuf_puts(sb, "0");
	return 0;
}
