/* SPDX-License-Identifier: ISC */
/*
 * mm_exec.c - execve(2), execveat(2): what a new program finds on its stack
 * and in its descriptors, scripts, and every refusal.
 *
 * The program runs itself again and again; argv[1] says which step it is.
 */
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BAD ((char *)8)

static char dir[64];

static const char *
in_dir(const char *name)
{
	static char path[4][4096];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

/* This program's file, as it was called. */
static const char *
self_path(void)
{
	return (const char *)getauxval(AT_EXECFN);
}

static void
make_file(const char *name, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0700);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len ||
	    fchmod(fd, mode) != 0)
		check_note("cannot make %s", name);
	close(fd);
}

static void
make_script(const char *name, const char *text)
{
	make_file(name, text, strlen(text), 0700);
}

static void
copy_self(const char *name)
{
	char buf[65536];
	int from = open(self_path(), O_RDONLY);
	int to = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ssize_t n;

	REQUIRE(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			break;
	CHECK_RET(n, 0);
	close(from);
	close(to);
}

/* ---- refusals ---- */

static int
try_exec(const char *path)
{
	char *argv[] = { (char *)path, NULL };

	execve(path, argv, environ);
	return -1;
}

static void
bad_programs(void)
{
	Elf64_Ehdr eh;
	char *self, *many;
	int fd = open(self_path(), O_RDONLY);
	size_t size = lseek(fd, 0, SEEK_END);

	self = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(self != MAP_FAILED);
	memcpy(&eh, self, sizeof(eh));
	make_file("empty", "", 0, 0700);
	CHECK_ERR(try_exec(in_dir("empty")), ENOEXEC);
	make_file("text", "echo hello\n", 11, 0700);
	CHECK_ERR(try_exec(in_dir("text")), ENOEXEC);
	make_file("magic", "\177ELF", 4, 0700);
	CHECK_ERR(try_exec(in_dir("magic")), ENOEXEC);
	make_file("header", &eh, sizeof(eh), 0700);
	CHECK_ERR(try_exec(in_dir("header")), ENOEXEC);
	eh.e_machine = EM_AARCH64;
	memcpy(self, &eh, sizeof(eh));
	make_file("arm", self, size, 0700);
	CHECK_ERR(try_exec(in_dir("arm")), ENOEXEC);
	eh.e_machine = EM_X86_64;
	eh.e_type = ET_REL;
	memcpy(self, &eh, sizeof(eh));
	make_file("object", self, size, 0700);
	CHECK_ERR(try_exec(in_dir("object")), ENOEXEC);
	munmap(self, size);
	close(fd);
	CHECK_ERR(try_exec(in_dir("nothing")), ENOENT);
	CHECK_ERR(try_exec(""), ENOENT);
	CHECK_ERR(try_exec(dir), EACCES);
	CHECK_ERR(try_exec("/dev/null"), EACCES);
	CHECK_ERR(try_exec(in_dir("empty/x")), ENOTDIR);
	make_file("plain", "#!/bin/sh\n", 10, 0600);
	CHECK_ERR(try_exec(in_dir("plain")), EACCES);
	CHECK_RET(symlink("loop", in_dir("loop")), 0);
	CHECK_ERR(try_exec(in_dir("loop")), ELOOP);
	many = malloc(5000);
	memset(many, 'a', 4999);
	many[4999] = '\0';
	CHECK_ERR(try_exec(many), ENAMETOOLONG);
	memset(many, '/', 2);
	many[300] = '\0';
	CHECK_ERR(try_exec(many), ENAMETOOLONG);
	free(many);
	CHECK_ERR(syscall(SYS_execve, BAD, NULL, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_execve, self_path(), BAD, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_execve, self_path(), NULL, BAD), EFAULT);
	CHECK_ERR(syscall(SYS_execve, self_path(), &(char *[]){ BAD, NULL },
		      NULL),
	    EFAULT);
}

static void
bad_scripts(void)
{
	char line[600];

	make_script("none", "#!\n");
	CHECK_ERR(try_exec(in_dir("none")), ENOEXEC);
	make_script("blank", "#!   \t\n");
	CHECK_ERR(try_exec(in_dir("blank")), ENOEXEC);
	make_script("missing", "#!/nowhere/at/all\n");
	CHECK_ERR(try_exec(in_dir("missing")), ENOENT);
	snprintf(line, sizeof(line), "#!%s\n", in_dir("itself"));
	make_script("itself", line);
	CHECK_ERR(try_exec(in_dir("itself")), ELOOP);
	memset(line, 'x', sizeof(line));
	memcpy(line, "#!/", 3);
	line[599] = '\0';
	make_script("long", line);
	CHECK_ERR(try_exec(in_dir("long")), ENOEXEC);
}

static void
too_big(void)
{
	char *huge = malloc(131073), *argv[3] = { "x", huge, NULL }, **list;
	struct rlimit old, lim;
	size_t i;

	memset(huge, 'a', 131072);
	huge[131072] = '\0';
	CHECK_ERR(execve(self_path(), argv, environ), E2BIG);
	CHECK_ERR(execve(self_path(), (char *[]){ "x", NULL }, argv), E2BIG);
	REQUIRE(getrlimit(RLIMIT_STACK, &old) == 0);
	lim = old;
	lim.rlim_cur = 1 << 20; /* a quarter of it is for arguments */
	CHECK_RET(setrlimit(RLIMIT_STACK, &lim), 0);
	huge[100000] = '\0';
	list = calloc(10, sizeof(*list));
	for (i = 0; i < 3; i++)
		list[i] = huge;
	CHECK_ERR(execve(self_path(), list, environ), E2BIG);
	CHECK_RET(setrlimit(RLIMIT_STACK, &old), 0);
	free(list);
	free(huge);
}

static void
busy(void)
{
	int fd;

	copy_self("copy");
	fd = open(in_dir("copy"), O_RDWR);
	CHECK(fd >= 0);
	CHECK_ERR(try_exec(in_dir("copy")), ETXTBSY);
	close(fd);
	CHECK_ERR(open(self_path(), O_RDWR), ETXTBSY);
	CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, in_dir("loop"), NULL, NULL,
		      AT_SYMLINK_NOFOLLOW),
	    ELOOP);
	CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, in_dir("copy"), NULL, NULL,
		      0x40000),
	    EINVAL);
	CHECK_ERR(syscall(SYS_execveat, 99, "copy", NULL, NULL, 0), EBADF);
	CHECK_ERR(syscall(SYS_execveat, 0, "", NULL, NULL, 0), ENOENT);
}

