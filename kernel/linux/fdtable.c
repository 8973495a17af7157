/* SPDX-License-Identifier: ISC */
/*
 * fdtable.c - open descriptors: close(2), dup(2), close_range(2).
 * Owns struct fdtable: its growth, its bitmaps, and who may borrow from it.
 */
#include "linux/fdtable.h"
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/locks.h"
#include <linux/close_range.h>
#include <linux/fcntl.h>

#define WORD(fd) ((fd) >> 6)
#define BIT(fd)  (1ull << ((fd)&63))

static struct objcache fdtable_cache = OBJCACHE_INIT("fdtable",
    sizeof(struct fdtable));

int
fdtable_create(struct fdtable **out)
{
	struct fdtable *t = objcache_zalloc(&fdtable_cache);

	if (t == NULL)
		return -ENOMEM;
	t->refs = 1;
	spin_init(&t->lock);
	t->nslots = FD_INLINE;
	t->slots = t->slots0;
	t->open = &t->open0;
	t->cloexec = &t->cloexec0;
	*out = t;
	return 0;
}

void
fdtable_get(struct fdtable *t)
{
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
}

/* One allocation for slots and both bitmaps. */
static struct file **
fdtable_alloc_slots(unsigned nslots)
{
	return kzalloc(nslots * sizeof(struct file *) + nslots / 4);
}

static void
fdtable_use_slots(struct fdtable *t, struct file **slots, unsigned nslots)
{
	uint64_t *bits = (uint64_t *)(slots + nslots);
	unsigned words = nslots / 64;

	memcpy(slots, t->slots, t->nslots * sizeof(slots[0]));
	memcpy(bits, t->open, t->nslots / 8);
	memcpy(bits + words, t->cloexec, t->nslots / 8);
	t->slots = slots;
	t->open = bits;
	t->cloexec = bits + words;
	t->nslots = nslots;
}

/*
 * Makes room for number fd.  The lock is not held while memory is found;
 * whoever comes second throws its own away.
 */
static int
fdtable_grow(struct fdtable *t, unsigned fd)
{
	unsigned nslots = t->nslots;
	struct file **slots, **old;

	while (nslots <= fd)
		nslots *= 2;
	slots = fdtable_alloc_slots(nslots);
	if (slots == NULL)
		return -ENOMEM;
	spin_lock(&t->lock);
	old = t->slots;
	if (nslots > t->nslots)
		fdtable_use_slots(t, slots, nslots);
	else
		old = slots;
	spin_unlock(&t->lock);
	if (old != t->slots0)
		kfree(old);
	return 0;
}

/* Copies under the lock of `from` into t, which has room for n numbers. */
static bool
fdtable_copy_locked(struct fdtable *from, struct fdtable *t)
{
	unsigned i, word, n = from->nslots;

	if (n > t->nslots)
		return false;
	for (word = 0; word < n / 64; word++) {
		t->cloexec[word] = from->cloexec[word];
		t->open[word] = 0;
		for (i = word * 64; from->open[word] >> (i & 63) != 0; i++) {
			if (from->slots[i] != NULL) {
				file_get(from->slots[i]);
				t->slots[i] = from->slots[i];
				t->open[word] |= BIT(i);
			}
			if ((i & 63) == 63)
				break;
		}
	}
	t->next = from->next;
	return true;
}

int
fdtable_copy(struct fdtable *from, struct fdtable **out)
{
	struct fdtable *t;
	bool done = false;
	int error;

	error = fdtable_create(&t);
	if (error != 0)
		return error;
	while (!done) {
		if (from->nslots > t->nslots)
			error = fdtable_grow(t, from->nslots - 1);
		if (error != 0) {
			fdtable_put(t);
			return error;
		}
		spin_lock(&from->lock);
		done = fdtable_copy_locked(from, t);
		spin_unlock(&from->lock);
	}
	/* Numbers that were reserved in `from` are free here. */
	t->next = 0;
	*out = t;
	return 0;
}

