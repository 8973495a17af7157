/* SPDX-License-Identifier: ISC */
/*
 * proc_self.c - ids, capabilities, limits, prctl, scheduling, machine names.
 * Changes of identity are made in children.
 */
#include "check.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define NONE 0xffffffffu

static void
in_child(void (*fn)(void), const char *name)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(check_done());
	}
	waitpid(pid, &status, 0);
	check_true_at(__FILE__, __LINE__, name, status == 0);
}

static void
drop_root(void)
{
	unsigned r, e, s;
	uint32_t groups[2] = { 5, 6 }, got[2];

	CHECK_RET(syscall(SYS_setgroups, 2, groups), 0);
	CHECK_RET(syscall(SYS_getgroups, 0, NULL), 2);
	CHECK_RET(syscall(SYS_getgroups, 2, got), 2);
	CHECK(got[0] == 5 && got[1] == 6);
	CHECK_ERR(syscall(SYS_getgroups, 1, got), EINVAL);
	CHECK_ERR(syscall(SYS_getgroups, -1, got), EINVAL);
	CHECK_ERR(syscall(SYS_setgroups, -1, groups), EINVAL);
	CHECK_ERR(syscall(SYS_setgroups, 1, 8), EFAULT);
	CHECK_RET(syscall(SYS_setresgid, 10, 11, 12), 0);
	CHECK_RET(syscall(SYS_getresgid, &r, &e, &s), 0);
	CHECK(r == 10 && e == 11 && s == 12);
	CHECK_ERR(syscall(SYS_setuid, NONE), EINVAL);
	CHECK_RET(syscall(SYS_setresuid, 20, 21, 22), 0);
	CHECK_RET(syscall(SYS_getresuid, &r, &e, &s), 0);
	CHECK(r == 20 && e == 21 && s == 22);
	CHECK_ERR(syscall(SYS_getresuid, 8, &e, &s), EFAULT);
	CHECK_RET(syscall(SYS_getuid), 20);
	CHECK_RET(syscall(SYS_geteuid), 21);
	CHECK_ERR(syscall(SYS_setuid, 0), EPERM);
	CHECK_ERR(syscall(SYS_setgid, 0), EPERM);
	CHECK_ERR(syscall(SYS_setresuid, 0, NONE, NONE), EPERM);
	CHECK_ERR(syscall(SYS_setreuid, 0, NONE), EPERM);
	CHECK_ERR(syscall(SYS_setgroups, 0, NULL), EPERM);
	CHECK_ERR(syscall(SYS_sethostname, "x", 1), EPERM);
	CHECK_ERR(kill(getppid(), 0), EPERM);
	CHECK_RET(syscall(SYS_setresuid, NONE, 22, NONE), 0);
	CHECK_RET(syscall(SYS_geteuid), 22);
	CHECK_RET(syscall(SYS_setfsuid, NONE), 22);
	CHECK_RET(syscall(SYS_setfsuid, 20), 22);
	CHECK_RET(syscall(SYS_setfsuid, NONE), 20);
	CHECK_ERR(setpriority(PRIO_PROCESS, 0, -5), EACCES);
}

static void
saved_root(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK_RET(syscall(SYS_setresuid, NONE, 30, NONE), 0);
	CHECK_RET(syscall(SYS_capget, &h, d), 0);
	CHECK_RET(d[0].effective, 0);
	CHECK(d[0].permitted != 0);
	CHECK_RET(syscall(SYS_setresuid, NONE, 0, NONE), 0);
	CHECK_RET(syscall(SYS_capget, &h, d), 0);
	CHECK(d[0].effective != 0);
	CHECK_RET(syscall(SYS_setuid, 31), 0);
	CHECK_RET(syscall(SYS_capget, &h, d), 0);
	CHECK(d[0].effective == 0 && d[0].permitted == 0);
	h.version = 1;
	CHECK_ERR(syscall(SYS_capget, &h, d), EINVAL);
	CHECK_RET(h.version, _LINUX_CAPABILITY_VERSION_3);
	CHECK_ERR(syscall(SYS_capget, 8, d), EFAULT);
	h.pid = -1;
	CHECK_ERR(syscall(SYS_capget, &h, d), EINVAL);
	h.pid = 0;
	d[0].effective = d[0].permitted = 1;
	CHECK_ERR(syscall(SYS_capset, &h, d), EPERM);
}

