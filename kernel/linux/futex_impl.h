/* SPDX-License-Identifier: ISC */
/* futex_impl.h - what futex.c and futex_pi.c tell each other. */
#ifndef LINUX_FUTEX_IMPL_H
#define LINUX_FUTEX_IMPL_H

#include "kern/types.h"

struct task;
struct vm_object;

struct futex_key {
	void *space;     /* vmspace, or vm_object if shared */
	uint64_t offset; /* address, or offset in the object */
};

static inline bool
futex_same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->space == b->space && a->offset == b->offset;
}

/*
 * What word is meant; *object gets a reference that keeps a shared one's
 * meaning, or NULL, for futex_key_put().  -EINVAL not aligned; -EFAULT
 */
int futex_key(uaddr_t addr, bool private, struct futex_key *key,
    struct vm_object **object);
void futex_key_put(struct vm_object *object);
/* Makes the next look at the word, or change, succeed.  -EFAULT */
int futex_fault_in(uaddr_t addr, bool write);

/*
 * The calls with priority inheritance.  A deadline is WAIT_FOREVER for none.
 * requeue_wait sleeps on addr while it holds val, until it was moved to addr2
 * and owns that.
 */
long futex_lock_pi(uaddr_t addr, bool private, bool try, int64_t deadline_ns);
long futex_unlock_pi(uaddr_t addr, bool private);
long futex_wait_requeue_pi(uaddr_t addr, uaddr_t addr2, bool private,
    uint32_t val, uint32_t bits, int64_t deadline_ns);
long futex_cmp_requeue_pi(uaddr_t addr, uaddr_t addr2, bool private, int nwake,
    int nmove, uint32_t expected);

#endif
