/* SPDX-License-Identifier: ISC */
/*
 * dentry.c - the tree of names: its hash, its life cycle.
 *
 * A dentry's states, and what moves it on:
 *   fresh	dentry_alloc(): parent referenced, not found by walks
 *   hashed	dentry_hash_locked(): among its parent's children, found
 *   unused	hashed with no reference, on the LRU list: dentry_put()
 *   dropped	dentry_drop(): not found any more, its holders go on
 *   freed	the last dentry_put() of one that is not hashed, or reclaim
 * A pinned dentry has a reference of its own and never becomes unused.
 */
#include "fs/dentry.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"

#define LRU_MAX   1024 /* unused names kept */
#define LRU_BATCH 32

struct spinlock vfs_lock = SPINLOCK_INIT;

static struct dentry *first_table[64];
static struct dentry **table = first_table;
static uint32_t table_mask = ARRAY_SIZE(first_table) - 1;
static uint32_t nhashed, nlru;
static struct dentry_list lru = TAILQ_HEAD_INITIALIZER(lru);
static uint64_t next_cookie = 2; /* 0 and 1 are "." and ".." */
static struct objcache dentry_cache = OBJCACHE_INIT("dentry",
    sizeof(struct dentry));

static struct dentry **
bucket(uint32_t hash)
{
	return &table[(hash ^ hash >> 15) & table_mask];
}

/* Twice the buckets, when chains get long; harmless if memory is out. */
static void
table_grow_locked(void)
{
	uint32_t i, size = (table_mask + 1) * 2;
	struct dentry **old = table, *d, *next;
	uint32_t old_mask = table_mask;

	table = kcalloc(size, sizeof(*table));
	if (table == NULL) {
		table = old;
		return;
	}
	table_mask = size - 1;
	for (i = 0; i <= old_mask; i++) {
		for (d = old[i]; d != NULL; d = next) {
			next = d->hash_next;
			d->hash_next = *bucket(d->hash);
			*bucket(d->hash) = d;
		}
	}
	if (old != first_table)
		kfree(old);
}

