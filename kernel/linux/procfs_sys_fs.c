/* SPDX-License-Identifier: ISC */
/*
 * procfs_sys_fs.c - /proc/sys/fs and /proc/sys/vm.  proc(5), sysctl(8).
 *
 * Hints are words that programs set and read back, and that change nothing
 * here: what they would tune (writing back by time, swapping, limits of what
 * has none) does not exist.  They are kept as told, inside of Linux' bounds,
 * so that `sysctl -p` of a whole system goes through.
 */
#include "fs/pagecache.h"
#include "fs/vfs.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/aio.h"
#include "linux/fdtable.h"
#include "linux/inotify.h"
#include "linux/mqueue.h"
#include "linux/procfs_sys.h"
#include <linux/errno.h>

SHOW_NUMBER(nr_open, FD_MAX)
SHOW_NUMBER(pipe_max_size, 1048576)
SHOW_NUMBER(max_map_count, VM_MAX_MAPPINGS)
SHOW_NUMBER(mmap_min_addr, VM_MIN_ADDR)
SHOW_NUMBER(aio_nr, aio_total())
SHOW_NUMBER(aio_max_nr, AIO_MAX)
SHOW_NUMBER(overflow_id, 65534)
SHOW_NUMBER(off, 0)
SHOW_NUMBER(queued_events, INOTIFY_EVENTS_MAX)
SHOW_NUMBER(mq_msg_default, MQ_MSG_DEFAULT)
SHOW_NUMBER(mq_msgsize_default, MQ_SIZE_DEFAULT)
SHOW_NUMBER(mq_queues_max, MQ_QUEUES_MAX)

bool
proc_take_number(const char **text, uint64_t *out)
{
	uint64_t v = 0, digit;
	const char *p = *text;

	while (*p == ' ' || *p == '\t')
		p++;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		digit = (uint64_t)(*p - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*text = p;
	*out = v;
	return true;
}

/* A number, and white space.  -EINVAL */
static int
parse_word(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (!proc_take_number(&text, &v))
		return -EINVAL;
	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	if (*text != '\0' || v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int
store_word(const char *text, uint64_t min, uint64_t max, uint64_t *word)
{
	uint64_t v;
	int error = parse_word(text, min, max, &v);

	if (error == 0)
		__atomic_store_n(word, v, __ATOMIC_RELAXED);
	return error;
}

#define HINT(name, first, min, max)                                           \
	static uint64_t name = (first);                                       \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb)   \
	{                                                                     \
		(void)id;                                                     \
		sbuf_printf(sb, "%lu\n",                                      \
		    __atomic_load_n(&name, __ATOMIC_RELAXED));                \
		return 0;                                                     \
	}                                                                     \
	static int store_##name(const struct pseudo_id *id, const char *text, \
	    size_t len)                                                       \
	{                                                                     \
		(void)id;                                                     \
		(void)len;                                                    \
		return store_word(text, min, max, &name);                     \
	}
#define HINT_FILE(n, word)                                      \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0644, \
		.show = show_##word, .store = store_##word      \
	}

HINT(admin_reserve_kbytes, 8192, 0, UINT64_MAX)
HINT(dirty_background_ratio, 10, 0, 100)
HINT(dirty_expire_centisecs, 3000, 0, INT32_MAX)
HINT(dirty_ratio, 20, 0, 100)
HINT(dirty_writeback_centisecs, 500, 0, INT32_MAX)
HINT(laptop_mode, 0, 0, INT32_MAX)
HINT(overcommit_ratio, 50, 0, INT32_MAX)
HINT(page_cluster, 3, 0, 31)
HINT(stat_interval, 1, 0, INT32_MAX)
HINT(swappiness, 0, 0, 200)
HINT(user_reserve_kbytes, 8192, 0, UINT64_MAX)
HINT(vfs_cache_pressure, 100, 0, INT32_MAX)
/* Memory is had at its first use, which is nearest to 1, "always". */
HINT(overcommit_memory, 1, 0, 1)

