/* SPDX-License-Identifier: ISC */
/*
 * inotify.c - what happens to files, as something to read, inotify(7), or as
 * a signal, F_NOTIFY of fcntl(2).
 *
 * A watch stands on two lists, its descriptor's and its inode's, and holds a
 * reference on the inode.  One sleep lock for all, taken inside inode locks.
 */
#include "linux/inotify.h"

#include "abi/mode.h"
#include "fs/file.h"
#include "fs/notify.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/files.h"
#include "linux/fsview.h"
#include "linux/names.h"
#include "linux/sigio.h"
#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define EVENTS_MAX INOTIFY_EVENTS_MAX
#define NAME_STEP  sizeof(struct event_head)

/* struct inotify_event without its name. */
struct event_head {
	int32_t wd;
	uint32_t mask, cookie, len;
};
_Static_assert(sizeof(struct event_head) == sizeof(struct inotify_event),
    "inotify(7)");

struct event {
	TAILQ_ENTRY(event) link;
	struct event_head head; /* len: of the name, padded */
	char name[];
};

struct inotify { /* watch_lock */
	TAILQ_HEAD(, watch) watches;
	TAILQ_HEAD(event_list, event) events;
	unsigned nevents;
	uint32_t bytes; /* of all events, as read */
	int last_wd;
	struct waitq wq;
};

struct watch { /* watch_lock */
	TAILQ_ENTRY(watch) link;
	struct watch *inode_next;
	struct inode *inode;
	struct inotify *owner; /* NULL: a signal's */
	struct sigio *told;    /* its owner gets that */
	int wd;
	uint32_t mask;
};

static struct mutex watch_lock = MUTEX_INIT(watch_lock);
static const struct file_ops inotify_ops;

/* --------------------------------------------------------------- events -- */

/* The same as the newest one: told once. */
static bool
is_repeated(const struct inotify *in, const struct event_head *head,
    const char *name)
{
	const struct event *e = TAILQ_LAST(&in->events, event_list);

	if (e == NULL || e->head.wd != head->wd || e->head.mask != head->mask ||
	    e->head.cookie != head->cookie || e->head.len != head->len)
		return false;
	return head->len == 0 || strcmp(e->name, name) == 0;
}

static uint32_t
padded(size_t len)
{
	return (uint32_t)((len + 1 + NAME_STEP - 1) / NAME_STEP * NAME_STEP);
}

static void
queue_locked(struct inotify *in, struct event_head head, const char *name,
    size_t len)
{
	struct event *e;

	if (in->nevents >= EVENTS_MAX) {
		head = (struct event_head){ .wd = -1, .mask = IN_Q_OVERFLOW };
		name = NULL;
	}
	head.len = name == NULL ? 0 : padded(len);
	if (is_repeated(in, &head, name))
		return;
	e = kzalloc(sizeof(*e) + head.len);
	if (e == NULL)
		return;
	e->head = head;
	if (name != NULL)
		memcpy(e->name, name, len);
	TAILQ_INSERT_TAIL(&in->events, e, link);
	in->nevents++;
	in->bytes += (uint32_t)sizeof(head) + head.len;
	waitq_wake_all(&in->wq);
}

/* Out of both lists; its inode's reference is the caller's to put. */
static void
unlink_locked(struct watch *w)
{
	struct watch **at = (struct watch **)&w->inode->watches;

	while (*at != w)
		at = &(*at)->inode_next;
	*at = w->inode_next;
	if (w->owner != NULL)
		TAILQ_REMOVE(&w->owner->watches, w, link);
	__atomic_sub_fetch(&vfs_watched, 1, __ATOMIC_RELAXED);
}

static void
end_watch_locked(struct watch *w)
{
	struct event_head head = { .wd = w->wd, .mask = IN_IGNORED };

	queue_locked(w->owner, head, NULL, 0);
	unlink_locked(w);
}