/* Takes number fd out, lock held: its file, or NULL if it is not open. */
static struct file *
fdtable_take_locked(struct fdtable *t, unsigned fd)
{
	struct file *file;

	if (fd >= t->nslots || (file = t->slots[fd]) == NULL)
		return NULL;
	t->slots[fd] = NULL;
	t->open[WORD(fd)] &= ~BIT(fd);
	t->cloexec[WORD(fd)] &= ~BIT(fd);
	if (fd < t->next)
		t->next = fd;
	return file;
}

/* What close(2) does to a file that has left the table. */
static int
fd_finish(struct fdtable *t, struct file *file)
{
	int error = 0;

	if (file->inode->locks != NULL)
		locks_drop(file->inode, t);
	if (file->ops->flush != NULL)
		error = file->ops->flush(file);
	file_put(file);
	return error;
}

void
fdtable_put(struct fdtable *t)
{
	unsigned fd;

	if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	for (fd = 0; fd < t->nslots; fd++) {
		if (t->open[WORD(fd)] == 0)
			fd |= 63;
		else if (t->slots[fd] != NULL)
			fd_finish(t, t->slots[fd]);
	}
	if (t->slots != t->slots0)
		kfree(t->slots);
	objcache_free(&fdtable_cache, t);
}

struct fdtable *
fdtable_of_locked(const struct process *p, const struct task *t)
{
	if (t != NULL)
		return t->files;
	TAILQ_FOREACH (t, &p->tasks, link)
		if (t->files != NULL)
			return t->files;
	return NULL;
}

/* The next number >= *fd and <= last that is in the map, taken out. */
static struct file *
fdtable_take_next(struct fdtable *t, unsigned *fd, unsigned last,
    bool only_cloexec)
{
	struct file *file = NULL;
	uint64_t *map;

	spin_lock(&t->lock);
	map = only_cloexec ? t->cloexec : t->open;
	for (; file == NULL && *fd < t->nslots && *fd <= last; ++*fd) {
		if (map[WORD(*fd)] >> (*fd & 63) == 0)
			*fd |= 63;
		else if ((map[WORD(*fd)] & BIT(*fd)) != 0)
			file = fdtable_take_locked(t, *fd);
	}
	spin_unlock(&t->lock);
	return file;
}

/*
 * Closes the open numbers in [first, last] whose close-on-exec bit is set,
 * or all.  The lock is dropped for each close, since that may sleep.
 */
static void
fdtable_close_many(struct fdtable *t, unsigned first, unsigned last,
    bool only_cloexec)
{
	struct file *file;

	while (
	    (file = fdtable_take_next(t, &first, last, only_cloexec)) != NULL)
		fd_finish(t, file);
}

void
fdtable_close_exec(struct fdtable *t)
{
	fdtable_close_many(t, 0, FD_MAX, true);
}

struct file *
fdtable_file(struct fdtable *t, unsigned fd)
{
	struct file *file = NULL;

	spin_lock(&t->lock);
	if (fd < t->nslots && (file = t->slots[fd]) != NULL)
		file_get(file);
	spin_unlock(&t->lock);
	return file;
}

struct fdref
fdtable_lookup(struct fdtable *t, unsigned fd)
{
	struct fdref ref = { fdtable_file(t, fd), true };

	ref.owned = ref.file != NULL;
	return ref;
}

struct fdref
fd_get(int fd)
{
	struct fdref ref = fd_get_any(fd);

	if (ref.file != NULL && (ref.file->mode & FILE_PATH) != 0) {
		fd_put(ref);
		ref.file = NULL;
		ref.owned = false;
	}
	return ref;
}

int
fdtable_next(struct fdtable *t, unsigned fd, struct file **out)
{
	int found = -1;

	spin_lock(&t->lock);
	for (; fd < t->nslots; fd++) {
		if (t->open[WORD(fd)] >> (fd & 63) == 0) {
			fd |= 63;
		} else if (t->slots[fd] != NULL) {
			file_get(t->slots[fd]);
			*out = t->slots[fd];
			found = (int)fd;
			break;
		}
	}
	spin_unlock(&t->lock);
	return found;
}

