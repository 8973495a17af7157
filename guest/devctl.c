/* SPDX-License-Identifier: ISC */
/*
 * devctl.c - controls devices in a guest: the tree, attach and detach, and
 * what the kernel tells of them.  devctl(8).
 *
 * One small static program without anything around it, packed into a machine
 * by `remora run --tools`.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/netlink.h>

#include "kernel/abi/devctl.h"

#define NODE "/dev/devctl"

#define STATUS_FAILED 1
#define STATUS_USAGE  2

static int
usage(FILE *to)
{
	fputs("usage: devctl tree\n"
	      "       devctl rescan BUS\n"
	      "       devctl attach | detach | enable | disable DEVICE\n"
	      "       devctl reset | delete DEVICE\n"
	      "       devctl set driver [-f] DEVICE DRIVER\n"
	      "       devctl clear driver [-f] DEVICE\n"
	      "       devctl monitor [-p] [-n COUNT]\n"
	      "DEVICE is a name (vtblk0), an address (0000:00:04.0), or\n"
	      "pci0:BUS:SLOT:FUNCTION.\n",
	    to);
	return STATUS_USAGE;
}

/* ---- errors in words ---- */

struct word {
	const char *name;
	enum devctl_op op;
	struct {
		int error;
		const char *text;
	} why[3];
};

static const struct word words[] = {
	{ "rescan", DEVCTL_RESCAN,
	    { { EOPNOTSUPP, "it is no bus, or nothing ever comes to it" } } },
	{ "attach", DEVCTL_ATTACH,
	    { { EBUSY, "it has a driver already" },
		{ ENXIO, "no driver fits it" },
		{ ENODEV, "it is disabled, or has gone" } } },
	{ "detach", DEVCTL_DETACH, { { ENXIO, "it has no driver" } } },
	{ "enable", DEVCTL_ENABLE, { { ENXIO, "no driver fits it" } } },
	{ "disable", DEVCTL_DISABLE, { { 0, NULL } } },
	{ "reset", DEVCTL_RESET,
	    { { EOPNOTSUPP, "it cannot be reset alone" } } },
	{ "delete", DEVCTL_DELETE, { { 0, NULL } } },
	{ "set driver", DEVCTL_SET_DRIVER,
	    { { ENOENT, "there is no such driver for its bus" },
		{ EBUSY, "it has another driver: -f takes that away" } } },
	{ "clear driver", DEVCTL_CLEAR_DRIVER,
	    { { ENXIO, "no driver was set" },
		{ EBUSY, "the driver works: -f takes it away" } } },
};

static const char *
explain(const struct word *word, int error)
{
	size_t i;

	for (i = 0; i < sizeof(word->why) / sizeof(word->why[0]); i++)
		if (word->why[i].error == error && word->why[i].text != NULL)
			return word->why[i].text;
	switch (error) {
	case ESRCH: return "there is no such device";
	case ENODEV: return "it has gone";
	case EINVAL: return "that cannot be done with it";
	}
	return strerror(error);
}

/* ---- words that act on one device ---- */

/* "pci0:0:4:0" is the kernel's 0000:00:04.0. */
static int
put_device(char *to, size_t size, const char *name)
{
	unsigned domain, bus, slot, fn;
	char end;
	int n;

	if (sscanf(name, "pci%u:%u:%u:%u%c", &domain, &bus, &slot, &fn, &end) ==
	    4)
		n = snprintf(to, size, "%04x:%02x:%02x.%u", domain, bus, slot,
		    fn);
	else
		n = snprintf(to, size, "%s", name);
	return n < (int)size ? 0 : -1;
}

static int
open_node(void)
{
	int fd = open(NODE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "devctl: %s: %s\n", NODE, strerror(errno));
	return fd;
}

static int
act(const struct word *word, const char *device, const char *driver, bool force)
{
	struct devctl_req req = { .op = word->op, .force = force };
	int fd, error = 0;

	if (put_device(req.device, sizeof(req.device), device) != 0 ||
	    snprintf(req.name, sizeof(req.name), "%s", driver) >=
		(int)sizeof(req.name)) {
		fprintf(stderr, "devctl: the name is too long\n");
		return STATUS_FAILED;
	}
	fd = open_node();
	if (fd < 0)
		return STATUS_FAILED;
	if (ioctl(fd, DEVCTL_IOC_DO, &req) != 0)
		error = errno;
	close(fd);
	if (error == 0)
		return 0;
	fprintf(stderr, "devctl: %s %s: %s\n", word->name, device,
	    explain(word, error));
	return STATUS_FAILED;
}

/* ---- tree ---- */

