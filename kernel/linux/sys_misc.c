/* SPDX-License-Identifier: ISC */
/*
 * sys_misc.c - calls about the whole machine, and those that fit nowhere else:
 * names, limits, random bytes, the end of it all.
 */
#include "linux/cpu_limit.h"
#include "linux/sys_misc.h"
#include "fs/vfs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/mutex.h"
#include "kern/page.h"
#include "kern/power.h"
#include "kern/random.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/version.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

/* ---- names ---- */

static struct mutex uts_lock = MUTEX_INIT(uts_lock);
static char nodename[__NEW_UTS_LEN + 1] = "(none)";   /* uts_lock */
static char domainname[__NEW_UTS_LEN + 1] = "(none)"; /* uts_lock */

const char *
uts_nodename(void)
{
	return nodename;
}

const char *
uts_domainname(void)
{
	return domainname;
}

long
sys_uname(uaddr_t buf)
{
	struct new_utsname u;

	memset(&u, 0, sizeof(u));
	strlcpy(u.sysname, LINUX_SYSNAME, sizeof(u.sysname));
	strlcpy(u.release, LINUX_RELEASE, sizeof(u.release));
	strlcpy(u.version, LINUX_VERSION, sizeof(u.version));
	strlcpy(u.machine, LINUX_MACHINE, sizeof(u.machine));
	mutex_lock(&uts_lock);
	strlcpy(u.nodename, nodename, sizeof(u.nodename));
	strlcpy(u.domainname, domainname, sizeof(u.domainname));
	mutex_unlock(&uts_lock);
	return copyout(buf, &u, sizeof(u));
}

static long
set_uts(char *field, uaddr_t name, int len)
{
	char new[__NEW_UTS_LEN + 1] = { 0 };

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > __NEW_UTS_LEN)
		return -EINVAL;
	if (copyin(new, name, len) != 0)
		return -EFAULT;
	mutex_lock(&uts_lock);
	memcpy(field, new, sizeof(new));
	mutex_unlock(&uts_lock);
	return 0;
}

int
uts_set_nodename(const char *text, size_t len)
{
	if (len > __NEW_UTS_LEN)
		return -EINVAL;
	mutex_lock(&uts_lock);
	memset(nodename, 0, sizeof(nodename));
	memcpy(nodename, text, len);
	mutex_unlock(&uts_lock);
	return 0;
}

long
sys_sethostname(uaddr_t name, int len)
{
	return set_uts(nodename, name, len);
}

long
sys_setdomainname(uaddr_t name, int len)
{
	return set_uts(domainname, name, len);
}