unsigned
fdtable_size(struct fdtable *t)
{
	return t->nslots;
}

static unsigned
fd_limit(void)
{
	uint64_t limit = process_self()->rlimits[RLIMIT_NOFILE].rlim_cur;

	return (unsigned)MIN(limit, (uint64_t)FD_MAX);
}

/* The lowest free number >= min, which may be nslots; lock held. */
static unsigned
fdtable_lowest_locked(struct fdtable *t, unsigned min)
{
	unsigned fd = MAX(min, t->next);
	uint64_t free;

	while (fd < t->nslots) {
		free = ~t->open[WORD(fd)] >> (fd & 63);
		if (free != 0)
			return fd + (unsigned)__builtin_ctzll(free);
		fd = (fd | 63) + 1;
	}
	return fd;
}

int
fd_reserve(unsigned min)
{
	struct fdtable *t = fdtable_self();
	unsigned fd, limit = fd_limit();
	int error;

	for (;;) {
		spin_lock(&t->lock);
		fd = fdtable_lowest_locked(t, min);
		if (fd < limit && fd < t->nslots) {
			t->open[WORD(fd)] |= BIT(fd);
			if (min <= t->next)
				t->next = fd + 1;
			spin_unlock(&t->lock);
			return (int)fd;
		}
		spin_unlock(&t->lock);
		if (fd >= limit)
			return -EMFILE;
		error = fdtable_grow(t, fd);
		if (error != 0)
			return error;
	}
}

void
fd_install(int fd, struct file *file, bool cloexec)
{
	struct fdtable *t = fdtable_self();

	spin_lock(&t->lock);
	t->slots[fd] = file;
	if (cloexec)
		t->cloexec[WORD(fd)] |= BIT(fd);
	else
		t->cloexec[WORD(fd)] &= ~BIT(fd);
	spin_unlock(&t->lock);
}

void
fd_unreserve(int fd)
{
	struct fdtable *t = fdtable_self();

	spin_lock(&t->lock);
	t->open[WORD(fd)] &= ~BIT(fd);
	if ((unsigned)fd < t->next)
		t->next = (unsigned)fd;
	spin_unlock(&t->lock);
}

int
fd_open(struct file *file, bool cloexec)
{
	int fd = fd_reserve(0);

	if (fd < 0)
		file_put(file);
	else
		fd_install(fd, file, cloexec);
	return fd;
}

int
fd_close(unsigned fd)
{
	struct fdtable *t = fdtable_self();
	struct file *file;

	spin_lock(&t->lock);
	file = fdtable_take_locked(t, fd);
	spin_unlock(&t->lock);
	if (file == NULL)
		return -EBADF;
	return fd_finish(t, file);
}

int
fd_dup(int fd, unsigned min, bool cloexec)
{
	struct file *file = fdtable_file(fdtable_self(), (unsigned)fd);
	int new;

	if (file == NULL)
		return -EBADF;
	if (min >= fd_limit())
		new = -EINVAL;
	else
		new = fd_reserve(min);
	if (new < 0)
		file_put(file);
	else
		fd_install(new, file, cloexec);
	return new;
}

/*
 * Puts file, with its reference, under number `to`, which has a slot.
 *   -EBUSY  another thread has reserved the number and not yet filled it
 */
static int
fdtable_replace(struct fdtable *t, struct file *file, unsigned to, bool cloexec,
    struct file **old)
{
	int error = 0;

	spin_lock(&t->lock);
	*old = t->slots[to];
	if (*old == NULL && (t->open[WORD(to)] & BIT(to)) != 0) {
		error = -EBUSY;
	} else {
		t->slots[to] = file;
		t->open[WORD(to)] |= BIT(to);
		t->cloexec[WORD(to)] &= ~BIT(to);
		if (cloexec)
			t->cloexec[WORD(to)] |= BIT(to);
	}
	spin_unlock(&t->lock);
	return error;
}