/* There is no limit of these but memory. */
HINT(epoll_watches, 1048576, 0, INT64_MAX)
HINT(inotify_instances, 8192, 0, INT32_MAX)
HINT(inotify_watches, 1048576, 0, INT32_MAX)
HINT(file_max, INT64_MAX, 0, INT64_MAX)

/* 1 clean pages of files, 2 unused names, 3 both. */
static int
store_drop_caches(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)id;
	if (len == 0 || text[0] < '1' || text[0] > '4')
		return -EINVAL;
	if ((text[0] - '0') & 2)
		(void)dentry_reclaim(UINT32_MAX);
	if ((text[0] - '0') & 1)
		(void)pagecache_reclaim(UINT64_MAX);
	return 0;
}

const struct pseudo_entry proc_sys_vm_entries[] = {
	HINT_FILE("admin_reserve_kbytes", admin_reserve_kbytes),
	HINT_FILE("dirty_background_ratio", dirty_background_ratio),
	HINT_FILE("dirty_expire_centisecs", dirty_expire_centisecs),
	HINT_FILE("dirty_ratio", dirty_ratio),
	HINT_FILE("dirty_writeback_centisecs", dirty_writeback_centisecs),
	{ .name = "drop_caches",
	    .kind = PSEUDO_FILE,
	    .mode = 0200,
	    .store = store_drop_caches },
	HINT_FILE("laptop_mode", laptop_mode),
	PROC_FILE("max_map_count", 0444, show_max_map_count),
	PROC_FILE("mmap_min_addr", 0444, show_mmap_min_addr),
	PROC_FILE("nr_hugepages", 0444, show_off),
	PROC_FILE("oom_kill_allocating_task", 0444, show_off),
	HINT_FILE("overcommit_memory", overcommit_memory),
	HINT_FILE("overcommit_ratio", overcommit_ratio),
	HINT_FILE("page-cluster", page_cluster),
	PROC_FILE("panic_on_oom", 0444, show_off),
	HINT_FILE("stat_interval", stat_interval),
	HINT_FILE("swappiness", swappiness),
	HINT_FILE("user_reserve_kbytes", user_reserve_kbytes),
	HINT_FILE("vfs_cache_pressure", vfs_cache_pressure),
	{ .name = NULL },
};

static const struct pseudo_entry epoll_entries[] = {
	HINT_FILE("max_user_watches", epoll_watches),
	{ .name = NULL },
};
static const struct pseudo_entry inotify_entries[] = {
	PROC_FILE("max_queued_events", 0444, show_queued_events),
	HINT_FILE("max_user_instances", inotify_instances),
	HINT_FILE("max_user_watches", inotify_watches),
	{ .name = NULL },
};
static const struct pseudo_entry mqueue_entries[] = {
	PROC_FILE("msg_default", 0444, show_mq_msg_default),
	PROC_FILE("msgsize_default", 0444, show_mq_msgsize_default),
	PROC_FILE("queues_max", 0444, show_mq_queues_max),
	{ .name = NULL },
};
const struct pseudo_entry proc_sys_fs_entries[] = {
	PROC_FILE("aio-max-nr", 0444, show_aio_max_nr),
	PROC_FILE("aio-nr", 0444, show_aio_nr),
	PROC_DIR("epoll", epoll_entries),
	HINT_FILE("file-max", file_max),
	PROC_DIR("inotify", inotify_entries),
	PROC_DIR("mqueue", mqueue_entries),
	PROC_FILE("nr_open", 0444, show_nr_open),
	PROC_FILE("overflowgid", 0444, show_overflow_id),
	PROC_FILE("overflowuid", 0444, show_overflow_id),
	PROC_FILE("pipe-max-size", 0444, show_pipe_max_size),
	PROC_FILE("protected_hardlinks", 0444, show_off),
	PROC_FILE("protected_symlinks", 0444, show_off),
	PROC_FILE("suid_dumpable", 0444, show_off),
	{ .name = NULL },
};