/* "    virtio0 (0000:00:04.0)", and what is special. */
static void
print_node(unsigned depth, const char *address, const char *name,
    const char *state, const char *flags)
{
	printf("%*s", (int)(depth - 1) * 2, "");
	if (strcmp(name, "-") == 0)
		printf("%s", address);
	else
		printf("%s (%s)", name, address);
	if (strchr(flags, 'd') != NULL)
		printf(" disabled");
	if (strcmp(state, "attached") != 0)
		printf(" %s",
		    strcmp(state, "found") == 0 ? "no driver" : state);
	putchar('\n');
}

static int
tree(void)
{
	char line[256], address[64], name[64], state[32], flags[8];
	unsigned depth;
	int fd = open_node();
	FILE *from;

	if (fd < 0)
		return STATUS_FAILED;
	from = fdopen(fd, "r");
	if (from == NULL) {
		perror("devctl");
		close(fd);
		return STATUS_FAILED;
	}
	while (fgets(line, sizeof(line), from) != NULL)
		if (sscanf(line, "%u %63s %63s %31s %7s", &depth, address, name,
			state, flags) == 5 &&
		    depth > 0)
			print_node(depth, address, name, state, flags);
	fclose(from);
	return 0;
}

/* ---- monitor ---- */

static const char *
value_of(const char *msg, size_t len, const char *key)
{
	size_t n = strlen(key);
	const char *s;

	for (s = msg; s < msg + len; s += strlen(s) + 1)
		if (strncmp(s, key, n) == 0 && s[n] == '=')
			return s + n + 1;
	return NULL;
}

static void
print_event(const char *msg, size_t len, bool properties)
{
	const char *subsystem = value_of(msg, len, "SUBSYSTEM");
	const char *action = value_of(msg, len, "ACTION");
	const char *path = value_of(msg, len, "DEVPATH"), *s;
	struct timespec now;

	if (action == NULL || path == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("KERNEL[%ld.%06ld] %-8s %s (%s)\n", (long)now.tv_sec,
	    now.tv_nsec / 1000, action, path,
	    subsystem == NULL ? "-" : subsystem);
	if (properties) {
		for (s = msg + strlen(msg) + 1; s < msg + len;
		     s += strlen(s) + 1)
			puts(s);
		putchar('\n');
	}
	fflush(stdout);
}

static int
open_monitor(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_KOBJECT_UEVENT);

	if (s >= 0 && bind(s, (struct sockaddr *)&at, sizeof(at)) == 0)
		return s;
	fprintf(stderr, "devctl: monitor: %s\n", strerror(errno));
	if (s >= 0)
		close(s);
	return -1;
}

static int
monitor(bool properties, long count)
{
	static char msg[8192];
	int s = open_monitor();
	ssize_t n;

	if (s < 0)
		return STATUS_FAILED;
	fprintf(stderr, "devctl: listening\n");
	while (count != 0) {
		n = recv(s, msg, sizeof(msg) - 1, 0);
		if (n < 0 && errno == ENOBUFS) {
			puts("events were lost: they came too fast");
			continue;
		}
		if (n < 0) {
			fprintf(stderr, "devctl: monitor: %s\n",
			    strerror(errno));
			return STATUS_FAILED;
		}
		msg[n] = '\0';
		print_event(msg, n, properties);
		if (count > 0)
			count--;
	}
	return 0;
}

static int
run_monitor(int argc, char **argv)
{
	bool properties = false;
	long count = -1;
	char *end;
	int c;

	while ((c = getopt(argc, argv, "pn:")) != -1) {
		switch (c) {
		case 'p': properties = true; break;
		case 'n':
			count = strtol(optarg, &end, 10);
			if (*end == '\0' && count > 0)
				break;
			return usage(stderr);
		default: return usage(stderr);
		}
	}
	return optind == argc ? monitor(properties, count) : usage(stderr);
}

/* ---- the command line ---- */

static const struct word *
word_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

/* "set driver ..." and "clear driver ...", from the second word on. */
static int
run_driver(const char *verb, int argc, char **argv)
{
	bool set = strcmp(verb, "set") == 0, force = false;
	int c;

	if (argc < 1 || strcmp(argv[0], "driver") != 0)
		return usage(stderr);
	while ((c = getopt(argc, argv, "f")) != -1) {
		if (c != 'f')
			return usage(stderr);
		force = true;
	}
	if (argc - optind != (set ? 2 : 1))
		return usage(stderr);
	return act(word_named(set ? "set driver" : "clear driver"),
	    argv[optind], set ? argv[optind + 1] : "", force);
}

int
main(int argc, char **argv)
{
	const struct word *word;

	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "tree") == 0)
		return argc == 2 ? tree() : usage(stderr);
	if (strcmp(argv[1], "monitor") == 0)
		return run_monitor(argc - 1, argv + 1);
	if (strcmp(argv[1], "set") == 0 || strcmp(argv[1], "clear") == 0)
		return run_driver(argv[1], argc - 2, argv + 2);
	word = word_named(argv[1]);
	if (word == NULL || argc != 3)
		return usage(stderr);
	return act(word, argv[2], "", false);
}
