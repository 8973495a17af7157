/* SPDX-License-Identifier: ISC */
/*
 * netd.c - a machine's first program, which does on the network what bench/net.py
 * says, line by line over a connection to port 7; each answer ends with a line
 * that is a dot.
 *
 *     mark                   a mark for bench/count.c
 *     start PORT PROG ARG... runs it; answers when something listens there
 *     run PROG ARG...        its output, then the dot
 *     hold N                 takes N connections to port 8, and keeps them
 *     release                closes those
 *     memory                 /proc/meminfo
 *     off                    ends the machine, without an answer
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL 7
#define HOLD    8
#define WORDS   40
#define HELD    60000

/* bench/count.c counts between these. */
#define MARK() __asm__ volatile("nopl 0x52656d6f(%%rax,%%rax)" ::: "memory")

static int held[HELD], nheld, hold_fd;
static FILE *out;

static void
need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	reboot(RB_AUTOBOOT);
}

/* Modules that a kernel needs first; it may have none, or need none. */
static void
load_modules(void)
{
	char path[32];
	int i, m;

	for (i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/module%d", i);
		m = open(path, O_RDONLY);
		if (m < 0)
			break;
		syscall(SYS_finit_module, m, "", 0);
		close(m);
	}
}

static void
interface_up(const char *name, const char *address)
{
	struct ifreq r = { 0 };
	struct sockaddr_in *a = (void *)&r.ifr_addr;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (address != NULL) {
		a->sin_family = AF_INET;
		inet_pton(AF_INET, address, &a->sin_addr);
		need(ioctl(s, SIOCSIFADDR, &r) == 0, "SIOCSIFADDR");
		inet_pton(AF_INET, "255.255.255.0", &a->sin_addr);
		need(ioctl(s, SIOCSIFNETMASK, &r) == 0, "SIOCSIFNETMASK");
	}
	need(ioctl(s, SIOCGIFFLAGS, &r) == 0, "SIOCGIFFLAGS");
	r.ifr_flags |= IFF_UP | IFF_RUNNING;
	need(ioctl(s, SIOCSIFFLAGS, &r) == 0, "SIOCSIFFLAGS");
	close(s);
}

static int
listener(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(bind(s, (void *)&a, sizeof(a)) == 0 && listen(s, 4000) == 0,
	    "listen");
	return s;
}

static pid_t
spawn(char **argv, int output)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (pid != 0)
		return pid;
	dup2(output, 1);
	dup2(output, 2);
	signal(SIGPIPE, SIG_DFL);
	execv(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void
start(char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[0])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	pid_t pid = spawn(argv + 1, 1);
	int s, status = 0, up = 0;

	while (!up && status == 0) { /* a daemon's first process ends with 0 */
		s = socket(AF_INET, SOCK_STREAM, 0);
		up = connect(s, (void *)&a, sizeof(a)) == 0;
		close(s);
		if (!up)
			usleep(20000);
		waitpid(pid, &status, WNOHANG);
	}
	if (!up)
		fprintf(out, "%s: status %#x\n", argv[1], status);
}

static void
run(char **argv)
{
	char buf[4096];
	int pair[2];
	ssize_t n;
	pid_t pid;

	need(pipe2(pair, O_CLOEXEC) == 0, "pipe");
	pid = spawn(argv, pair[1]);
	close(pair[1]);
	while ((n = read(pair[0], buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, out);
	close(pair[0]);
	waitpid(pid, NULL, 0);
	fputc('\n', out);
}

static void
hold(int n)
{
	while (n-- > 0 && nheld < HELD) {
		held[nheld] = accept(hold_fd, NULL, NULL);
		if (held[nheld] < 0) {
			fprintf(out, "accept: %m\n");
			return;
		}
		nheld++;
	}
}

static void
release(void)
{
	while (nheld > 0)
		close(held[--nheld]);
}

static void
memory(void)
{
	char buf[4096];
	FILE *f = fopen("/proc/meminfo", "r");
	size_t n;

	while (f != NULL && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, out);
	if (f != NULL)
		fclose(f);
}

static void
obey(char **word, int n)
{
	if (strcmp(word[0], "mark") == 0)
		MARK();
	else if (strcmp(word[0], "start") == 0 && n > 2)
		start(word + 1);
	else if (strcmp(word[0], "run") == 0 && n > 1)
		run(word + 1);
	else if (strcmp(word[0], "hold") == 0 && n > 1)
		hold(atoi(word[1]));
	else if (strcmp(word[0], "release") == 0)
		release();
	else if (strcmp(word[0], "memory") == 0)
		memory();
	else
		fprintf(out, "what is %s\n", word[0]);
	fputs(".\n", out);
	fflush(out);
}

static void
serve(FILE *in)
{
	static char line[4096];
	char *word[WORDS + 1];
	int n;

	while (fgets(line, sizeof(line), in) != NULL) {
		n = 0;
		word[n] = strtok(line, " \n");
		while (word[n] != NULL && n < WORDS)
			word[++n] = strtok(NULL, " \n");
		word[n] = NULL;
		if (n > 0 && strcmp(word[0], "off") == 0)
			return;
		if (n > 0)
			obey(word, n);
	}
}

int
main(void)
{
	struct rlimit files = { HELD + 100, HELD + 100 };
	int s, c;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	load_modules();
	interface_up("lo", NULL);
	interface_up("eth0", "10.9.0.2");
	s = listener(CONTROL);
	hold_fd = listener(HOLD);
	printf("netd is up\n");
	fflush(stdout);
	c = accept4(s, NULL, NULL, SOCK_CLOEXEC);
	need(c >= 0, "accept");
	out = fdopen(c, "w");
	serve(fdopen(fcntl(c, F_DUPFD_CLOEXEC, 3), "r"));
	reboot(RB_AUTOBOOT);
	return 0;
}