/* Once, unless DN_MULTISHOT was asked for. */
static void
tell_locked(struct watch *w, unsigned mask)
{
	if ((w->mask & mask & IN_ALL_EVENTS) == 0)
		return;
	sigio_raise(w->told);
	if ((w->mask & IN_ONESHOT) != 0)
		w->mask = 0;
}

/* What is gone is not said to be a folder, as on Linux. */
static uint32_t
seen_mask(uint32_t mask)
{
	return (mask & IN_DELETE_SELF) != 0 ? mask & ~(uint32_t)IN_ISDIR : mask;
}

void
inotify_event(struct inode *inode, unsigned mask, const char *name, size_t len,
    uint32_t cookie)
{
	struct watch *w, *next, *ended = NULL;
	struct event_head head;

	mutex_lock(&watch_lock);
	for (w = inode->watches; w != NULL; w = next) {
		next = w->inode_next;
		if (w->told != NULL) {
			tell_locked(w, mask);
			continue;
		}
		if ((w->mask & mask & IN_ALL_EVENTS) != 0) {
			head = (struct event_head){ .wd = w->wd,
				.mask = seen_mask(mask),
				.cookie = cookie };
			queue_locked(w->owner, head, name, len);
		}
		if ((name == NULL && (mask & IN_DELETE_SELF) != 0) ||
		    ((w->mask & IN_ONESHOT) != 0 &&
			(w->mask & mask & IN_ALL_EVENTS) != 0)) {
			end_watch_locked(w);
			w->inode_next = ended;
			ended = w;
		}
	}
	mutex_unlock(&watch_lock);
	for (; ended != NULL; ended = next) {
		next = ended->inode_next;
		inode_put(ended->inode);
		kfree(ended);
	}
}

/* -------------------------------------------------------------- the file -- */

/* One event, as large as it is; -EAGAIN none, -EINVAL no room. */
static int
take_event(struct inotify *in, uint64_t room, struct event **out)
{
	struct event *e;
	int error = 0;

	mutex_lock(&watch_lock);
	e = TAILQ_FIRST(&in->events);
	if (e == NULL) {
		error = -EAGAIN;
	} else if (sizeof(e->head) + e->head.len > room) {
		error = -EINVAL;
	} else {
		TAILQ_REMOVE(&in->events, e, link);
		in->nevents--;
		in->bytes -= (uint32_t)sizeof(e->head) + e->head.len;
	}
	mutex_unlock(&watch_lock);
	*out = e;
	return error;
}

static long
inotify_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct inotify *in = file->priv;
	struct event *e;
	long done = 0, n;
	int error;

	(void)pos;
	for (;;) {
		error = take_event(in, u->resid, &e);
		if (error == 0) {
			n = (long)(sizeof(e->head) + e->head.len);
			error = uio_put_all(u, &e->head, (size_t)n);
			kfree(e);
			if (error == 0) {
				done += n;
				continue;
			}
		}
		if (done > 0 || error != -EAGAIN)
			return done > 0 ? done : error;
		if ((file->flags & O_NONBLOCK) != 0 ||
		    (u->flags & UIO_NOWAIT) != 0)
			return -EAGAIN;
		error = wait_event_intr(&in->wq, in->nevents != 0);
		if (error != 0)
			return error;
	}
}

static unsigned
inotify_poll(struct file *file, struct poll_table *table)
{
	struct inotify *in = file->priv;

	poll_wait(table, &in->wq);
	return in->nevents != 0 ? POLLIN | POLLRDNORM : 0;
}

static long
inotify_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct inotify *in = file->priv;
	int n = (int)in->bytes;

	return cmd == FIONREAD ? copyout(arg, &n, sizeof(n)) : -ENOTTY;
}

static void
inotify_release(struct file *file)
{
	struct inotify *in = file->priv;
	struct watch *w;
	struct event *e;

	for (;;) {
		mutex_lock(&watch_lock);
		w = TAILQ_FIRST(&in->watches);
		if (w != NULL)
			unlink_locked(w);
		mutex_unlock(&watch_lock);
		if (w == NULL)
			break;
		inode_put(w->inode);
		kfree(w);
	}
	while ((e = TAILQ_FIRST(&in->events)) != NULL) {
		TAILQ_REMOVE(&in->events, e, link);
		kfree(e);
	}
	kfree(in);
}

