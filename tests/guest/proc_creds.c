/* SPDX-License-Identifier: ISC */
/*
 * proc_creds.c - threads of one process with different credentials: ids,
 * groups, capabilities, no_new_privs, timer slack; what they may do side by
 * side, what is inherited from them.  Run as root it tests all, else what
 * needs no root.
 *
 * C libraries give new ids to every thread, so these ask the kernel itself.
 */
#include "check.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define UID 1000
#define GID 1001

static char dir[] = "/tmp/proc_creds.XXXXXX";
static pthread_barrier_t barrier;
static int program; /* this one's file */

static pid_t
self_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* Two threads take turns: only one of them checks at any time. */
static void
turn(void)
{
	pthread_barrier_wait(&barrier);
}

static pthread_t
begin(void *(*fn)(void *))
{
	pthread_t t;

	REQUIRE(pthread_create(&t, NULL, fn, NULL) == 0);
	return t;
}

static void
raw_uids(uid_t uid)
{
	CHECK_RET(syscall(SYS_setresuid, uid, uid, uid), 0);
}

static void
raw_ids(uid_t uid, gid_t gid)
{
	CHECK_RET(syscall(SYS_setgroups, 0, NULL), 0);
	CHECK_RET(syscall(SYS_setresgid, gid, gid, gid), 0);
	raw_uids(uid);
}

static long
fsuid_of(long uid)
{
	return syscall(SYS_setfsuid, uid);
}

static uint64_t
effective(pid_t tid)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3,
		tid };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	CHECK_RET(syscall(SYS_capget, &h, d), 0);
	return d[0].effective | (uint64_t)d[1].effective << 32;
}

static void
drop(unsigned cap)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	CHECK_RET(syscall(SYS_capget, &h, d), 0);
	d[cap / 32].effective &= ~(1u << cap % 32);
	CHECK_RET(syscall(SYS_capset, &h, d), 0);
}

static bool
has_cap(pid_t tid, unsigned cap)
{
	return (effective(tid) >> cap & 1) != 0;
}

/* A number of a thread's status, as /proc tells it. */
static long
status_of(pid_t tid, const char *word)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	return check_number(path, word);
}

static void
make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	close(fd);
}

static void
check_owner(const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	CHECK_RET(stat(name, &st), 0);
	CHECK_RET(st.st_uid, uid);
	CHECK_RET(st.st_gid, gid);
	CHECK_RET(unlink(name), 0);
}

static void
may_open(const char *name, bool may)
{
	int fd = open(name, O_RDONLY);

	CHECK_RET(fd >= 0, may);
	if (fd >= 0)
		close(fd);
}

/* ---- ids ---- */

static pid_t other;

static void *
another_user(void *unused)
{
	gid_t groups[2];

	(void)unused;
	other = self_tid();
	raw_ids(UID, GID);
	turn(); /* the first thread looks at itself, and at this one */
	turn();
	CHECK_RET(syscall(SYS_geteuid), UID);
	CHECK_RET(syscall(SYS_getegid), GID);
	CHECK_RET(syscall(SYS_getgroups, 2, groups), 0);
	make("of-other");
	may_open("of-first", false);
	may_open("of-other", true);
	CHECK_ERR(syscall(SYS_setresuid, 0, 0, 0), EPERM);
	CHECK_ERR(chown("of-other", 0, 0), EPERM);
	turn(); /* the first one does all of that */
	turn();
	return unused;
}

static void
two_users(void)
{
	pthread_t t = begin(another_user);

	turn();
	CHECK_RET(syscall(SYS_getuid), 0);
	CHECK_RET(syscall(SYS_getegid), 0);
	CHECK_RET(status_of(self_tid(), "Uid:"), 0);
	CHECK_RET(status_of(other, "Uid:"), UID);
	CHECK_RET(status_of(other, "Gid:"), GID);
	CHECK_RET(check_number("/proc/self/status", "Uid:"), 0);
	CHECK(has_cap(self_tid(), CAP_CHOWN));
	CHECK_RET(effective(other), 0);
	make("of-first");
	turn();
	turn();
	may_open("of-other", true);
	check_owner("of-first", 0, 0);
	check_owner("of-other", UID, GID);
	turn();
	pthread_join(t, NULL);
}