/* ---- what a new program finds ---- */

static const Elf64_auxv_t *
aux_of(char **envp)
{
	while (*envp++ != NULL)
		;
	return (const Elf64_auxv_t *)envp;
}

static const Elf64_auxv_t *
aux_find(const Elf64_auxv_t *a, unsigned long type)
{
	for (; a->a_type != AT_NULL; a++)
		if (a->a_type == type)
			return a;
	return NULL;
}

static void
look_at_auxv(char **argv, char **envp)
{
	static const unsigned long order[] = { AT_SYSINFO_EHDR, 51, AT_HWCAP,
		AT_PAGESZ, AT_CLKTCK, AT_PHDR, AT_PHENT, AT_PHNUM, AT_BASE,
		AT_FLAGS, AT_ENTRY, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE,
		AT_RANDOM, AT_HWCAP2, AT_EXECFN, AT_PLATFORM };
	const Elf64_auxv_t *a = aux_of(envp), *p = a, *q;
	const Elf64_Phdr *ph;
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		q = aux_find(a, order[i]);
		if (!CHECK(q != NULL))
			check_note("no entry of type %lu", order[i]);
		else if (!CHECK(q >= p))
			check_note("type %lu out of order", order[i]);
		else
			p = q;
	}
	CHECK_RET((uintptr_t)&argv[-1] % 16, 0);
	CHECK_RET(getauxval(AT_PAGESZ), 4096);
	CHECK_RET(getauxval(AT_CLKTCK), 100);
	CHECK_RET(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK_RET(getauxval(AT_BASE), 0);
	CHECK_RET(getauxval(AT_SECURE), 0);
	CHECK_RET(getauxval(AT_UID), getuid());
	CHECK_RET(getauxval(AT_EGID), getegid());
	CHECK_STR((char *)getauxval(AT_PLATFORM), "x86_64");
	q = aux_find(a, AT_HWCAP); /* glibc's getauxval() has its own idea */
	CHECK(q != NULL && (q->a_un.a_val & 1 << 26) != 0); /* SSE2 */
	CHECK(getauxval(51) >= 1000);
	ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	for (i = 0; i < getauxval(AT_PHNUM) && ph[i].p_type != PT_LOAD; i++)
		;
	CHECK(i < getauxval(AT_PHNUM));
	CHECK((void *)getauxval(AT_RANDOM) > (void *)a);
	/* Strings stand above the vector, in order, up to the file's name. */
	CHECK(argv[0] > (char *)getauxval(AT_PLATFORM));
	for (i = 0; argv[i + 1] != NULL; i++)
		CHECK(argv[i + 1] == argv[i] + strlen(argv[i]) + 1);
	if (envp[0] != NULL)
		CHECK(envp[0] == argv[i] + strlen(argv[i]) + 1);
}

static void
run(const char *path, char *const argv[], char *const envp[])
{
	execve(path, argv, envp);
	CHECK(false);
	check_note("execve %s: errno %d", path, errno);
	exit(check_done());
}

/*
 * The steps.  Each is a program of its own, which checks how it was called
 * and goes on to the next one; the sums travel in the environment.
 */
static char sums[64];
static char *next_env[4];

static char **
env_with_sums(void)
{
	snprintf(sums, sizeof(sums), "SUMS=%u %u", check_passed_count,
	    check_failed_count);
	next_env[0] = "A=1";
	next_env[1] = sums;
	next_env[2] = dir;
	return next_env;
}

