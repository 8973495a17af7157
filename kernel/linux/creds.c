/* SPDX-License-Identifier: ISC */
/*
 * creds.c - credentials as objects: shared, replaced, never changed.
 *
 * Which ones a task has is written under process_lock and process_list_lock,
 * by itself; so others read under either.  What the calls on ids do to them is
 * in sys_cred.c.
 */
#include "linux/creds.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "linux/process.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/securebits.h>

#define CAPS_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)

struct creds *
creds_first(void)
{
	static struct creds first = {
		.refs = 1, /* never freed */
		.cap_permitted = CAPS_ALL,
		.cap_effective = CAPS_ALL,
		.cap_bounding = CAPS_ALL,
	};

	return creds_get(&first);
}

struct creds *
creds_copy(const struct creds *from)
{
	struct creds *c = kmalloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = *from;
	c->refs = 1;
	return c;
}

struct creds *
creds_get(struct creds *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void
creds_put(struct creds *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(c);
}

const struct creds *
creds_of_locked(const struct process *p, const struct task *t)
{
	return t != NULL ? t->creds : p->creds;
}

struct creds *
creds_install_locked(struct creds *c)
{
	struct task *t = task_self();
	struct process *p = t->process;
	struct creds *old = t->creds, *old_first = NULL;
	uint64_t irq;

	KASSERT(mutex_held(&process_lock));
	irq = spin_lock_irq(&process_list_lock);
	t->creds = c;
	if (t->tid == p->pid) {
		old_first = p->creds;
		p->creds = creds_get(c);
	}
	spin_unlock_irq(&process_list_lock, irq);
	if (old_first != NULL)
		creds_put(old_first);
	return old;
}

int
creds_change(const struct creds *new)
{
	struct creds *c = creds_copy(new);

	if (c == NULL)
		return -ENOMEM;
	mutex_lock(&process_lock);
	c = creds_install_locked(c);
	mutex_unlock(&process_lock);
	creds_put(c);
	return 0;
}

/* capabilities(7), "Transformation of capabilities during execve()". */
void
creds_exec(struct creds *c)
{
	bool root = (c->securebits & SECBIT_NOROOT) == 0;
	uint64_t file = root && (c->euid == 0 || c->uid == 0) ? CAPS_ALL : 0;
	bool effective = root && c->euid == 0;

	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->cap_permitted = (file & c->cap_bounding) |
	    (file & c->cap_inheritable) | c->cap_ambient;
	c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
}