/* A server of files that acts for its clients, a thread each. */
static void *
acts_for_client(void *unused)
{
	(void)unused;
	CHECK_RET(syscall(SYS_setfsgid, GID), 0);
	CHECK_RET(fsuid_of(UID), 0);
	CHECK_RET(fsuid_of(-1), UID);
	CHECK(!has_cap(0, CAP_DAC_OVERRIDE));
	CHECK(has_cap(0, CAP_SETUID));
	make("of-client");
	may_open("of-server", false);
	turn();
	turn();
	CHECK_RET(fsuid_of(0), UID);
	may_open("of-server", true);
	return unused;
}

static void
two_fsuids(void)
{
	pthread_t t;

	make("of-server");
	t = begin(acts_for_client);
	turn();
	CHECK_RET(fsuid_of(-1), 0);
	CHECK(has_cap(0, CAP_DAC_OVERRIDE));
	may_open("of-server", true);
	may_open("of-client", true);
	check_owner("of-client", UID, GID);
	turn();
	pthread_join(t, NULL);
	check_owner("of-server", 0, 0);
}

/* Whoever looks sees what was before, or what is after, and nothing between. */
static bool done;

static void *
changes(void *unused)
{
	unsigned failed = 0, n;

	other = self_tid();
	turn();
	for (n = 0; n < 100 || !__atomic_load_n(&done, __ATOMIC_ACQUIRE); n++) {
		failed += syscall(SYS_setresuid, UID, UID, 0) != 0;
		failed += syscall(SYS_setresuid, 0, 0, 0) != 0;
	}
	turn();
	CHECK_RET(failed, 0);
	return unused;
}