static void
step_first(void)
{
	int fd;

	bad_programs();
	bad_scripts();
	too_big();
	busy();
	fd = open("/dev/null", O_RDONLY);
	CHECK_RET(dup2(fd, 40), 40);
	CHECK_RET(fcntl(fd, F_DUPFD_CLOEXEC, 41), 41);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, _exit);
	run(in_dir("copy"), (char *[]){ "odd name", "plain", "", "x y", NULL },
	    env_with_sums());
}

static void
step_plain(int argc, char **argv, char **envp)
{
	struct sigaction sa;
	char comm[32] = "", text[600];
	int fd;

	CHECK_RET(argc, 4);
	CHECK_STR(argv[0], "odd name");
	CHECK_STR(argv[2], "");
	CHECK_STR(argv[3], "x y");
	CHECK_STR(envp[0], "A=1");
	CHECK_STR((char *)getauxval(AT_EXECFN), in_dir("copy"));
	look_at_auxv(argv, envp);
	CHECK_RET(fcntl(40, F_GETFD), 0);
	CHECK_ERR(fcntl(41, F_GETFD), EBADF);
	sigaction(SIGUSR1, NULL, &sa);
	CHECK(sa.sa_handler == SIG_IGN);
	sigaction(SIGUSR2, NULL, &sa);
	CHECK(sa.sa_handler == SIG_DFL);
	CHECK_RET(syscall(SYS_prctl, 16, comm), 0);
	CHECK_STR(comm, "copy");

	/* Through two scripts: arguments in front, the rest behind. */
	snprintf(text, sizeof(text), "#! %s  script  one arg \nrest\n",
	    in_dir("copy"));
	make_script("inner", text);
	snprintf(text, sizeof(text), "#!%s", in_dir("inner"));
	make_script("outer", text);
	fd = open(in_dir("outer"), O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	run(in_dir("outer"), (char *[]){ "gone", "last", NULL },
	    env_with_sums());
}

static void
step_script(int argc, char **argv)
{
	int fd = open(in_dir("copy"), O_RDONLY | O_CLOEXEC);

	CHECK_RET(argc, 5);
	CHECK_STR(argv[0], in_dir("copy"));
	CHECK_STR(argv[1], "script  one arg");
	CHECK_STR(argv[2], in_dir("inner"));
	CHECK_STR(argv[3], in_dir("outer"));
	CHECK_STR(argv[4], "last");
	CHECK_STR((char *)getauxval(AT_EXECFN), in_dir("outer"));
	syscall(SYS_execveat, fd, "", (char *[]){ "x", "number", NULL },
	    env_with_sums(), AT_EMPTY_PATH);
	CHECK(false);
}

static void
step_number(void)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	CHECK(strncmp((char *)getauxval(AT_EXECFN), "/dev/fd/", 8) == 0);
	syscall(SYS_execveat, fd, "copy", (char *[]){ "x", "below", NULL },
	    env_with_sums(), 0);
	CHECK(false);
}

static void
step_below(void)
{
	const char *name = (char *)getauxval(AT_EXECFN);

	CHECK(strncmp(name, "/dev/fd/", 8) == 0 &&
	    strcmp(strrchr(name, '/'), "/copy") == 0);
	/* Two megabytes of arguments. */
	char **list = calloc(30, sizeof(*list)), *big = malloc(100001);
	size_t i;

	memset(big, 'b', 100000);
	big[100000] = '\0';
	list[0] = "x";
	list[1] = "big";
	for (i = 2; i < 18; i++)
		list[i] = big;
	run(in_dir("copy"), list, env_with_sums());
}

static void
step_big(int argc, char **argv)
{
	int i, bad = 0;

	CHECK_RET(argc, 18);
	for (i = 2; i < argc; i++)
		bad += strlen(argv[i]) != 100000 || argv[i][99999] != 'b';
	CHECK_RET(bad, 0);
	/* No arguments at all: one empty one. */
	run(in_dir("copy"), NULL, env_with_sums());
}

static int
step_last(int argc, char **argv)
{
	static const char *const names[] = { "empty", "text", "magic", "header",
		"arm", "object", "plain", "loop", "none", "blank", "missing",
		"itself", "long", "copy", "inner", "outer" };
	size_t i;

	CHECK_RET(argc, 1);
	CHECK_STR(argv[0], "");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK_RET(unlink(in_dir(names[i])), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}

int
main(int argc, char **argv, char **envp)
{
	const char *sum = getenv("SUMS");

	if (sum == NULL) {
		strcpy(dir, "/tmp/mm_exec.XXXXXX");
		REQUIRE(mkdtemp(dir) != NULL);
		step_first();
		return check_done();
	}
	snprintf(dir, sizeof(dir), "%s", envp[2]);
	sscanf(sum, "%u %u", &check_passed_count, &check_failed_count);
	if (argc < 2)
		return step_last(argc, argv);
	if (strcmp(argv[1], "plain") == 0)
		step_plain(argc, argv, envp);
	else if (strncmp(argv[1], "script", 6) == 0)
		step_script(argc, argv);
	else if (strcmp(argv[1], "number") == 0)
		step_number();
	else if (strcmp(argv[1], "below") == 0)
		step_below();
	else
		step_big(argc, argv);
	return check_done();
}