static const struct file_ops inotify_ops = {
	.release = inotify_release,
	.read = inotify_read,
	.ioctl = inotify_ioctl,
	.poll = inotify_poll,
	.llseek = files_noop_llseek,
};

/* ------------------------------------------------------------- the calls -- */

long
sys_inotify_init1(unsigned flags)
{
	struct inotify *in;
	struct file *file;
	int error;

	if ((flags & ~(unsigned)(IN_CLOEXEC | IN_NONBLOCK)) != 0)
		return -EINVAL;
	in = kzalloc(sizeof(*in));
	if (in == NULL)
		return -ENOMEM;
	TAILQ_INIT(&in->watches);
	TAILQ_INIT(&in->events);
	waitq_init(&in->wq);
	error = file_create_anon("anon_inode:inotify", 0600, NULL, &inotify_ops,
	    in, O_RDONLY | (flags & IN_NONBLOCK), &file);
	if (error != 0) {
		kfree(in);
		return error;
	}
	return fd_open(file, (flags & IN_CLOEXEC) != 0);
}

long
sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static struct watch *
find_locked(struct inotify *in, const struct inode *inode)
{
	struct watch *w;

	for (w = inode->watches; w != NULL; w = w->inode_next)
		if (w->owner == in)
			break;
	return w;
}

/* Takes `spare` over if it becomes the watch; its number. */
static long
set_watch_locked(struct inotify *in, struct inode *inode, uint32_t mask,
    struct watch **spare)
{
	struct watch *w = find_locked(in, inode);
	uint32_t kept = mask & (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK);

	if (w != NULL && (mask & IN_MASK_CREATE) != 0)
		return -EEXIST;
	if (w != NULL) {
		w->mask = (mask & IN_MASK_ADD) != 0 ? w->mask | kept : kept;
		return w->wd;
	}
	w = *spare;
	*spare = NULL;
	w->mask = kept;
	w->owner = in;
	w->wd = ++in->last_wd;
	w->inode = inode;
	inode_get(inode);
	w->inode_next = inode->watches;
	inode->watches = w;
	TAILQ_INSERT_TAIL(&in->watches, w, link);
	__atomic_add_fetch(&vfs_watched, 1, __ATOMIC_RELAXED);
	return w->wd;
}

static long
add_watch(struct inotify *in, uaddr_t uname, uint32_t mask)
{
	unsigned walk = (mask & IN_DONT_FOLLOW) != 0 ? 0 : WALK_FOLLOW;
	struct at_name at;
	struct watch *spare;
	struct path path;
	long wd;

	if ((mask & IN_ONLYDIR) != 0)
		walk |= WALK_DIRECTORY;
	wd = at_name_walk(&at, AT_FDCWD, uname, walk, &path);
	if (wd != 0)
		return wd;
	wd = inode_permission(path.dentry->inode, &at.ctx.cred, MAY_READ);
	spare = wd == 0 ? kzalloc(sizeof(*spare)) : NULL;
	if (wd == 0 && spare == NULL)
		wd = -ENOMEM;
	if (wd == 0) {
		mutex_lock(&watch_lock);
		wd = set_watch_locked(in, path.dentry->inode, mask, &spare);
		mutex_unlock(&watch_lock);
	}
	kfree(spare);
	path_put(&path);
	at_name_put(&at);
	return wd;
}

long
sys_inotify_add_watch(int fd, uaddr_t name, unsigned mask)
{
	struct fdref ref;
	long wd;

	if ((mask &
		(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED |
		    IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD |
		    IN_ISDIR | IN_ONESHOT)) == 0)
		return -EINVAL;
	ref = fd_get(fd);
	if (ref.file == NULL)
		return -EBADF;
	if ((mask & IN_MASK_ADD) != 0 && (mask & IN_MASK_CREATE) != 0)
		wd = -EINVAL;
	else if (ref.file->ops != &inotify_ops)
		wd = -EINVAL;
	else
		wd = add_watch(ref.file->priv, name, mask);
	fd_put(ref);
	return wd;
}

