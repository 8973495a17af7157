/* SPDX-License-Identifier: ISC */
/*
 * proc_sysvipc.c - System V shared memory, semaphores and message queues:
 * keys and numbers, attaching, undoing, sleeping, removal, who may what.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define KEY 0x52454d4f

union semun_ {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int
sem_op(int id, int num, int op, int flags)
{
	struct sembuf b = { num, op, flags };

	return semop(id, &b, 1);
}

static int
sem_get(int id, int num, int what)
{
	return semctl(id, num, what);
}

static int
ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) > 0 ? status : -1;
}

/* ---- shared memory ---- */

static void
shm_lives(void)
{
	struct shmid_ds ds;
	char *p, *q;
	int id, other;
	pid_t pid;

	CHECK_ERR(shmget(KEY, 100, 0600), ENOENT);
	CHECK_ERR(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
	id = CHECK_OK(shmget(KEY, 5000, IPC_CREAT | 0640));
	CHECK_RET(shmget(KEY, 100, 0600), id);
	CHECK_ERR(shmget(KEY, 5001, 0600), EINVAL);
	CHECK_ERR(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	other = CHECK_OK(shmget(IPC_PRIVATE, 1, 0600));
	CHECK(other != id);
	p = shmat(id, NULL, 0);
	REQUIRE(p != (void *)-1);
	q = shmat(id, NULL, SHM_RDONLY);
	REQUIRE(q != (void *)-1);
	CHECK(p != q);
	strcpy(p, "shared");
	CHECK_STR(q, "shared");
	CHECK_FAULT(*(volatile char *)q = 1, SIGSEGV, q);
	CHECK_RET(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_RET(ds.shm_segsz, 5000);
	CHECK_RET(ds.shm_nattch, 2);
	CHECK_RET(ds.shm_cpid, getpid());
	CHECK_RET(ds.shm_lpid, getpid());
	CHECK_RET(ds.shm_perm.mode & 0777, 0640);
	CHECK(ds.shm_atime != 0 && ds.shm_dtime == 0);
	pid = fork();
	if (pid == 0) {
		shmctl(id, IPC_STAT, &ds);
		strcpy(p + 4096, "child");
		_exit(ds.shm_nattch == 4 ? 0 : 1);
	}
	CHECK_RET(ended(pid), 0);
	CHECK_STR(p + 4096, "child");
	CHECK_RET(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_RET(ds.shm_nattch, 2);
	CHECK_RET(shmdt(q), 0);
	CHECK_ERR(shmdt(q), EINVAL);
	CHECK_RET(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_RET(ds.shm_nattch, 1);
	CHECK(ds.shm_dtime != 0);
	/* Removed, it stays for those who have it. */
	CHECK_RET(shmctl(id, IPC_RMID, NULL), 0);
	CHECK_ERR(shmget(KEY, 100, 0600), ENOENT);
	CHECK_RET(shmctl(id, IPC_STAT, &ds), 0);
	CHECK((ds.shm_perm.mode & 01000) != 0);
	CHECK_STR(p, "shared");
	CHECK_RET(shmdt(p), 0);
	CHECK_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
	CHECK_ERR(shmat(id, NULL, 0) == (void *)-1 ? -1 : 0, EINVAL);
	CHECK_RET(shmctl(other, IPC_RMID, NULL), 0);
	CHECK_ERR(shmctl(other, IPC_STAT, &ds), EINVAL);
}

static void
shm_places(void)
{
	int id = CHECK_OK(shmget(IPC_PRIVATE, 3 * 4096, 0600));
	char *room, *p;

	room = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
	REQUIRE(room != MAP_FAILED);
	CHECK_ERR((long)shmat(id, room + 1, 0), EINVAL);
	CHECK_ERR((long)shmat(id, room, 0), EINVAL);
	CHECK_ERR((long)shmat(id, NULL, SHM_REMAP), EINVAL);
	p = shmat(id, room + 4096, SHM_REMAP);
	CHECK_RET(p, room + 4096);
	p[0] = p[2 * 4096] = 'x';
	munmap(room, 8 * 4096);
	CHECK_RET(shmat(id, room + 5, SHM_RND), room);
	CHECK_RET(p[-4096], 'x');
	/* With a hole in it it goes as a whole. */
	CHECK_RET(munmap(room + 4096, 4096), 0);
	CHECK_RET(shmdt(room), 0);
	CHECK_FAULT(*(volatile char *)(room + 2 * 4096), SIGSEGV, NULL);
	CHECK_RET(shmctl(id, IPC_RMID, NULL), 0);
	CHECK_ERR(shmctl(id, 99, NULL), EINVAL);
}

static void
shm_rights(void)
{
	struct shmid_ds ds;
	int id;
	pid_t pid;

	if (geteuid() != 0)
		return;
	id = CHECK_OK(shmget(KEY, 4096, IPC_CREAT | 0604));
	pid = fork();
	if (pid == 0) {
		if (setgid(77) != 0 || setuid(77) != 0)
			_exit(1);
		CHECK_ERR((long)shmat(id, NULL, 0), EACCES);
		CHECK((long)shmat(id, NULL, SHM_RDONLY) != -1);
		CHECK_ERR(shmget(KEY, 1, 0600), EACCES);
		CHECK_OK(shmget(KEY, 1, 0400));
		CHECK_ERR(shmctl(id, IPC_RMID, NULL), EPERM);
		CHECK_RET(shmctl(id, IPC_STAT, &ds), 0);
		CHECK_ERR(shmctl(id, IPC_SET, &ds), EPERM);
		_exit(check_failed_count != 0);
	}
	CHECK_RET(ended(pid), 0);
	CHECK_RET(shmctl(id, IPC_STAT, &ds), 0);
	ds.shm_perm.uid = 77;
	ds.shm_perm.mode = 0666;
	CHECK_RET(shmctl(id, IPC_SET, &ds), 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(77) != 0)
			_exit(1);
		_exit(shmctl(id, IPC_RMID, NULL) != 0);
	}
	CHECK_RET(ended(pid), 0);
	CHECK_ERR(shmget(KEY, 1, 0), ENOENT);
}

/* ---- semaphores ---- */

static void
sem_operates(void)
{
	unsigned short values[3] = { 1, 2, 3 };
	struct sembuf ops[2] = { { 0, -1, IPC_NOWAIT }, { 1, -5, IPC_NOWAIT } };
	struct semid_ds ds;
	union semun_ arg = { .val = 5 };
	int id;

	CHECK_ERR(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERR(semget(KEY, 1, 0600), ENOENT);
	id = CHECK_OK(semget(KEY, 3, IPC_CREAT | 0600));
	CHECK_ERR(semget(KEY, 4, 0600), EINVAL);
	CHECK_RET(semget(KEY, 0, 0600), id);
	CHECK_RET(sem_get(id, 0, GETVAL), 0);
	CHECK_RET(semctl(id, 0, SETVAL, arg), 0);
	CHECK_RET(sem_get(id, 0, GETVAL), 5);
	arg.val = 32768;
	CHECK_ERR(semctl(id, 0, SETVAL, arg), ERANGE);
	arg.array = values;
	CHECK_RET(semctl(id, 0, SETALL, arg), 0);
	memset(values, 0, sizeof(values));
	CHECK_RET(semctl(id, 0, GETALL, arg), 0);
	CHECK(values[0] == 1 && values[1] == 2 && values[2] == 3);
	CHECK_ERR(semop(id, ops, 2), EAGAIN);
	CHECK_RET(sem_get(id, 0, GETVAL), 1); /* all or nothing */
	ops[1].sem_op = -2;
	CHECK_RET(semop(id, ops, 2), 0);
	CHECK_RET(sem_get(id, 0, GETVAL), 0);
	CHECK_RET(sem_get(id, 1, GETVAL), 0);
	CHECK_RET(sem_get(id, 1, GETPID), getpid());
	CHECK_RET(sem_op(id, 0, 0, 0), 0);
	CHECK_ERR(sem_op(id, 2, 0, IPC_NOWAIT), EAGAIN);
	CHECK_ERR(sem_op(id, 3, 1, 0), EFBIG);
	CHECK_ERR(sem_op(id, 2, 32767, 0), ERANGE);
	CHECK_ERR(semop(id, ops, 0), EINVAL);
	CHECK_ERR(semop(id, ops, 501), E2BIG);
	CHECK_ERR(sem_get(id, 3, GETVAL), EINVAL);
	arg.buf = &ds;
	CHECK_RET(semctl(id, 0, IPC_STAT, arg), 0);
	CHECK_RET(ds.sem_nsems, 3);
	CHECK(ds.sem_otime != 0 && ds.sem_ctime != 0);
	CHECK_RET(semctl(id, 0, IPC_RMID), 0);
	CHECK_ERR(sem_op(id, 0, 1, 0), EINVAL);
}

static void
sem_sleeps(void)
{
	struct timespec ts = { 0, 20000000 };
	struct sembuf b = { 0, -1, 0 };
	int id = CHECK_OK(semget(IPC_PRIVATE, 2, 0600));
	union semun_ arg = { .val = 0 };
	pid_t pid;

	CHECK_ERR(syscall(SYS_semtimedop, id, &b, 1, &ts), EAGAIN);
	pid = fork();
	if (pid == 0) {
		if (sem_op(id, 0, -2, 0) != 0)
			_exit(1);
		_exit(sem_op(id, 1, 0, 0) != 0);
	}
	while (sem_get(id, 0, GETNCNT) != 1)
		sched_yield();
	CHECK_RET(sem_op(id, 1, 1, 0), 0);
	CHECK_RET(sem_op(id, 0, 1, 0), 0);
	CHECK_RET(sem_get(id, 0, GETNCNT), 1);
	CHECK_RET(sem_op(id, 0, 1, 0), 0);
	while (sem_get(id, 1, GETZCNT) != 1)
		sched_yield();
	CHECK_RET(sem_get(id, 0, GETVAL), 0);
	CHECK_RET(sem_op(id, 1, -1, 0), 0);
	CHECK_RET(ended(pid), 0);
	/* Removal, and a signal, end the wait. */
	pid = fork();
	if (pid == 0)
		_exit(sem_op(id, 0, -1, 0) == -1 && errno == EIDRM ? 0 : 1);
	while (sem_get(id, 0, GETNCNT) != 1)
		sched_yield();
	CHECK_RET(semctl(id, 0, IPC_RMID, arg), 0);
	CHECK_RET(ended(pid), 0);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
sem_is_interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm,
		.sa_flags = SA_RESTART };
	int id = CHECK_OK(semget(IPC_PRIVATE, 1, 0600));
	pid_t pid = fork();

	if (pid == 0) {
		sigaction(SIGUSR1, &sa, NULL);
		_exit(sem_op(id, 0, -1, 0) == -1 && errno == EINTR ? 0 : 1);
	}
	while (sem_get(id, 0, GETNCNT) != 1)
		sched_yield();
	kill(pid, SIGUSR1);
	CHECK_RET(ended(pid), 0);
	CHECK_RET(sem_get(id, 0, GETNCNT), 0);
	CHECK_RET(semctl(id, 0, IPC_RMID), 0);
}

static void
sem_undoes(void)
{
	union semun_ arg = { .val = 10 };
	int id = CHECK_OK(semget(IPC_PRIVATE, 2, 0600));
	pid_t pid;

	CHECK_RET(semctl(id, 0, SETVAL, arg), 0);
	CHECK_RET(semctl(id, 1, SETVAL, arg), 0);
	pid = fork();
	if (pid == 0) {
		sem_op(id, 0, -3, SEM_UNDO);
		sem_op(id, 0, 1, SEM_UNDO);
		sem_op(id, 0, -1, 0);
		sem_op(id, 1, -4, SEM_UNDO);
		kill(getpid(), SIGKILL);
	}
	CHECK_RET(ended(pid), SIGKILL);
	CHECK_RET(sem_get(id, 0, GETVAL), 9);
	CHECK_RET(sem_get(id, 1, GETVAL), 10);
	CHECK_RET(sem_get(id, 1, GETPID), pid);
	/* A value that is set is not undone; a child inherits nothing. */
	pid = fork();
	if (pid == 0) {
		sem_op(id, 0, 5, SEM_UNDO);
		semctl(id, 0, SETVAL, arg);
		sem_op(id, 1, 2, SEM_UNDO);
		pid = fork();
		if (pid == 0)
			_exit(0);
		_exit(ended(pid) != 0 || sem_get(id, 1, GETVAL) != 12);
	}
	CHECK_RET(ended(pid), 0);
	CHECK_RET(sem_get(id, 0, GETVAL), 10);
	CHECK_RET(sem_get(id, 1, GETVAL), 10);
	CHECK_RET(semctl(id, 0, IPC_RMID), 0);
}

/* Many that count each other in and out. */
static void
sem_excludes(void)
{
	int id = CHECK_OK(semget(IPC_PRIVATE, 1, 0600)), i, n;
	volatile int *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int bad = 0;

	for (i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		for (n = 0; n < 500; n++) {
			if (sem_op(id, 0, -1, SEM_UNDO) != 0)
				_exit(1);
			*count = *count + 1;
			if (sem_op(id, 0, 1, SEM_UNDO) != 0)
				_exit(1);
		}
		_exit(0);
	}
	CHECK_RET(sem_op(id, 0, 1, 0), 0);
	for (i = 0; i < 4; i++)
		bad += ended(-1) != 0;
	CHECK_RET(bad, 0);
	CHECK_RET(*count, 2000);
	CHECK_RET(sem_get(id, 0, GETVAL), 1);
	CHECK_RET(semctl(id, 0, IPC_RMID), 0);
	munmap((void *)count, 4096);
}

/* ---- message queues ---- */

struct message {
	long type;
	char text[8192];
};

static int
msg_put(int id, long type, const char *text, int flags)
{
	struct message m = { .type = type };

	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), flags);
}

/* The text, or the errno's name. */
static const char *
msg_take(int id, long type, int flags)
{
	static struct message m;
	ssize_t n = msgrcv(id, &m, sizeof(m.text) - 1, type,
	    flags | IPC_NOWAIT);

	if (n < 0)
		return check_errno_name(errno);
	m.text[n] = '\0';
	return m.text;
}

static void
msg_orders(void)
{
	struct message m = { .type = 1 };
	struct msqid_ds ds;
	int id = CHECK_OK(msgget(KEY, IPC_CREAT | 0600));

	CHECK_RET(msgget(KEY, 0), id);
	CHECK_ERR(msg_put(id, 0, "x", 0), EINVAL);
	CHECK_ERR(msgsnd(id, &m, 8193, 0), EINVAL);
	CHECK_ERR(msgrcv(id, &m, 1, 0, IPC_NOWAIT), ENOMSG);
	CHECK_RET(msg_put(id, 5, "five", 0), 0);
	CHECK_RET(msg_put(id, 3, "three", 0), 0);
	CHECK_RET(msg_put(id, 7, "seven", 0), 0);
	CHECK_RET(msg_put(id, 3, "three again", 0), 0);
	CHECK_RET(msgctl(id, IPC_STAT, &ds), 0);
	CHECK_RET(ds.msg_qnum, 4);
	CHECK_RET(ds.msg_cbytes, 25);
	CHECK_RET(ds.msg_qbytes, 16384);
	CHECK_RET(ds.msg_lspid, getpid());
	CHECK_STR(msg_take(id, 7, 0), "seven");
	CHECK_STR(msg_take(id, -4, 0), "three");
	CHECK_STR(msg_take(id, 3, MSG_EXCEPT), "five");
	CHECK_RET(msg_put(id, 1, "", 0), 0);
	CHECK_STR(msg_take(id, 0, 0), "three again");
	CHECK_STR(msg_take(id, 0, 0), "");
	CHECK_RET(msg_put(id, 1, "0123456789", 0), 0);
	CHECK_ERR(msgrcv(id, &m, 5, 0, IPC_NOWAIT), E2BIG);
	CHECK_RET(msgrcv(id, &m, 5, 0, MSG_NOERROR), 5);
	CHECK_MEM(m.text, "01234", 5);
	CHECK_RET(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_ERR(msgctl(id, IPC_STAT, &ds), EINVAL);
}

static void
msg_sleeps(void)
{
	static struct message big = { .type = 1 };
	int id = CHECK_OK(msgget(IPC_PRIVATE, 0600)), i;
	struct msqid_ds ds;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit(msgrcv(id, &big, 100, 9, 0) == 4 ? 0 : 1);
	CHECK_RET(msg_put(id, 1, "other", 0), 0);
	CHECK_RET(msg_put(id, 9, "mine", 0), 0);
	CHECK_RET(ended(pid), 0);
	CHECK_STR(msg_take(id, 0, 0), "other");
	CHECK_RET(msgsnd(id, &big, 8192, 0), 0);
	CHECK_RET(msgsnd(id, &big, 8192, 0), 0);
	CHECK_ERR(msgsnd(id, &big, 1, IPC_NOWAIT), EAGAIN);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < 100; i++)
			if (msgsnd(id, &big, 8192, 0) != 0)
				_exit(1);
		_exit(
		    msgsnd(id, &big, 8192, 0) == -1 && errno == EIDRM ? 0 : 2);
	}
	for (i = 0; i < 100; i++)
		if (msgrcv(id, &big, 8192, 0, 0) != 8192)
			break;
	CHECK_RET(i, 100);
	do
		msgctl(id, IPC_STAT, &ds);
	while (ds.msg_qnum != 2);
	usleep(10000);
	CHECK_RET(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_RET(ended(pid), 0);
}

/* Numbers of what was removed do not name what came after. */
static void
numbers(void)
{
	int a = CHECK_OK(msgget(IPC_PRIVATE, 0600)), b;

	CHECK_RET(msgctl(a, IPC_RMID, NULL), 0);
	b = CHECK_OK(msgget(IPC_PRIVATE, 0600));
	CHECK(a != b);
	CHECK_RET(msgctl(b, IPC_RMID, NULL), 0);
	CHECK_ERR(msgctl(-1, IPC_RMID, NULL), EINVAL);
	CHECK_ERR(semctl(-1, 0, GETVAL), EINVAL);
	CHECK_ERR(shmctl(-1, IPC_RMID, NULL), EINVAL);
}

int
main(void)
{
	shm_lives();
	shm_places();
	shm_rights();
	sem_operates();
	sem_sleeps();
	sem_is_interrupted();
	sem_undoes();
	sem_excludes();
	msg_orders();
	msg_sleeps();
	numbers();
	return check_done();
}
