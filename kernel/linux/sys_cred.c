/* SPDX-License-Identifier: ISC */
/*
 * sys_cred.c - user and group ids, supplementary groups, capabilities.
 * credentials(7), capabilities(7).
 *
 * They belong to the task.  POSIX has them one a process: that is the affair of
 * the C libraries, which make every thread set them.
 */
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/sys_process.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#define NO_ID UINT32_MAX /* "leave it" */
/* What the file-system id alone gives root. */
#define CAPS_FS                                                \
	(1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE |        \
	    1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_FOWNER | \
	    1ull << CAP_FSETID | 1ull << CAP_MKNOD |           \
	    1ull << CAP_LINUX_IMMUTABLE | 1ull << CAP_MAC_OVERRIDE)
#define CAPS_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)

static const struct creds *
self(void)
{
	return creds_self();
}

long
sys_getuid(void)
{
	return self()->uid;
}

long
sys_geteuid(void)
{
	return self()->euid;
}

long
sys_getgid(void)
{
	return self()->gid;
}

long
sys_getegid(void)
{
	return self()->egid;
}

/* capabilities(7), "Effect of user ID changes on capabilities". */
static void
uids_changed(struct creds *c, const struct creds *old)
{
	bool was_root = old->uid == 0 || old->euid == 0 || old->suid == 0;
	bool is_root = c->uid == 0 || c->euid == 0 || c->suid == 0;

	if ((c->securebits & SECBIT_NO_SETUID_FIXUP) != 0)
		return;
	if (was_root && !is_root && (c->securebits & SECBIT_KEEP_CAPS) == 0) {
		c->cap_permitted = c->cap_effective = 0;
		c->cap_ambient = 0;
	} else if (was_root && !is_root) {
		c->cap_ambient = 0;
	}
	if (old->euid == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old->euid != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

static void
fsuid_changed(struct creds *c, uint32_t old)
{
	if ((c->securebits & SECBIT_NO_SETUID_FIXUP) != 0)
		return;
	if (old == 0 && c->fsuid != 0)
		c->cap_effective &= ~CAPS_FS;
	if (old != 0 && c->fsuid == 0)
		c->cap_effective |= c->cap_permitted & CAPS_FS;
}

static int
set_uids(struct creds *new)
{
	const struct creds *old = self();
	bool other = new->euid != old->euid || new->uid != old->uid;
	int error;

	uids_changed(new, old);
	error = creds_change(new);
	if (error == 0 && other)
		process_self()->dumpable = false;
	return error;
}

static bool
is_uid_of(const struct creds *c, uint32_t uid)
{
	return uid == c->uid || uid == c->euid || uid == c->suid;
}

static bool
is_gid_of(const struct creds *c, uint32_t gid)
{
	return gid == c->gid || gid == c->egid || gid == c->sgid;
}

long
sys_setuid(uint32_t uid)
{
	struct creds c = *self();

	if (uid == NO_ID)
		return -EINVAL;
	if (capable(CAP_SETUID))
		c.uid = c.suid = uid;
	else if (uid != c.uid && uid != c.suid)
		return -EPERM;
	c.euid = c.fsuid = uid;
	return set_uids(&c);
}

long
sys_setgid(uint32_t gid)
{
	struct creds c = *self();

	if (gid == NO_ID)
		return -EINVAL;
	if (capable(CAP_SETGID))
		c.gid = c.sgid = gid;
	else if (gid != c.gid && gid != c.sgid)
		return -EPERM;
	c.egid = c.fsgid = gid;
	return creds_change(&c);
}

long
sys_setreuid(uint32_t ruid, uint32_t euid)
{
	const struct creds *old = self();
	struct creds c = *old;

	if (!capable(CAP_SETUID) &&
	    ((ruid != NO_ID && ruid != old->uid && ruid != old->euid) ||
		(euid != NO_ID && !is_uid_of(old, euid))))
		return -EPERM;
	if (ruid != NO_ID)
		c.uid = ruid;
	if (euid != NO_ID)
		c.euid = euid;
	if (ruid != NO_ID || (euid != NO_ID && euid != old->uid))
		c.suid = c.euid;
	c.fsuid = c.euid;
	return set_uids(&c);
}

long
sys_setregid(uint32_t rgid, uint32_t egid)
{
	const struct creds *old = self();
	struct creds c = *old;

	if (!capable(CAP_SETGID) &&
	    ((rgid != NO_ID && rgid != old->gid && rgid != old->egid) ||
		(egid != NO_ID && !is_gid_of(old, egid))))
		return -EPERM;
	if (rgid != NO_ID)
		c.gid = rgid;
	if (egid != NO_ID)
		c.egid = egid;
	if (rgid != NO_ID || (egid != NO_ID && egid != old->gid))
		c.sgid = c.egid;
	c.fsgid = c.egid;
	return creds_change(&c);
}

long
sys_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid)
{
	const struct creds *old = self();
	struct creds c = *old;

	if (!capable(CAP_SETUID) &&
	    ((ruid != NO_ID && !is_uid_of(old, ruid)) ||
		(euid != NO_ID && !is_uid_of(old, euid)) ||
		(suid != NO_ID && !is_uid_of(old, suid))))
		return -EPERM;
	if (ruid != NO_ID)
		c.uid = ruid;
	if (euid != NO_ID)
		c.euid = euid;
	if (suid != NO_ID)
		c.suid = suid;
	c.fsuid = c.euid;
	return set_uids(&c);
}

long
sys_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	const struct creds *old = self();
	struct creds c = *old;

	if (!capable(CAP_SETGID) &&
	    ((rgid != NO_ID && !is_gid_of(old, rgid)) ||
		(egid != NO_ID && !is_gid_of(old, egid)) ||
		(sgid != NO_ID && !is_gid_of(old, sgid))))
		return -EPERM;
	if (rgid != NO_ID)
		c.gid = rgid;
	if (egid != NO_ID)
		c.egid = egid;
	if (sgid != NO_ID)
		c.sgid = sgid;
	c.fsgid = c.egid;
	return creds_change(&c);
}

