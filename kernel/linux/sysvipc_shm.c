/* SPDX-License-Identifier: ISC */
/*
 * sysvipc_shm.c - System V shared memory: shmget(2), shmat(2), shmctl(2).
 *
 * A segment is a vm_object of shared memory with a number.  Mappings hold
 * references to the object, so they are the attachments that are counted; the
 * segment holds one more until it is removed, and goes with the last mapping.
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/sys_mm.h"
#include "linux/sysvipc.h"
#include <asm/shmbuf.h>
#include <linux/capability.h>
#include <linux/errno.h>

#define SHM_HUGETLB  04000
#define SHM_RDONLY   010000
#define SHM_RND      020000
#define SHM_REMAP    040000
#define SHM_EXEC     0100000
#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

#define SHM_DEST   01000u /* in its mode: removed, still attached */
#define SHM_LOCKED 02000u

struct shm_info {
	int used_ids;
	uint64_t shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

struct segment {
	struct ipc_object ipc;
	uint64_t size; /* [I] bytes, as asked for */
	struct vm_object *object;
	int64_t atime, dtime;
	int32_t cpid, lpid;
};

static struct ipc_table segments = { .max = SHM_MNI };

static struct segment *
segment_of(struct ipc_object *o)
{
	return container_of(o, struct segment, ipc);
}

/* The object's end, at the last detach of a removed one: its number goes. */
static void
object_gone(void *arg)
{
	struct segment *s = arg;

	mutex_lock(&ipc_lock);
	ipc_remove_locked(&segments, &s->ipc);
	mutex_unlock(&ipc_lock);
}

static void
segment_destroy(struct ipc_object *o)
{
	kfree(segment_of(o));
}

static void
object_describe(void *arg, char *buf, size_t size, uint64_t *dev, uint64_t *ino)
{
	const struct segment *s = arg;

	snprintf(buf, size, "/SYSV%08x%s", s->ipc.key, " (deleted)");
	*dev = 1;
	*ino = s->ipc.id;
}

static const struct vm_anon_owner_ops owner_ops = {
	.gone = object_gone,
	.describe = object_describe,
};

static int
segment_make(const struct ipc_request *rq, struct ipc_object **out)
{
	struct segment *s;
	int error;

	if (rq->size == 0 || rq->size > SHM_MAX_BYTES)
		return -EINVAL;
	if ((rq->flags & SHM_HUGETLB) != 0 || rq->size > INT64_MAX)
		return -ENOMEM;
	s = kzalloc(sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->size = rq->size;
	s->cpid = process_self()->pid;
	s->ipc.destroy = segment_destroy;
	error = vm_object_anon_owned(rq->size, &owner_ops, s, &s->object);
	if (error != 0) {
		kfree(s);
		return error;
	}
	*out = &s->ipc;
	return 0;
}

static int
segment_fits(const struct ipc_request *rq, struct ipc_object *o)
{
	return rq->size > segment_of(o)->size ? -EINVAL : 0;
}

long
sys_shmget(int32_t key, uint64_t size, unsigned flags)
{
	struct ipc_request rq = { &segments, key, flags, segment_make,
		segment_fits, size };

	return ipc_get(&rq);
}

/* ---- attaching ---- */

static int
attach_flags(unsigned flags, unsigned *vm_flags, unsigned *access)
{
	*vm_flags = VM_SHARED | VM_READ;
	*access = IPC_READ;
	if ((flags & SHM_RDONLY) == 0) {
		*vm_flags |= VM_WRITE | VM_MAYWRITE;
		*access |= IPC_WRITE;
	}
	if ((flags & SHM_EXEC) != 0) {
		*vm_flags |= VM_EXEC;
		*access |= 0111;
	}
	return 0;
}

static int
attach_place(uaddr_t *addr, unsigned flags, unsigned *vm_flags)
{
	if (*addr == 0)
		return (flags & SHM_REMAP) != 0 ? -EINVAL : 0;
	if ((*addr & PAGE_MASK) != 0) {
		if ((flags & SHM_RND) == 0)
			return -EINVAL;
		*addr = ROUND_DOWN(*addr, PAGE_SIZE);
		if (*addr == 0)
			return -EINVAL;
	}
	*vm_flags |= VM_FIXED;
	if ((flags & SHM_REMAP) == 0)
		*vm_flags |= VM_NOREPLACE;
	return 0;
}

/* The segment's memory, referenced. */
static int
object_get(int32_t id, unsigned access, struct vm_object **out, uint64_t *size)
{
	struct ipc_object *o;
	int error;

	mutex_lock(&ipc_lock);
	error = ipc_find_locked(&segments, id, &o);
	if (error == 0)
		error = ipc_may_locked(o, access);
	if (error == 0) {
		*out = segment_of(o)->object;
		*size = ROUND_UP(segment_of(o)->size, PAGE_SIZE);
		if (!vm_object_get_live(*out))
			error = -EIDRM; /* its last user goes just now */
	}
	mutex_unlock(&ipc_lock);
	return error;
}

/* Who used it last, if it still is there. */
static void
note_use(int32_t id, bool attached)
{
	struct ipc_object *o;

	mutex_lock(&ipc_lock);
	if (ipc_find_locked(&segments, id, &o) == 0) {
		segment_of(o)->lpid = process_self()->pid;
		if (attached)
			segment_of(o)->atime = ipc_now();
		else
			segment_of(o)->dtime = ipc_now();
	}
	mutex_unlock(&ipc_lock);
}

long
sys_shmat(int32_t id, uaddr_t addr, unsigned flags)
{
	struct vm_object *object;
	unsigned vm_flags, access;
	uint64_t size;
	int error;

	error = attach_flags(flags, &vm_flags, &access);
	if (error == 0)
		error = attach_place(&addr, flags, &vm_flags);
	if (error == 0)
		error = object_get(id, access, &object, &size);
	if (error != 0)
		return error;
	mm_sync_limits(process_self());
	error = vm_map(process_self()->vm, &addr, size, vm_flags, object, 0);
	vm_object_put(object);
	if (error != 0)
		return error == -EEXIST ? -EINVAL : error;
	note_use(id, true);
	return addr;
}

/* All of what was attached at addr, whatever was cut out of it since. */
long
sys_shmdt(uaddr_t addr)
{
	struct vmspace *vm = process_self()->vm;
	struct vm_object *object = NULL;
	struct segment *s = NULL;
	uaddr_t at = addr, end = addr;
	struct vm_info info;
	int32_t id = -1;

	if ((addr & PAGE_MASK) != 0)
		return -EINVAL;
	while (vmspace_info(vm, at, &info)) {
		at = info.end;
		if (s == NULL && info.start == addr && info.object != NULL &&
		    info.offset == 0 &&
		    (s = vm_object_anon_owner(info.object, &owner_ops)) !=
			NULL) {
			object = info.object;
			vm_object_get(object);
			id = s->ipc.id;
			end = addr + ROUND_UP(s->size, PAGE_SIZE);
		}
		if (s != NULL && info.object == object &&
		    info.start - addr == info.offset)
			(void)vm_unmap(vm, info.start, info.end - info.start);
		if (info.object != NULL)
			vm_object_put(info.object);
		if (s == NULL ? info.start >= addr : at >= end)
			break;
	}
	if (s == NULL)
		return -EINVAL;
	note_use(id, false);
	vm_object_put(object);
	return 0;
}

/* ---- control ---- */

/*
 * The segment's own reference goes; what is mapped keeps it.  Returns that
 * reference, for the caller to put once the lock is free.
 */
static struct vm_object *
remove_locked(struct segment *s)
{
	struct vm_object *object = s->object;

	if ((s->ipc.mode & SHM_DEST) != 0)
		return NULL;
	ipc_hide_locked(&s->ipc);
	s->ipc.mode |= SHM_DEST;
	return object;
}

static void
fill_stat(struct ipc_object *o, void *to)
{
	struct segment *s = segment_of(o);
	struct shmid64_ds *ds = to;

	ipc_perm_fill(o, &ds->shm_perm);
	ds->shm_segsz = s->size;
	ds->shm_atime = s->atime;
	ds->shm_dtime = s->dtime;
	ds->shm_ctime = o->ctime;
	ds->shm_cpid = s->cpid;
	ds->shm_lpid = s->lpid;
	ds->shm_nattch = vm_object_nmappings(s->object);
}

static long
shm_stat(int32_t id, int cmd, uaddr_t buf)
{
	struct shmid64_ds ds;
	struct ipc_stat st = { &segments, fill_stat, &ds, sizeof(ds),
		cmd == SHM_STAT_ANY };

	return ipc_stat(&st, id, cmd, buf);
}

static long
shm_info(int cmd, uaddr_t buf)
{
	struct shminfo64 limits = { .shmmax = SHM_MAX_BYTES,
		.shmmin = 1,
		.shmmni = SHM_MNI,
		.shmseg = SHM_MNI,
		.shmall = SHM_MAX_BYTES };
	struct shm_info info = { 0 };
	unsigned i;
	int highest, error;

	mutex_lock(&ipc_lock);
	highest = ipc_highest_locked(&segments);
	info.used_ids = segments.used;
	for (i = 0; i < segments.size; i++)
		if (segments.slot[i] != NULL)
			info.shm_tot += PAGES(
			    segment_of(segments.slot[i])->size);
	mutex_unlock(&ipc_lock);
	if (cmd == IPC_INFO)
		error = copyout(buf, &limits, sizeof(limits));
	else
		error = copyout(buf, &info, sizeof(info));
	return error != 0 ? error : highest;
}

static int
lock_locked(struct segment *s, bool lock)
{
	if (!capable(CAP_IPC_LOCK) && ipc_owns_locked(&s->ipc) != 0)
		return -EPERM;
	if (lock)
		s->ipc.mode |= SHM_LOCKED;
	else
		s->ipc.mode &= ~SHM_LOCKED;
	return 0;
}

static long
shm_change(int32_t id, int cmd, const struct shmid64_ds *ds)
{
	struct vm_object *gone = NULL;
	struct ipc_object *o;
	int error;

	mutex_lock(&ipc_lock);
	error = ipc_find_locked(&segments, id, &o);
	if (error == 0 && cmd == IPC_SET)
		error = ipc_perm_set_locked(o, &ds->shm_perm);
	else if (error == 0 && cmd == IPC_RMID)
		error = ipc_owns_locked(o);
	else if (error == 0)
		error = lock_locked(segment_of(o), cmd == SHM_LOCK);
	if (error == 0 && cmd == IPC_RMID)
		gone = remove_locked(segment_of(o));
	mutex_unlock(&ipc_lock);
	if (gone != NULL)
		vm_object_put(gone);
	return error;
}

long
sys_shmctl(int32_t id, int cmd, uaddr_t buf)
{
	struct shmid64_ds ds;

	if (cmd < 0 || id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SHM_INFO: return shm_info(cmd, buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY: return shm_stat(id, cmd, buf);
	case IPC_SET:
		if (copyin(&ds, buf, sizeof(ds)) != 0)
			return -EFAULT;
		return shm_change(id, cmd, &ds);
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK: return shm_change(id, cmd, NULL);
	default: return -EINVAL;
	}
}

static void
print_segment(struct ipc_object *o, struct sbuf *sb)
{
	struct segment *s = segment_of(o);

	sbuf_printf(sb,
	    "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld %10ld "
	    "%10ld %21lu %21lu\n",
	    o->key, o->id, o->mode, s->size, s->cpid, s->lpid,
	    vm_object_nmappings(s->object), o->uid, o->gid, o->cuid, o->cgid,
	    s->atime, s->dtime, o->ctime, 0ul, 0ul);
}

int
proc_show_shm(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_puts(sb,
	    "       key      shmid perms                  size  cpid  lpid "
	    "nattch   uid   gid  cuid  cgid      atime      dtime      ctime"
	    "                   rss                  swap\n");
	ipc_foreach(&segments, print_segment, sb);
	return 0;
}
