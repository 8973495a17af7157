/* SPDX-License-Identifier: ISC */
/*
 * sysvipc.c - numbers, keys and permissions of System V's objects.
 *
 * A number is a place in the table and, above it, the round in which it was
 * given out, so that an old number does not name a new object.
 */
#include "linux/sysvipc.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include <linux/capability.h>
#include <linux/errno.h>

#define INDEX_BITS 15
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define SEQ_MAX    0xffff

struct mutex ipc_lock = MUTEX_INIT(ipc_lock);

int64_t
ipc_now(void)
{
	return clock_real_ns() / NSEC_PER_SEC;
}

/* ---- the table ---- */

static int
grow_locked(struct ipc_table *t)
{
	unsigned size = t->size == 0 ? 16 : t->size * 2;
	struct ipc_object **slot;

	size = MIN(size, t->max);
	slot = krealloc(t->slot, size * sizeof(*slot));
	if (slot == NULL)
		return -ENOMEM;
	memset(slot + t->size, 0, (size - t->size) * sizeof(*slot));
	t->slot = slot;
	t->size = size;
	return 0;
}

static int
make_room_locked(struct ipc_table *t)
{
	if (t->used >= t->max)
		return -ENOSPC;
	return t->used == t->size ? grow_locked(t) : 0;
}

/* There is room. */
static void
enter_locked(struct ipc_table *t, struct ipc_object *o)
{
	unsigned i = 0;

	while (t->slot[i] != NULL)
		i++;
	if (t->last != 0 && i + 1 <= t->last) /* a place used before */
		t->seq = (t->seq + 1) & SEQ_MAX;
	t->last = i + 1;
	t->slot[i] = o;
	t->used++;
	o->seq = t->seq;
	o->id = (int32_t)((t->seq << INDEX_BITS | i) & INT32_MAX);
}

static struct ipc_object *
by_key_locked(struct ipc_table *t, int32_t key)
{
	unsigned i;

	for (i = 0; i < t->size; i++)
		if (t->slot[i] != NULL && t->slot[i]->key == key)
			return t->slot[i];
	return NULL;
}

int
ipc_at_locked(struct ipc_table *t, int32_t index, struct ipc_object **out)
{
	unsigned i = (unsigned)index & INDEX_MASK;

	if (index < 0 || i >= t->size || t->slot[i] == NULL)
		return -EINVAL;
	*out = t->slot[i];
	return 0;
}

int
ipc_find_locked(struct ipc_table *t, int32_t id, struct ipc_object **out)
{
	int error = ipc_at_locked(t, id, out);

	return error == 0 && (*out)->id != id ? -EIDRM : error;
}

int
ipc_highest_locked(const struct ipc_table *t)
{
	unsigned i, highest = 0;

	for (i = 0; i < t->size; i++)
		if (t->slot[i] != NULL)
			highest = i;
	return highest;
}

void
ipc_hide_locked(struct ipc_object *o)
{
	o->key = IPC_PRIVATE;
}

void
ipc_put_locked(struct ipc_object *o)
{
	if (--o->refs == 0)
		o->destroy(o);
}

void
ipc_remove_locked(struct ipc_table *t, struct ipc_object *o)
{
	unsigned i = (unsigned)o->id & INDEX_MASK;

	KASSERT(t->slot[i] == o);
	t->slot[i] = NULL;
	t->used--;
	o->removed = true;
	ipc_put_locked(o);
}

void
ipc_foreach(struct ipc_table *t,
    void (*fn)(struct ipc_object *o, struct sbuf *sb), struct sbuf *sb)
{
	unsigned i;

	mutex_lock(&ipc_lock);
	for (i = 0; i < t->size; i++)
		if (t->slot[i] != NULL)
			fn(t->slot[i], sb);
	mutex_unlock(&ipc_lock);
}

/* ---- permissions ---- */

static bool
in_group(const struct creds *c, uint32_t gid)
{
	unsigned i;

	if (c->egid == gid)
		return true;
	for (i = 0; i < c->ngroups; i++)
		if (c->groups[i] == gid)
			return true;
	return false;
}