/* -EINVAL: there is no such watch. */
static int
remove_watch(struct inotify *in, int wd)
{
	struct watch *w;

	mutex_lock(&watch_lock);
	TAILQ_FOREACH (w, &in->watches, link)
		if (w->wd == wd)
			break;
	if (w != NULL)
		end_watch_locked(w);
	mutex_unlock(&watch_lock);
	if (w == NULL)
		return -EINVAL;
	inode_put(w->inode);
	kfree(w);
	return 0;
}

long
sys_inotify_rm_watch(int fd, int wd)
{
	struct fdref ref = fd_get(fd);
	int error;

	if (ref.file == NULL)
		return -EBADF;
	error = ref.file->ops != &inotify_ops ?
	    -EINVAL :
	    remove_watch(ref.file->priv, wd);
	fd_put(ref);
	return error;
}

/* ------------------------------------------------------------- F_NOTIFY -- */

static uint32_t
mask_of_dn(unsigned dn)
{
	static const struct {
		unsigned dn;
		uint32_t in;
	} rows[] = {
		{ DN_ACCESS, IN_ACCESS },
		{ DN_MODIFY, IN_MODIFY },
		{ DN_CREATE, IN_CREATE | IN_MOVED_TO },
		{ DN_DELETE, IN_DELETE | IN_MOVED_FROM },
		{ DN_RENAME, IN_MOVED_FROM | IN_MOVED_TO },
		{ DN_ATTRIB, IN_ATTRIB },
	};
	uint32_t in = (dn & DN_MULTISHOT) != 0 ? 0 : IN_ONESHOT;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if ((dn & rows[i].dn) != 0)
			in |= rows[i].in;
	return in;
}

static struct watch *
find_told_locked(const struct file *file)
{
	struct watch *w;

	for (w = file->inode->watches; w != NULL; w = w->inode_next)
		if (w->told != NULL && w->told == file->sigio)
			break;
	return w;
}

/* The watch that becomes the file's, if it has none yet: it is taken over. */
static void
add_told_locked(struct file *file, uint32_t mask, struct watch **spare)
{
	struct watch *w = find_told_locked(file);

	if (w == NULL) {
		w = *spare;
		*spare = NULL;
		w->told = file->sigio;
		w->inode = file->inode;
		inode_get(w->inode);
		w->inode_next = w->inode->watches;
		w->inode->watches = w;
		__atomic_add_fetch(&vfs_watched, 1, __ATOMIC_RELAXED);
	}
	/* Events add up; how often is the last caller's. */
	w->mask = ((w->mask | mask) & ~(uint32_t)IN_ONESHOT) |
	    (mask & IN_ONESHOT);
}

long
dnotify_set(struct file *file, int fd, unsigned mask)
{
	struct watch *spare;

	if (!S_ISDIR(file->inode->mode))
		return -ENOTDIR;
	if ((mask & ~DN_MULTISHOT) == 0) {
		if (file->sigio != NULL)
			dnotify_file_gone(file);
		return 0;
	}
	spare = kzalloc(sizeof(*spare));
	if (spare == NULL || sigio_owned(file, fd) == NULL) {
		kfree(spare);
		return -ENOMEM;
	}
	mutex_lock(&watch_lock);
	add_told_locked(file, mask_of_dn(mask), &spare);
	mutex_unlock(&watch_lock);
	kfree(spare);
	return 0;
}

void
dnotify_file_gone(struct file *file)
{
	struct watch *w;

	mutex_lock(&watch_lock);
	w = find_told_locked(file);
	if (w != NULL)
		unlink_locked(w);
	mutex_unlock(&watch_lock);
	if (w != NULL) {
		inode_put(w->inode);
		kfree(w);
	}
}