static long
copyout_three(uaddr_t pa, uint32_t a, uaddr_t pb, uint32_t b, uaddr_t pc,
    uint32_t c)
{
	if (copyout(pa, &a, sizeof(a)) != 0 ||
	    copyout(pb, &b, sizeof(b)) != 0 || copyout(pc, &c, sizeof(c)) != 0)
		return -EFAULT;
	return 0;
}

long
sys_getresuid(uaddr_t ruid, uaddr_t euid, uaddr_t suid)
{
	const struct creds *c = self();

	return copyout_three(ruid, c->uid, euid, c->euid, suid, c->suid);
}

long
sys_getresgid(uaddr_t rgid, uaddr_t egid, uaddr_t sgid)
{
	const struct creds *c = self();

	return copyout_three(rgid, c->gid, egid, c->egid, sgid, c->sgid);
}

/* These two answer the old value, whether it worked or not. */
long
sys_setfsuid(uint32_t uid)
{
	struct creds c = *self();
	uint32_t old = c.fsuid;

	if (uid != NO_ID && uid != old &&
	    (is_uid_of(&c, uid) || capable(CAP_SETUID))) {
		c.fsuid = uid;
		fsuid_changed(&c, old);
		(void)creds_change(&c); /* who cares asks again */
	}
	return old;
}

long
sys_setfsgid(uint32_t gid)
{
	struct creds c = *self();
	uint32_t old = c.fsgid;

	if (gid != NO_ID && gid != old &&
	    (is_gid_of(&c, gid) || capable(CAP_SETGID))) {
		c.fsgid = gid;
		(void)creds_change(&c);
	}
	return old;
}