long
sys_sysinfo(uaddr_t uinfo)
{
	struct page_stats st;
	struct sysinfo info;

	page_stats(&st);
	memset(&info, 0, sizeof(info));
	info.uptime = (clock_mono_ns() + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
	info.totalram = st.total * PAGE_SIZE;
	info.freeram = st.free * PAGE_SIZE;
	info.procs = process_count();
	info.mem_unit = 1;
	return copyout(uinfo, &info, sizeof(info));
}

/* ---- limits ---- */

/* What the address space itself keeps. */
static void
limit_changed(struct process *p, unsigned resource)
{
	uint64_t value = p->rlimits[resource].rlim_cur;
	struct vm_layout *l;

	if (p->vm == NULL)
		return;
	l = vmspace_layout(p->vm);
	switch (resource) {
	case RLIMIT_STACK: l->stack_max = value; break;
	case RLIMIT_DATA: l->data_max = value; break;
	case RLIMIT_AS: l->as_max = value; break;
	case RLIMIT_MEMLOCK:
		l->lock_max = capable(CAP_IPC_LOCK) ? UINT64_MAX : value;
		break;
	default: break;
	}
}

#define NR_OPEN (1u << 20)

static int
set_limit(struct process *p, unsigned resource, const struct rlimit64 *new)
{
	struct rlimit64 *l = &p->rlimits[resource];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->rlim_max > NR_OPEN)
		return -EPERM;
	if (new->rlim_max > l->rlim_max && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	*l = *new;
	limit_changed(p, resource);
	if (resource == RLIMIT_RTTIME)
		cpu_limit_watch_rt(p);
	return resource == RLIMIT_CPU ? cpu_limit_watch(p) : 0;
}

/* prlimit(2): the same user and group in all three forms. */
static bool
may_limit_locked(const struct process *p, const struct task *t)
{
	const struct creds *a = creds_self(), *b = creds_of_locked(p, t);

	return p == process_self() || capable(CAP_SYS_RESOURCE) ||
	    (a->uid == b->uid && a->uid == b->euid && a->uid == b->suid &&
		a->gid == b->gid && a->gid == b->egid && a->gid == b->sgid);
}

static int
limit_locked(int32_t pid, unsigned resource, const struct rlimit64 *new,
    struct rlimit64 *old)
{
	struct process *p = process_self();
	struct task *t = NULL;

	if (pid != 0) {
		t = task_find_locked(pid);
		p = t == NULL ? NULL : t->process;
	}
	if (p == NULL)
		return -ESRCH;
	if (!may_limit_locked(p, t))
		return -EPERM;
	*old = p->rlimits[resource];
	return new == NULL ? 0 : set_limit(p, resource, new);
}

static int
limit(int32_t pid, unsigned resource, const struct rlimit64 *new,
    struct rlimit64 *old)
{
	int error;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	mutex_lock(&process_lock);
	error = limit_locked(pid, resource, new, old);
	mutex_unlock(&process_lock);
	return error;
}

long
sys_prlimit64(int32_t pid, unsigned resource, uaddr_t unew, uaddr_t uold)
{
	struct rlimit64 new, old;
	int error;

	if (unew != 0 && copyin(&new, unew, sizeof(new)) != 0)
		return -EFAULT;
	error = limit(pid, resource, unew != 0 ? &new : NULL, &old);
	if (error == 0 && uold != 0)
		error = copyout(uold, &old, sizeof(old));
	return error;
}

long
sys_getrlimit(unsigned resource, uaddr_t ulimit)
{
	struct rlimit64 old;
	int error = limit(0, resource, NULL, &old);

	return error != 0 ? error : copyout(ulimit, &old, sizeof(old));
}

long
sys_setrlimit(unsigned resource, uaddr_t ulimit)
{
	struct rlimit64 new, old;

	if (copyin(&new, ulimit, sizeof(new)) != 0)
		return -EFAULT;
	return limit(0, resource, &new, &old);
}

/* ---- random bytes ---- */

/* Ready from the boot on, so GRND_NONBLOCK and GRND_INSECURE change nothing. */
long
sys_getrandom(uaddr_t buf, size_t len, unsigned flags)
{
	uint8_t chunk[256];
	size_t done = 0, n;

	if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) != 0 ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) ==
		(GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = MIN(len, (size_t)INT32_MAX & ~PAGE_MASK);
	while (done < len) {
		n = MIN(len - done, sizeof(chunk));
		random_bytes(chunk, n);
		if (copyout(buf + done, chunk, n) != 0)
			break;
		done += n;
		if (done % PAGE_SIZE == 0 && thread_self()->interrupted)
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	return done == 0 && len != 0 ? -EFAULT : (long)done;
}

/* ---- the rest ---- */

long
sys_personality(unsigned persona)
{
	struct process *p = process_self();
	uint32_t old = p->personality;

	if (persona != 0xffffffff)
		p->personality = persona;
	return old;
}

static long
restart_with(uaddr_t arg)
{
	char how[256];
	long len = copyinstr(how, arg, sizeof(how));

	if (len == -EFAULT)
		return -EFAULT;
	power_end(POWER_RESTART, 0, NULL);
}

/* ^Alt-Del has nobody to press it: a setting that is kept. */
static bool ctrl_alt_del = true;

static bool
magic_is_right(unsigned magic1, unsigned magic2)
{
	return magic1 == LINUX_REBOOT_MAGIC1 &&
	    (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
		magic2 == LINUX_REBOOT_MAGIC2B ||
		magic2 == LINUX_REBOOT_MAGIC2C);
}

long
sys_reboot(unsigned magic1, unsigned magic2, unsigned cmd, uaddr_t arg)
{
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (!magic_is_right(magic1, magic2))
		return -EINVAL;
	switch (cmd) {
	case LINUX_REBOOT_CMD_RESTART: power_end(POWER_RESTART, 0, NULL);
	case LINUX_REBOOT_CMD_RESTART2: return restart_with(arg);
	case LINUX_REBOOT_CMD_HALT: power_end(POWER_HALT, 0, NULL);
	case LINUX_REBOOT_CMD_POWER_OFF: power_end(POWER_OFF, 0, NULL);
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		ctrl_alt_del = cmd == LINUX_REBOOT_CMD_CAD_ON;
		return 0;
	default: /* no other kernel to jump to, no suspend */ return -EINVAL;
	}
}