static void
keep_caps(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK_RET(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
	CHECK_RET(syscall(SYS_setuid, 31), 0);
	CHECK_RET(syscall(SYS_capget, &h, d), 0);
	CHECK(d[0].effective == 0 && d[0].permitted != 0);
}

static void
check_prctl(void)
{
	char name[17] = "";
	int value = -1;

	CHECK_RET(prctl(PR_SET_NAME, "a name that is too long", 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_NAME, name, 0, 0, 0), 0);
	CHECK_STR(name, "a name that is ");
	CHECK_ERR(prctl(PR_SET_NAME, 8, 0, 0, 0), EFAULT);
	CHECK_RET(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_PDEATHSIG, &value, 0, 0, 0), 0);
	CHECK_RET(value, SIGUSR1);
	CHECK_ERR(prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0), EINVAL);
	CHECK_RET(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	CHECK_ERR(prctl(PR_SET_DUMPABLE, 7, 0, 0, 0), EINVAL);
	CHECK_RET(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 1);
	CHECK_ERR(prctl(PR_CAPBSET_READ, 200, 0, 0, 0), EINVAL);
	CHECK_ERR(prctl(99999, 0, 0, 0, 0), EINVAL);
	CHECK_RET(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x5001, 0), EINVAL);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1002, 1ul << 63), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1003, 8), EFAULT);
}

static void
check_limits(void)
{
	struct rlimit l, old;

	CHECK_RET(getrlimit(RLIMIT_NOFILE, &old), 0);
	l = old;
	l.rlim_cur = 100;
	CHECK_RET(setrlimit(RLIMIT_NOFILE, &l), 0);
	CHECK_RET(getrlimit(RLIMIT_NOFILE, &l), 0);
	CHECK_RET(l.rlim_cur, 100);
	CHECK_RET(setrlimit(RLIMIT_NOFILE, &old), 0);
	l.rlim_cur = 10;
	l.rlim_max = 5;
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &l), EINVAL);
	CHECK_ERR(syscall(SYS_getrlimit, 16, &l), EINVAL);
	CHECK_ERR(syscall(SYS_getrlimit, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_prlimit64, 0x3fffffff, 0, 0, &l), ESRCH);
	CHECK_RET(syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, 0, &l), 0);
}

static void
check_scheduling(void)
{
	struct sched_param sp = { .sched_priority = 5 };
	unsigned long mask[16] = { 0 };
	struct timespec ts;

	CHECK_RET(sched_yield(), 0);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0);
	CHECK((mask[0] & ~0ul) != 0);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 3, mask), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0x3fffffff, 128, mask), ESRCH);
	CHECK_RET(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask), 0);
	memset(mask, 0, sizeof(mask));
	CHECK_ERR(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask),
	    EINVAL);
	CHECK_RET(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	CHECK_ERR(syscall(SYS_sched_getscheduler, -1), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &sp), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, 99, &sp), EINVAL);
	CHECK_RET(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	CHECK_RET(syscall(SYS_sched_get_priority_min, SCHED_RR), 1);
	CHECK_ERR(syscall(SYS_sched_get_priority_max, 99), EINVAL);
	CHECK_RET(syscall(SYS_sched_rr_get_interval, 0, &ts), 0);
	CHECK_RET(syscall(SYS_sched_getparam, 0, &sp), 0);
	CHECK_RET(sp.sched_priority, 0);
	CHECK_RET(setpriority(PRIO_PROCESS, 0, 5), 0);
	CHECK_RET(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_RET(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15);
	CHECK_ERR(getpriority(9, 0), EINVAL);
	CHECK_ERR(getpriority(PRIO_PROCESS, 0x3fffffff), ESRCH);
	CHECK_ERR(setpriority(PRIO_USER, 0x3ffffff, 1), ESRCH);
	CHECK_RET(syscall(SYS_getcpu, NULL, NULL, NULL), 0);
}

static void
check_machine(void)
{
	struct utsname u;
	struct sysinfo si;
	unsigned char a[64], b[64];

	CHECK_RET(uname(&u), 0);
	CHECK_STR(u.sysname, "Linux");
	CHECK_STR(u.machine, "x86_64");
	CHECK_ERR(syscall(SYS_uname, 8), EFAULT);
	CHECK_RET(sysinfo(&si), 0);
	CHECK(si.totalram > 0 && si.procs > 0);
	CHECK_ERR(syscall(SYS_sysinfo, 8), EFAULT);
	CHECK_RET(syscall(SYS_getrandom, a, sizeof(a), 0), sizeof(a));
	CHECK_RET(syscall(SYS_getrandom, b, sizeof(b), 1), sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK_ERR(syscall(SYS_getrandom, a, 1, 99), EINVAL);
	CHECK_ERR(syscall(SYS_getrandom, 8, 1, 0), EFAULT);
	CHECK_ERR(syscall(SYS_reboot, 1, 2, 3, 4), EINVAL);
	CHECK_OK(syscall(SYS_personality, 0xffffffff));
	CHECK_RET(syscall(SYS_set_tid_address, 0), getpid());
	CHECK_RET(syscall(SYS_gettid), getpid());
	CHECK_ERR(syscall(SYS_set_robust_list, 0, 1), EINVAL);
}

int
main(void)
{
	in_child(check_prctl, "prctl");
	in_child(check_limits, "limits");
	in_child(check_scheduling, "scheduling");
	in_child(check_machine, "machine");
	if (getuid() == 0) {
		in_child(drop_root, "ids");
		in_child(saved_root, "saved ids and capabilities");
		in_child(keep_caps, "capabilities that are kept");
	}
	return check_done();
}