long
sys_getgroups(int n, uaddr_t list)
{
	const struct creds *c = self();

	if (n < 0)
		return -EINVAL;
	if (n == 0)
		return c->ngroups;
	if ((unsigned)n < c->ngroups)
		return -EINVAL;
	if (copyout(list, c->groups, c->ngroups * sizeof(c->groups[0])) != 0)
		return -EFAULT;
	return c->ngroups;
}

long
sys_setgroups(int n, uaddr_t list)
{
	struct creds c = *self();

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (n < 0 || (unsigned)n > ARRAY_SIZE(c.groups))
		return -EINVAL;
	if (copyin(c.groups, list, n * sizeof(c.groups[0])) != 0)
		return -EFAULT;
	c.ngroups = n;
	return creds_change(&c);
}

/* ---- capabilities ---- */

/* How many words a header's version has; -EINVAL after telling ours. */
static int
cap_words(uaddr_t header, struct __user_cap_header_struct *h)
{
	const uint32_t ours = _LINUX_CAPABILITY_VERSION_3;

	if (copyin(h, header, sizeof(*h)) != 0)
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1: return _LINUX_CAPABILITY_U32S_1;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3: return _LINUX_CAPABILITY_U32S_3;
	default:
		if (copyout(header, &ours, sizeof(ours)) != 0)
			return -EFAULT;
		return -EINVAL;
	}
}

/* Those of any task, a process's first by its pid; 0: the caller's. */
static int
creds_by_number(int32_t tid, struct creds *out)
{
	struct process *p;
	struct task *t;
	int error = 0;

	if (tid < 0)
		return -EINVAL;
	if (tid == 0)
		tid = task_self()->tid;
	mutex_lock(&process_lock);
	t = task_find_locked(tid);
	p = t != NULL ? t->process : process_find_locked(tid);
	if (p != NULL)
		*out = *creds_of_locked(p, t);
	else
		error = -ESRCH;
	mutex_unlock(&process_lock);
	return error;
}

long
sys_capget(uaddr_t header, uaddr_t data)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];
	struct creds c;
	int words = cap_words(header, &h), i, error;

	if (words < 0) /* with no data it only asks for the version */
		return words == -EINVAL && data == 0 ? 0 : words;
	error = creds_by_number(h.pid, &c);
	if (error != 0)
		return error;
	for (i = 0; i < words; i++) {
		d[i].effective = c.cap_effective >> (32 * i);
		d[i].permitted = c.cap_permitted >> (32 * i);
		d[i].inheritable = c.cap_inheritable >> (32 * i);
	}
	return copyout(data, d, words * sizeof(d[0]));
}

/* capabilities(7), "Programmatically adjusting capability sets". */
static int
set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct creds new = *self(), *c = &new;

	if ((permitted & ~c->cap_permitted) != 0 ||
	    (effective & ~permitted) != 0)
		return -EPERM;
	if (!capable(CAP_SETPCAP) &&
	    (inheritable & ~(c->cap_inheritable | c->cap_permitted)) != 0)
		return -EPERM;
	if ((inheritable & ~(c->cap_inheritable | c->cap_bounding)) != 0)
		return -EPERM;
	c->cap_effective = effective;
	c->cap_permitted = permitted;
	c->cap_inheritable = inheritable;
	c->cap_ambient &= permitted & inheritable;
	return creds_change(c);
}

long
sys_capset(uaddr_t header, uaddr_t data)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int words = cap_words(header, &h);

	if (words < 0)
		return words;
	if (h.pid != 0 && h.pid != task_self()->tid)
		return -EPERM;
	if (copyin(d, data, words * sizeof(d[0])) != 0)
		return -EFAULT;
	return set_caps(CAPS_ALL &
		(d[0].effective | (uint64_t)d[1].effective << 32),
	    CAPS_ALL & (d[0].permitted | (uint64_t)d[1].permitted << 32),
	    CAPS_ALL & (d[0].inheritable | (uint64_t)d[1].inheritable << 32));
}