int
fd_place(struct file *file, int to, bool cloexec)
{
	struct fdtable *t = fdtable_self();
	struct file *old = NULL;
	int error = 0;

	if ((unsigned)to >= fd_limit())
		error = -EBADF;
	else if ((unsigned)to >= t->nslots)
		error = fdtable_grow(t, (unsigned)to);
	if (error == 0)
		error = fdtable_replace(t, file, (unsigned)to, cloexec, &old);
	if (error != 0) {
		file_put(file);
		return error;
	}
	if (old != NULL)
		fd_finish(t, old);
	return to;
}

int
fd_dup_to(int from, int to, bool cloexec)
{
	struct file *file;

	if ((unsigned)to >= fd_limit())
		return -EBADF;
	file = fdtable_file(fdtable_self(), (unsigned)from);
	return file != NULL ? fd_place(file, to, cloexec) : -EBADF;
}

int
fd_cloexec(int fd)
{
	struct fdtable *t = fdtable_self();
	int on = -EBADF;

	spin_lock(&t->lock);
	if ((unsigned)fd < t->nslots && t->slots[fd] != NULL)
		on = (t->cloexec[WORD(fd)] & BIT(fd)) != 0;
	spin_unlock(&t->lock);
	return on;
}

int
fd_set_cloexec(int fd, bool on)
{
	struct fdtable *t = fdtable_self();
	int error = -EBADF;

	spin_lock(&t->lock);
	if ((unsigned)fd < t->nslots && t->slots[fd] != NULL) {
		t->cloexec[WORD(fd)] &= ~BIT(fd);
		if (on)
			t->cloexec[WORD(fd)] |= BIT(fd);
		error = 0;
	}
	spin_unlock(&t->lock);
	return error;
}

long
sys_close(unsigned fd)
{
	int error = fd_close(fd);

	/* The number is free in any case: a repeated close would be wrong. */
	if (error == -ERESTARTSYS || error == -ERESTARTNOHAND)
		error = -EINTR;
	return error;
}

static void
fdtable_mark_many(struct fdtable *t, unsigned first, unsigned last)
{
	unsigned fd;

	spin_lock(&t->lock);
	for (fd = first; fd < t->nslots && fd <= last; fd++)
		if (t->slots[fd] != NULL)
			t->cloexec[WORD(fd)] |= BIT(fd);
	spin_unlock(&t->lock);
}

int
fdtable_unshare(void)
{
	struct task *t = task_self();
	struct fdtable *own, *shared = t->files;
	int error;

	if (__atomic_load_n(&shared->refs, __ATOMIC_ACQUIRE) == 1)
		return 0;
	error = fdtable_copy(shared, &own);
	if (error != 0)
		return error;
	mutex_lock(&process_lock); /* /proc looks at it */
	t->files = own;
	mutex_unlock(&process_lock);
	fdtable_put(shared);
	return 0;
}

long
sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	int error;

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) != 0)
		return -EINVAL;
	if (first > last)
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) != 0) {
		error = fdtable_unshare();
		if (error != 0)
			return error;
	}
	if ((flags & CLOSE_RANGE_CLOEXEC) != 0)
		fdtable_mark_many(fdtable_self(), first, last);
	else
		fdtable_close_many(fdtable_self(), first, last, false);
	return 0;
}

long
sys_dup(int fd)
{
	return fd_dup(fd, 0, false);
}

long
sys_dup2(int from, int to)
{
	if (from == to)
		return fd_cloexec(from) < 0 ? -EBADF : to;
	return fd_dup_to(from, to, false);
}

long
sys_dup3(int from, int to, int flags)
{
	if ((flags & ~O_CLOEXEC) != 0 || from == to)
		return -EINVAL;
	return fd_dup_to(from, to, (flags & O_CLOEXEC) != 0);
}