static uint64_t
load64(const char *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* Names are short: words, the last one overlapping, beat a loop of bytes. */
static bool
name_equal(const char *a, const char *b, size_t len)
{
	size_t i;

	if (len >= 8) {
		for (i = 0; i + 8 < len; i += 8)
			if (load64(a + i) != load64(b + i))
				return false;
		return load64(a + len - 8) == load64(b + len - 8);
	}
	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

struct dentry *
dentry_find_locked(struct dentry *dir, const char *name, size_t len,
    uint32_t hash)
{
	struct dentry *d;

	for (d = *bucket(hash); d != NULL; d = d->hash_next)
		if (d->hash == hash && d->parent == dir && d->len == len &&
		    name_equal(d->name, name, len))
			return d;
	return NULL;
}

uint32_t
dentry_hash_name(const struct dentry *dir, const char *name, size_t len)
{
	uint32_t hash = dentry_hash_start(dir);
	size_t i;

	for (i = 0; i < len; i++)
		hash = dentry_hash_step(hash, name[i]);
	return hash;
}

void
dentry_hash_locked(struct dentry *d)
{
	struct dentry **b;

	if ((d->flags & DENTRY_HASHED) != 0)
		return;
	if (++nhashed > 2 * (table_mask + 1))
		table_grow_locked();
	b = bucket(d->hash);
	d->hash_next = *b;
	*b = d;
	d->cookie = next_cookie++;
	TAILQ_INSERT_TAIL(&d->parent->children, d, sibling);
	d->flags |= DENTRY_HASHED;
}

void
dentry_unhash_locked(struct dentry *d)
{
	struct dentry **link;

	if ((d->flags & DENTRY_HASHED) == 0)
		return;
	for (link = bucket(d->hash); *link != d; link = &(*link)->hash_next)
		KASSERT(*link != NULL);
	*link = d->hash_next;
	nhashed--;
	TAILQ_REMOVE(&d->parent->children, d, sibling);
	d->flags &= ~DENTRY_HASHED;
}

static int
dentry_set_name(struct dentry *d, const char *name, size_t len)
{
	char *to = d->inline_name;

	if (len >= DENTRY_INLINE)
		to = kmalloc(len + 1);
	if (to == NULL)
		return -ENOMEM;
	memcpy(to, name, len);
	to[len] = '\0';
	d->name = to;
	d->len = len;
	return 0;
}

static struct dentry *
dentry_new(struct super *sb, const char *name, size_t len)
{
	struct dentry *d = objcache_alloc(&dentry_cache);

	if (d == NULL)
		return NULL;
	memset(d, 0, offsetof(struct dentry, inline_name));
	d->refs = 1;
	d->sb = sb;
	d->parent = d;
	TAILQ_INIT(&d->children);
	if (dentry_set_name(d, name, len) != 0) {
		objcache_free(&dentry_cache, d);
		return NULL;
	}
	return d;
}

static struct dentry *
dentry_alloc(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *d = dentry_new(parent->sb, name, len);

	if (d == NULL)
		return NULL;
	dentry_get(parent);
	d->parent = parent;
	d->hash = dentry_hash_name(parent, name, len);
	return d;
}

static void
dentry_set_inode_locked(struct dentry *d, struct inode *inode)
{
	KASSERT(d->inode == NULL);
	d->inode = inode;
	SLIST_INSERT_HEAD(&inode->names, d, alias);
}

struct dentry *
dentry_make_root(struct super *sb, struct inode *inode)
{
	struct dentry *d = dentry_new(sb, "/", 1);

	if (d == NULL)
		return NULL;
	d->flags = DENTRY_ROOT;
	spin_lock(&vfs_lock);
	dentry_set_inode_locked(d, inode);
	spin_unlock(&vfs_lock);
	return d;
}

struct dentry *
dentry_make_anon(const char *name, struct inode *inode)
{
	struct dentry *d = dentry_new(inode->sb, name, strlen(name));

	if (d == NULL)
		return NULL;
	d->flags = DENTRY_ANON;
	spin_lock(&vfs_lock);
	dentry_set_inode_locked(d, inode);
	spin_unlock(&vfs_lock);
	return d;
}

struct dentry *
dentry_make_unnamed(struct dentry *dir, struct inode *inode)
{
	char name[24];
	struct dentry *d;

	scnprintf(name, sizeof(name), "#%lu", inode->ino);
	d = dentry_alloc(dir, name, strlen(name));
	if (d == NULL)
		return NULL;
	spin_lock(&vfs_lock);
	dentry_set_inode_locked(d, inode);
	spin_unlock(&vfs_lock);
	return d;
}

void
dentry_instantiate(struct dentry *d, struct inode *inode, bool pinned)
{
	spin_lock(&vfs_lock);
	dentry_set_inode_locked(d, inode);
	if (pinned) {
		d->flags |= DENTRY_PINNED;
		dentry_get(d);
	}
	dentry_hash_locked(d);
	spin_unlock(&vfs_lock);
}

void
dentry_drop(struct dentry *d)
{
	bool pinned;

	spin_lock(&vfs_lock);
	dentry_unhash_locked(d);
	pinned = (d->flags & DENTRY_PINNED) != 0;
	d->flags &= ~DENTRY_PINNED;
	spin_unlock(&vfs_lock);
	if (pinned)
		dentry_put(d);
}

/* Takes an unreferenced dentry apart; its inode and parent go to the caller. */
static void
dentry_kill_locked(struct dentry *d, struct inode **inode,
    struct dentry **parent)
{
	KASSERT(TAILQ_EMPTY(&d->children));
	dentry_unhash_locked(d);
	if ((d->flags & DENTRY_LRU) != 0) {
		TAILQ_REMOVE(&lru, d, lru);
		nlru--;
	}
	*inode = d->inode;
	if (d->inode != NULL)
		SLIST_REMOVE(&d->inode->names, d, dentry, alias);
	*parent = d->parent != d ? d->parent : NULL;
}

static void
dentry_free(struct dentry *d)
{
	if (d->name != d->inline_name)
		kfree((char *)d->name);
	objcache_free(&dentry_cache, d);
}

/* Keeps an unused name for the next who asks. */
static bool
dentry_keep_locked(struct dentry *d)
{
	if ((d->flags & (DENTRY_HASHED | DENTRY_NOCACHE)) != DENTRY_HASHED)
		return false;
	if ((d->flags & DENTRY_LRU) == 0) {
		d->flags |= DENTRY_LRU;
		TAILQ_INSERT_TAIL(&lru, d, lru);
		nlru++;
	}
	return true;
}

/* Drops a reference that is not the last; false: it may be. */
static bool
dentry_put_fast(struct dentry *d)
{
	uint32_t refs = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

	while (refs > 1)
		if (__atomic_compare_exchange_n(&d->refs, &refs, refs - 1, true,
			__ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	return false;
}

void
dentry_put(struct dentry *d)
{
	struct dentry *parent;
	struct inode *inode;
	bool trim;

	while (d != NULL && !dentry_put_fast(d)) {
		spin_lock(&vfs_lock);
		if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) != 0 ||
		    dentry_keep_locked(d)) {
			trim = nlru > LRU_MAX;
			spin_unlock(&vfs_lock);
			if (trim)
				dentry_reclaim(LRU_BATCH);
			return;
		}
		dentry_kill_locked(d, &inode, &parent);
		spin_unlock(&vfs_lock);
		dentry_free(d);
		if (inode != NULL)
			inode_put(inode);
		d = parent;
	}
}

/* The oldest unused dentry, referenced and dropped, or NULL. */
static struct dentry *
lru_take_locked(void)
{
	struct dentry *d;

	while ((d = TAILQ_FIRST(&lru)) != NULL) {
		TAILQ_REMOVE(&lru, d, lru);
		nlru--;
		d->flags &= ~DENTRY_LRU;
		if (d->refs == 0) {
			d->refs = 1;
			dentry_unhash_locked(d);
			return d;
		}
	}
	return NULL;
}

unsigned
dentry_reclaim(unsigned n)
{
	struct dentry *d;
	unsigned i;

	for (i = 0; i < n; i++) {
		spin_lock(&vfs_lock);
		d = lru_take_locked();
		spin_unlock(&vfs_lock);
		if (d == NULL)
			break;
		dentry_put(d);
	}
	return i;
}

struct dentry *
dentry_find(struct dentry *dir, const char *name, size_t len)
{
	uint32_t hash = dentry_hash_name(dir, name, len);
	struct dentry *d;

	spin_lock(&vfs_lock);
	d = dentry_find_locked(dir, name, len, hash);
	if (d != NULL)
		dentry_get(d);
	spin_unlock(&vfs_lock);
	return d;
}

/* A cached name that its file system says is not true any more goes. */
static struct dentry *
dentry_find_valid(struct dentry *dir, const char *name, size_t len)
{
	struct dentry *d = dentry_find(dir, name, len);
	const struct inode *inode = d != NULL ? d->inode : NULL;

	if (inode == NULL || inode->ops->revalidate == NULL ||
	    inode->ops->revalidate(d))
		return d;
	dentry_drop(d);
	dentry_put(d);
	return NULL;
}

/* Entries that are made at the first look. */
int
dentry_populate(struct dentry *dir)
{
	struct inode *inode = dir->inode;
	int error;

	if ((dir->flags & DENTRY_COMPLETE) != 0 || inode->ops->populate == NULL)
		return 0;
	error = inode->ops->populate(inode, dir);
	if (error == 0) {
		spin_lock(&vfs_lock);
		dir->flags |= DENTRY_COMPLETE;
		spin_unlock(&vfs_lock);
	}
	return error;
}

int
dentry_lookup(struct dentry *dir, const char *name, size_t len,
    struct dentry **out)
{
	struct inode *inode = dir->inode;
	struct dentry *d;
	bool again = false;
	int error = 0;

	if (inode->ops->lookup == NULL) {
		error = dentry_populate(dir);
		if (error != 0)
			return error;
	}
	d = dentry_find_valid(dir, name, len);
	if (d == NULL) {
		d = dentry_alloc(dir, name, len);
		if (d == NULL)
			return -ENOMEM;
		if ((dir->flags & DENTRY_COMPLETE) == 0) {
			error = inode->ops->lookup(inode, d);
			again = error == 0 && d->inode == NULL &&
			    (dir->flags & DENTRY_COMPLETE) != 0;
		}
	}
	if (again) { /* the look-up made all entries */
		dentry_put(d);
		return dentry_lookup(dir, name, len, out);
	}
	if (error != 0) {
		dentry_put(d);
		return error;
	}
	*out = d;
	return 0;
}

/* Exchanges the names of two dentries. */
static void
dentry_swap_names_locked(struct dentry *a, struct dentry *b)
{
	bool a_inline = a->name == a->inline_name;
	bool b_inline = b->name == b->inline_name;
	char text[DENTRY_INLINE];
	const char *name = a->name;
	uint16_t len = a->len;

	memcpy(text, a->inline_name, sizeof(text));
	memcpy(a->inline_name, b->inline_name, sizeof(text));
	memcpy(b->inline_name, text, sizeof(text));
	a->name = b_inline ? a->inline_name : b->name;
	a->len = b->len;
	b->name = a_inline ? b->inline_name : name;
	b->len = len;
}

void
dentry_move(struct dentry *from, struct dentry *to, bool exchange)
{
	struct dentry *parent;

	spin_lock(&vfs_lock);
	dentry_unhash_locked(from);
	dentry_unhash_locked(to);
	dentry_swap_names_locked(from, to);
	parent = from->parent;
	from->parent = to->parent;
	to->parent = parent;
	from->hash = dentry_hash_name(from->parent, from->name, from->len);
	to->hash = dentry_hash_name(to->parent, to->name, to->len);
	dentry_hash_locked(from);
	if (exchange)
		dentry_hash_locked(to);
	spin_unlock(&vfs_lock);
	if (!exchange) /* what was replaced: unpins it */
		dentry_drop(to);
}

bool
dentry_is_below(struct dentry *d, const struct dentry *dir)
{
	bool below;

	spin_lock(&vfs_lock);
	while (d != dir && d->parent != d)
		d = d->parent;
	below = d == dir;
	spin_unlock(&vfs_lock);
	return below;
}

bool
dentry_is_empty(struct dentry *d)
{
	bool empty = true;
	struct dentry *child;

	spin_lock(&vfs_lock);
	TAILQ_FOREACH (child, &d->children, sibling) {
		if (child->inode != NULL) {
			empty = false;
			break;
		}
	}
	spin_unlock(&vfs_lock);
	return empty;
}
