/* SPDX-License-Identifier: ISC */
/*
 * procfs_sys.c - /proc/sys.  proc(5), sysctl(8).
 */
#include "kern/log.h"
#include "kern/random.h"
#include "kern/string.h"
#include "linux/process.h"
#include "linux/procfs_sys.h"
#include "linux/sys_misc.h"
#include "linux/sysvipc.h"
#include "linux/version.h"
#include <linux/capability.h>
#include <linux/errno.h>

SHOW_TEXT(ostype, LINUX_SYSNAME)
SHOW_TEXT(osrelease, LINUX_RELEASE)
SHOW_TEXT(version, LINUX_VERSION)
SHOW_TEXT(hostname, uts_nodename())
SHOW_TEXT(domainname, uts_domainname())
SHOW_NUMBER(pid_max, ID_MAX)
SHOW_NUMBER(threads_max, ID_MAX)
SHOW_NUMBER(cap_last_cap, CAP_LAST_CAP)
SHOW_NUMBER(ngroups_max, ARRAY_SIZE(((struct creds *)0)->groups))
SHOW_NUMBER(overflow_id, 65534)
SHOW_NUMBER(randomize_va_space, 2)
SHOW_NUMBER(tainted, 0)
SHOW_NUMBER(zero, 0)
SHOW_NUMBER(sched_rr_timeslice_ms, 100)
SHOW_NUMBER(sched_rt_period_us, 1000000)
SHOW_TEXT(sched_rt_runtime_us, "-1") /* real time is never throttled */
SHOW_TEXT(arch, "x86_64")
SHOW_TEXT(core_pattern, "core")
SHOW_NUMBER(entropy_avail, 256)
SHOW_NUMBER(poolsize, 256)
SHOW_NUMBER(shmmax, SHM_MAX_BYTES)
SHOW_NUMBER(shmall, SHM_MAX_BYTES)
SHOW_NUMBER(shmmni, SHM_MNI)
SHOW_NUMBER(msgmax, MSG_MAX_BYTES)
SHOW_NUMBER(msgmnb, MSG_MNB)
SHOW_NUMBER(msgmni, MSG_MNI)

static int
show_sem(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_printf(sb, "%d\t%d\t%d\t%d\n", SEM_MSL, SEM_MNS, SEM_OPM, SEM_MNI);
	return 0;
}

static int
show_printk(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_printf(sb, "%d\t4\t1\t7\n", log_console_level());
	return 0;
}

/* The first number is the console's level. */
static int
store_printk(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)id;
	if (len == 0 || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	log_set_console_level(text[0] - '0');
	return 0;
}

static int
store_hostname(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)id;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	return uts_set_nodename(text, len);
}

/* RFC 4122, version 4. */
static void
make_uuid(uint8_t b[16])
{
	random_bytes(b, 16);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
}

static int
print_uuid(struct sbuf *sb, const uint8_t b[16])
{
	unsigned i;

	for (i = 0; i < 16; i++)
		sbuf_printf(sb,
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
		    b[i]);
	sbuf_puts(sb, "\n");
	return 0;
}

static int
show_uuid(const struct pseudo_id *id, struct sbuf *sb)
{
	uint8_t b[16];

	(void)id;
	make_uuid(b);
	return print_uuid(sb, b);
}

static int
show_boot_id(const struct pseudo_id *id, struct sbuf *sb)
{
	static struct mutex lock = MUTEX_INIT(lock);
	static uint8_t boot_id[16]; /* under lock; version 0: not made yet */

	(void)id;
	mutex_lock(&lock);
	if (boot_id[6] == 0)
		make_uuid(boot_id);
	mutex_unlock(&lock);
	return print_uuid(sb, boot_id);
}

static const struct pseudo_entry random_entries[] = {
	PROC_FILE("boot_id", 0444, show_boot_id),
	PROC_FILE("entropy_avail", 0444, show_entropy_avail),
	PROC_FILE("poolsize", 0444, show_poolsize),
	PROC_FILE("uuid", 0444, show_uuid),
	{ .name = NULL },
};
static const struct pseudo_entry kernel_entries[] = {
	PROC_FILE("arch", 0444, show_arch),
	PROC_FILE("cap_last_cap", 0444, show_cap_last_cap),
	PROC_FILE("core_pattern", 0444, show_core_pattern),
	PROC_FILE("core_uses_pid", 0444, show_zero),
	PROC_FILE("dmesg_restrict", 0444, show_zero),
	PROC_FILE("domainname", 0444, show_domainname),
	{ .name = "hostname",
	    .kind = PSEUDO_FILE,
	    .mode = 0644,
	    .show = show_hostname,
	    .store = store_hostname },
	PROC_FILE("kptr_restrict", 0444, show_zero),
	PROC_FILE("msgmax", 0444, show_msgmax),
	PROC_FILE("msgmnb", 0444, show_msgmnb),
	PROC_FILE("msgmni", 0444, show_msgmni),
	PROC_FILE("ngroups_max", 0444, show_ngroups_max),
	PROC_FILE("osrelease", 0444, show_osrelease),
	PROC_FILE("ostype", 0444, show_ostype),
	PROC_FILE("overflowgid", 0444, show_overflow_id),
	PROC_FILE("overflowuid", 0444, show_overflow_id),
	PROC_FILE("pid_max", 0444, show_pid_max),
	{ .name = "printk",
	    .kind = PSEUDO_FILE,
	    .mode = 0644,
	    .show = show_printk,
	    .store = store_printk },
	PROC_DIR("random", random_entries),
	PROC_FILE("randomize_va_space", 0444, show_randomize_va_space),
	PROC_FILE("sched_rr_timeslice_ms", 0444, show_sched_rr_timeslice_ms),
	PROC_FILE("sched_rt_period_us", 0444, show_sched_rt_period_us),
	PROC_FILE("sched_rt_runtime_us", 0444, show_sched_rt_runtime_us),
	PROC_FILE("sem", 0444, show_sem),
	PROC_FILE("shmall", 0444, show_shmall),
	PROC_FILE("shmmax", 0444, show_shmmax),
	PROC_FILE("shmmni", 0444, show_shmmni),
	PROC_FILE("tainted", 0444, show_tainted),
	PROC_FILE("threads-max", 0444, show_threads_max),
	PROC_FILE("version", 0444, show_version),
	{ .name = NULL },
};
const struct pseudo_entry proc_sys_entries[] = {
	PROC_DIR("fs", proc_sys_fs_entries),
	PROC_DIR("kernel", kernel_entries),
	PROC_DIR("net", proc_sys_net_entries),
	PROC_DIR("vm", proc_sys_vm_entries),
	{ .name = NULL },
};