int
ipc_may_locked(const struct ipc_object *o, unsigned access)
{
	const struct creds *c = creds_self();
	unsigned granted = o->mode;

	access = (access >> 6 | access >> 3 | access) & 7;
	if (c->euid == o->cuid || c->euid == o->uid)
		granted >>= 6;
	else if (in_group(c, o->cgid) || in_group(c, o->gid))
		granted >>= 3;
	if ((access & ~granted) != 0 && !capable(CAP_IPC_OWNER))
		return -EACCES;
	return 0;
}

int
ipc_owns_locked(const struct ipc_object *o)
{
	const struct creds *c = creds_self();

	if (c->euid == o->cuid || c->euid == o->uid || capable(CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}

void
ipc_perm_fill(const struct ipc_object *o, struct ipc64_perm *out)
{
	memset(out, 0, sizeof(*out));
	out->key = o->key;
	out->uid = o->uid;
	out->gid = o->gid;
	out->cuid = o->cuid;
	out->cgid = o->cgid;
	out->mode = o->mode;
	out->seq = o->seq;
}

int
ipc_perm_set_locked(struct ipc_object *o, const struct ipc64_perm *perm)
{
	int error = ipc_owns_locked(o);

	if (error != 0)
		return error;
	o->uid = perm->uid;
	o->gid = perm->gid;
	o->mode = (o->mode & ~0777u) | (perm->mode & 0777);
	o->ctime = ipc_now();
	return 0;
}

long
ipc_stat(const struct ipc_stat *st, int32_t id, int cmd, uaddr_t buf)
{
	struct ipc_object *o;
	long ret;

	memset(st->ds, 0, st->size);
	mutex_lock(&ipc_lock);
	ret = cmd == IPC_STAT ? ipc_find_locked(st->table, id, &o) :
				ipc_at_locked(st->table, id, &o);
	if (ret == 0 && !st->any)
		ret = ipc_may_locked(o, IPC_READ);
	if (ret == 0) {
		st->fill(o, st->ds);
		ret = cmd == IPC_STAT ? 0 : o->id;
	}
	mutex_unlock(&ipc_lock);
	if (ret >= 0 && copyout(buf, st->ds, st->size) != 0)
		return -EFAULT;
	return ret;
}

/* ---- finding and making ---- */

static int
make_locked(const struct ipc_request *rq)
{
	const struct creds *c = creds_self();
	struct ipc_object *o;
	int error = make_room_locked(rq->table);

	if (error == 0)
		error = rq->make(rq, &o);
	if (error != 0)
		return error;
	o->key = rq->key;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	o->mode |= rq->flags & 0777;
	o->refs = 1;
	o->ctime = ipc_now();
	enter_locked(rq->table, o);
	return o->id;
}

static int
get_locked(const struct ipc_request *rq)
{
	struct ipc_object *o = NULL;
	int error;

	if (rq->key != IPC_PRIVATE)
		o = by_key_locked(rq->table, rq->key);
	if (o == NULL) {
		if (rq->key != IPC_PRIVATE && (rq->flags & IPC_CREAT) == 0)
			return -ENOENT;
		return make_locked(rq);
	}
	if ((rq->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	error = rq->check != NULL ? rq->check(rq, o) : 0;
	if (error == 0)
		error = ipc_may_locked(o, rq->flags);
	return error != 0 ? error : o->id;
}

int
ipc_get(const struct ipc_request *rq)
{
	int id;

	mutex_lock(&ipc_lock);
	id = get_locked(rq);
	mutex_unlock(&ipc_lock);
	return id;
}

const struct pseudo_entry proc_sysvipc_entries[] = {
	{ .name = "msg",
	    .kind = PSEUDO_FILE,
	    .mode = 0444,
	    .show = proc_show_msg },
	{ .name = "sem",
	    .kind = PSEUDO_FILE,
	    .mode = 0444,
	    .show = proc_show_sem },
	{ .name = "shm",
	    .kind = PSEUDO_FILE,
	    .mode = 0444,
	    .show = proc_show_shm },
	{ .name = NULL },
};
