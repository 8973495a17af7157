/* SPDX-License-Identifier: ISC */
/*
 * sysvipc.h - what System V's shared memory, semaphores and message queues
 * share: numbers, keys, owners, permissions.  sysvipc(7).
 *
 * One lock for all of them, a sleep lock inside vmspace.lock: nothing is
 * copied from or to a program while it is held.
 */
#ifndef LINUX_SYSVIPC_H
#define LINUX_SYSVIPC_H

#include "fs/pseudo.h"
#include "kern/mutex.h"
#include "kern/types.h"
#include <asm/ipcbuf.h>

#define IPC_PRIVATE 0
#define IPC_CREAT   01000
#define IPC_EXCL    02000
#define IPC_NOWAIT  04000
#define IPC_RMID    0
#define IPC_SET     1
#define IPC_STAT    2
#define IPC_INFO    3

#define IPC_READ  0444u
#define IPC_WRITE 0222u

/* The head of a segment, set or queue; all under ipc_lock. */
struct ipc_object {
	int32_t key, id;
	uint32_t uid, gid, cuid, cgid;
	uint32_t mode;
	uint16_t seq;
	uint32_t refs; /* the table's, and of who sleeps */
	bool removed;
	int64_t ctime; /* seconds */
	void (*destroy)(struct ipc_object *o);
};

struct ipc_table {
	struct ipc_object **slot;
	unsigned size, used; /* slots, those in use */
	unsigned max;        /* [I] objects that there may be */
	unsigned last, seq;  /* the last slot given out, its round */
};

extern struct mutex ipc_lock;

/*
 * The object of a key: found, or made by make(arg) and entered; its number.
 *   -EEXIST, -ENOENT, -EACCES, -ENOSPC, make's
 * check() (or NULL) says whether a found one will do.
 */
struct ipc_request {
	struct ipc_table *table;
	int32_t key;
	unsigned flags;
	int (*make)(const struct ipc_request *rq, struct ipc_object **out);
	int (*check)(const struct ipc_request *rq, struct ipc_object *o);
	uint64_t size; /* bytes, or semaphores */
};
int ipc_get(const struct ipc_request *rq);

/* By number.  -EINVAL: none; -EIDRM: it was, another has its place. */
int ipc_find_locked(struct ipc_table *t, int32_t id, struct ipc_object **out);
/* By place in the table, for *_STAT; -EINVAL. */
int ipc_at_locked(struct ipc_table *t, int32_t index, struct ipc_object **out);
/* The highest place in use; 0 when there is none. */
int ipc_highest_locked(const struct ipc_table *t);
/* May the caller do that (IPC_READ, IPC_WRITE)?  -EACCES */
int ipc_may_locked(const struct ipc_object *o, unsigned access);
/* Change or remove it?  -EPERM */
int ipc_owns_locked(const struct ipc_object *o);
/* Out of the table, without a key; destroyed when nobody uses it. */
void ipc_remove_locked(struct ipc_table *t, struct ipc_object *o);
/* Out of sight, but kept by its number: no key finds it. */
void ipc_hide_locked(struct ipc_object *o);
void ipc_put_locked(struct ipc_object *o);

/*
 * IPC_STAT, by number, and *_STAT, by place: fill() makes *ds, which is zero
 * before, under the lock; it is then copied to the program.  0, or for *_STAT
 * the object's number.  -EINVAL, -EIDRM, -EACCES (unless any), -EFAULT
 */
struct ipc_stat {
	struct ipc_table *table;
	void (*fill)(struct ipc_object *o, void *ds);
	void *ds;
	size_t size; /* of *ds */
	bool any;    /* *_STAT_ANY: no permission is asked */
};
long ipc_stat(const struct ipc_stat *st, int32_t id, int cmd, uaddr_t buf);

/* IPC_STAT's and IPC_SET's part. */
void ipc_perm_fill(const struct ipc_object *o, struct ipc64_perm *out);
int ipc_perm_set_locked(struct ipc_object *o, const struct ipc64_perm *perm);
int64_t ipc_now(void); /* seconds */

/* Calls fn for each, in order of their places; /proc/sysvipc. */
void ipc_foreach(struct ipc_table *t,
    void (*fn)(struct ipc_object *o, struct sbuf *sb), struct sbuf *sb);

/* sysvipc_shm.c */
long sys_shmget(int32_t key, uint64_t size, unsigned flags);
long sys_shmat(int32_t id, uaddr_t addr, unsigned flags);
long sys_shmdt(uaddr_t addr);
long sys_shmctl(int32_t id, int cmd, uaddr_t buf);
int proc_show_shm(const struct pseudo_id *id, struct sbuf *sb);

/* sysvipc_sem.c */
struct process;
long sys_semget(int32_t key, int n, unsigned flags);
long sys_semop(int32_t id, uaddr_t ops, unsigned n);
long sys_semtimedop(int32_t id, uaddr_t ops, unsigned n, uaddr_t timeout);
long sys_semctl(int32_t id, int num, int cmd, uint64_t arg);
int proc_show_sem(const struct pseudo_id *id, struct sbuf *sb);
/* The process ends: what SEM_UNDO asked for. */
void sem_undo_all(struct process *p);

/* sysvipc_msg.c */
long sys_msgget(int32_t key, unsigned flags);
long sys_msgsnd(int32_t id, uaddr_t msg, uint64_t size, unsigned flags);
long sys_msgrcv(int32_t id, uaddr_t msg, uint64_t size, int64_t type,
    unsigned flags);
long sys_msgctl(int32_t id, int cmd, uaddr_t buf);
int proc_show_msg(const struct pseudo_id *id, struct sbuf *sb);

/* /proc/sysvipc, and the limits as /proc/sys/kernel shows them. */
extern const struct pseudo_entry proc_sysvipc_entries[];
#define SHM_MAX_BYTES (UINT64_MAX - (1ul << 24))
#define SHM_MNI       4096
#define SEM_MSL       32000
#define SEM_MNS       1024000000
#define SEM_OPM       500
#define SEM_MNI       32000
#define MSG_MAX_BYTES 8192
#define MSG_MNB       16384
#define MSG_MNI       32000

#endif