static void
is_whole(void)
{
	pthread_t t = begin(changes);
	unsigned torn = 0, i, u[4];
	char path[64], line[200];
	FILE *f;

	turn();
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", other);
	for (i = 0; i < 200; i++) {
		f = fopen(path, "r");
		if (f == NULL)
			break;
		while (fgets(line, sizeof(line), f) != NULL)
			if (sscanf(line, "Uid: %u %u %u %u", u, u + 1, u + 2,
				u + 3) == 4)
				torn += u[0] != u[1] || u[1] != u[3] ||
				    u[2] != 0;
		fclose(f);
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	turn();
	pthread_join(t, NULL);
	CHECK_RET(i, 200);
	CHECK_RET(torn, 0);
}

/* The C library's call is for all threads, also for those that wait. */
static void *
waits(void *unused)
{
	turn();
	turn();
	CHECK_RET(syscall(SYS_geteuid), UID);
	return unused;
}

static int
library_for_all(void)
{
	pthread_t t = begin(waits);

	turn();
	CHECK_RET(setresuid(UID, UID, UID), 0);
	turn();
	pthread_join(t, NULL);
	return check_done();
}

/* ---- capabilities ---- */

static void *
drops_some(void *unused)
{
	(void)unused;
	other = self_tid();
	drop(CAP_DAC_OVERRIDE);
	drop(CAP_DAC_READ_SEARCH);
	CHECK_RET(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0), 0);
	turn();
	turn();
	may_open("closed", false);
	raw_uids(UID);
	CHECK_RET(effective(0), 0);
	CHECK_RET(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
	return unused;
}

static void
two_sets(void)
{
	pthread_t t;
	int fd = open("closed", O_WRONLY | O_CREAT, 0);

	CHECK(fd >= 0);
	close(fd);
	t = begin(drops_some);
	turn();
	CHECK(!has_cap(other, CAP_DAC_OVERRIDE));
	CHECK(has_cap(0, CAP_DAC_OVERRIDE));
	may_open("closed", true);
	CHECK_RET(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 1);
	turn();
	pthread_join(t, NULL);
	CHECK_RET(unlink("closed"), 0);
}

/* ---- no_new_privs, seccomp ---- */

static long
refuse_getpriority(unsigned flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTSUP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(f[0]), f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

static int
no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void *
gives_up(void *unused)
{
	(void)unused;
	other = self_tid();
	if (geteuid() == 0)
		drop(CAP_SYS_ADMIN);
	CHECK_ERR(refuse_getpriority(0), EACCES);
	CHECK_RET(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_RET(refuse_getpriority(0), 0);
	CHECK_ERR(syscall(SYS_getpriority, 0, 0), ENOTSUP);
	turn();
	turn();
	/* Those that follow a filter also follow in this. */
	CHECK_RET(refuse_getpriority(SECCOMP_FILTER_FLAG_TSYNC), 0);
	return unused;
}

static void *
says_no_new_privs(void *unused)
{
	(void)unused;
	CHECK_RET(no_new_privs(), 1);
	return NULL;
}

static int
one_gives_up(void)
{
	pthread_t t = begin(gives_up);

	turn();
	CHECK_RET(no_new_privs(), 0);
	CHECK_RET(status_of(self_tid(), "NoNewPrivs:"), 0);
	CHECK_RET(status_of(other, "NoNewPrivs:"), 1);
	CHECK(syscall(SYS_getpriority, 0, 0) > 0);
	turn();
	pthread_join(t, NULL);
	CHECK_RET(no_new_privs(), 1);
	CHECK_ERR(syscall(SYS_getpriority, 0, 0), ENOTSUP);
	pthread_join(begin(says_no_new_privs), NULL);
	return check_done();
}

/* ---- what is inherited ---- */

static void *
says_other(void *unused)
{
	CHECK_RET(syscall(SYS_getuid), UID);
	CHECK_RET(syscall(SYS_getgid), GID);
	return unused;
}

static void
run_leaf(void)
{
	char *argv[] = { "proc_creds", "leaf", NULL }, *env[] = { NULL };

	syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
	_exit(9);
}

static void *
has_children(void *how)
{
	siginfo_t info;
	pid_t pid;

	raw_ids(UID, GID);
	if (how != NULL)
		run_leaf();
	pthread_join(begin(says_other), NULL);
	pid = fork();
	if (pid == 0) {
		CHECK_RET(getuid(), UID);
		CHECK_RET(getegid(), GID);
		CHECK_RET(status_of(getpid(), "Uid:"), UID);
		_exit(check_done());
	}
	CHECK_RET(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	CHECK_RET(info.si_status, 0);
	CHECK_RET(info.si_uid, UID);
	return how;
}

static int
thread_runs(void)
{
	pthread_t t;

	REQUIRE(pthread_create(&t, NULL, has_children, dir) == 0);
	pthread_join(t, NULL);
	return 1;
}

static int
leaf(void)
{
	CHECK_RET(getuid(), UID);
	CHECK_RET(getegid(), GID);
	CHECK_RET(check_number("/proc/self/status", "Uid:"), UID);
	CHECK_RET(effective(0), 0);
	CHECK_RET(effective(getpid()), 0);
	return check_done();
}

/* ---- others' ---- */

static pid_t victim;

static void *
may_signal(void *unused)
{
	(void)unused;
	CHECK_RET(kill(victim, 0), 0);
	raw_uids(UID + 1);
	CHECK_ERR(kill(victim, 0), EPERM);
	CHECK_RET(kill(getpid(), 0), 0);
	return NULL;
}

static void *
may_signal_own(void *unused)
{
	(void)unused;
	raw_uids(UID);
	CHECK_RET(kill(victim, 0), 0);
	return NULL;
}

static void
signals(void)
{
	int fds[2];
	char c;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	victim = fork();
	if (victim == 0) {
		close(fds[1]);
		if (syscall(SYS_setresuid, UID, UID, UID) != 0 ||
		    write(fds[0], "x", 1) != 1)
			_exit(1);
		_exit(read(fds[0], &c, 1) == 0 ? 0 : 1);
	}
	close(fds[0]);
	CHECK_RET(read(fds[1], &c, 1), 1); /* it is another user by now */
	pthread_join(begin(may_signal), NULL);
	pthread_join(begin(may_signal_own), NULL);
	close(fds[1]);
	CHECK_RET(waitpid(victim, NULL, 0), victim);
}

/* A process whose first thread is root's, and another one of it is not. */
static void *
is_another(void *fd)
{
	pid_t tid = self_tid();
	char c;

	if (syscall(SYS_setresuid, UID, UID, UID) != 0 ||
	    write(*(int *)fd, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	_exit(read(*(int *)fd, &c, 1) == 0 ? 0 : 1);
}

static void *
may_signal_one(void *unused)
{
	raw_uids(UID);
	CHECK_ERR(kill(victim, 0), EPERM);
	CHECK_ERR(syscall(SYS_tgkill, victim, victim, 0), EPERM);
	CHECK_RET(syscall(SYS_tgkill, victim, other, 0), 0);
	return unused;
}

static void
signals_to_threads(void)
{
	int fds[2];
	pthread_t t;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	victim = fork();
	if (victim == 0) {
		close(fds[1]);
		if (pthread_create(&t, NULL, is_another, &fds[0]) != 0)
			_exit(1);
		pthread_join(t, NULL);
		_exit(1);
	}
	close(fds[0]);
	CHECK_RET(read(fds[1], &other, sizeof(other)), sizeof(other));
	pthread_join(begin(may_signal_one), NULL);
	CHECK_RET(syscall(SYS_tgkill, victim, victim, 0), 0);
	close(fds[1]);
	CHECK_RET(waitpid(victim, NULL, 0), victim);
}

static int pair[2];

static long
send_claim(uid_t uid, gid_t gid)
{
	struct ucred *who;
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(*who))];
	} u;
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = sizeof(u) };

	memset(&u, 0, sizeof(u));
	u.h.cmsg_len = CMSG_LEN(sizeof(*who));
	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_CREDENTIALS;
	who = (struct ucred *)CMSG_DATA(&u.h);
	*who = (struct ucred){ getpid(), uid, gid };
	return sendmsg(pair[0], &m, 0);
}

static void *
talks(void *unused)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	raw_ids(UID, GID);
	CHECK_RET(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	CHECK_RET(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &c, &len), 0);
	CHECK_RET(c.uid, UID);
	CHECK_RET(c.gid, GID);
	CHECK_ERR(send_claim(0, GID), EPERM);
	CHECK_ERR(send_claim(UID, 0), EPERM);
	CHECK_RET(send_claim(UID, GID), 1);
	return unused;
}

static void
sockets(void)
{
	pthread_join(begin(talks), NULL);
	CHECK_RET(send_claim(UID + 1, GID + 1), 1); /* root may */
	close(pair[0]);
	close(pair[1]);
}

/* ---- timer slack ---- */

static void *
has_first(void *unused)
{
	CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 70000);
	CHECK_RET(prctl(PR_SET_TIMERSLACK, 5, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 5);
	CHECK_RET(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
	CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 70000);
	return unused;
}

static void *
has_slack(void *unused)
{
	CHECK_RET(prctl(PR_SET_TIMERSLACK, 70000, 0, 0, 0), 0);
	pthread_join(begin(has_first), NULL);
	CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 70000);
	return unused;
}

static void
slack(void)
{
	int mine = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);

	pthread_join(begin(has_slack), NULL);
	CHECK_RET(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), mine);
}

/* ---- all of it ---- */

static void
in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

static void
as_root(void)
{
	two_users();
	two_fsuids();
	is_whole();
	in_child(library_for_all);
	two_sets();
	pthread_join(begin(has_children), NULL);
	in_child(thread_runs);
	signals();
	signals_to_threads();
	sockets();
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "leaf") == 0)
		return leaf();
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(chmod(dir, 0777) == 0);
	REQUIRE(chdir(dir) == 0);
	REQUIRE((program = open("/proc/self/exe", O_RDONLY)) >= 0);
	REQUIRE(pthread_barrier_init(&barrier, NULL, 2) == 0);
	slack();
	if (geteuid() == 0)
		as_root();
	in_child(one_gives_up);
	CHECK_RET(chdir("/"), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
