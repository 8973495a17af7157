/* SPDX-License-Identifier: ISC */
/*
 * device.c - `remora device`: asks a running machine's QEMU, by the socket of
 * `remora run --qmp`, to plug in an NVMe disk or to have it taken out.
 * QEMU 7.2, QMP: one JSON object a line, each way.
 */
#include "cli/device.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/disk.h"
#include "cli/trouble.h"

#define DEVICE_ANSWER_MS 10000 /* QEMU's */
#define DEVICE_GUEST_MS  30000 /* until the machine has let go */
#define DEVICE_LINE      65536

struct device_link {
	int fd;
	char buf[DEVICE_LINE];
	size_t length, taken; /* bytes in buf; of the line that was given */
};

static const char device_usage[] =
    "usage: remora device add SOCKET ID FILE[,ro]\n"
    "       remora device del SOCKET ID\n"
    "\n"
    "Plugs an NVMe disk into a machine of `remora run --qmp SOCKET` on pc or\n"
    "q35, or asks the machine to let it go and waits until it has.  ID is a\n"
    "name for it, and its serial number.\n";

char *
device_json(const char *s)
{
	struct text text = { 0 };

	text_add(&text, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			text_add(&text, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			text_add(&text, "\\u%04x", *s);
		else
			text_add(&text, "%c", *s);
	}
	text_add(&text, "\"");
	return text.text;
}

static int64_t
device_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* The next line, valid until the next call; NULL: none in time, or no QEMU. */
static const char *
device_line(struct device_link *l, int64_t until_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int64_t left;
	char *end;
	ssize_t n;

	l->length -= l->taken;
	memmove(l->buf, l->buf + l->taken, l->length);
	l->taken = 0;
	while ((end = memchr(l->buf, '\n', l->length)) == NULL) {
		left = until_ms - device_now_ms();
		if (left < 0 || l->length == sizeof(l->buf) ||
		    poll(&p, 1, (int)left) <= 0)
			return NULL;
		n = read(l->fd, l->buf + l->length, sizeof(l->buf) - l->length);
		if (n <= 0)
			return NULL;
		l->length += (size_t)n;
	}
	*end = '\0';
	l->taken = (size_t)(end - l->buf) + 1;
	return l->buf;
}

/* The text behind "desc": of an error, or the whole line. */
static void
device_reason(const char *line, char *out, size_t size)
{
	const char *at = strstr(line, "\"desc\": \"");
	size_t n = 0;

	at = at != NULL ? at + strlen("\"desc\": \"") : line;
	for (; *at != '\0' && *at != '"' && n + 1 < size; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		out[n++] = *at;
	}
	out[n] = '\0';
}

/* Sends a command and awaits its answer; 0, or -EIO and why in `why`. */
static int
device_do(struct device_link *l, const char *command, char *why, size_t size)
{
	int64_t until = device_now_ms() + DEVICE_ANSWER_MS;
	size_t left = strlen(command);
	const char *line;
	ssize_t n;

	for (; left > 0; left -= (size_t)n, command += n) {
		n = send(l->fd, command, left, MSG_NOSIGNAL);
		if (n <= 0)
			break;
	}
	while (left == 0 && (line = device_line(l, until)) != NULL) {
		if (strncmp(line, "{\"return\"", 9) == 0)
			return 0;
		if (strncmp(line, "{\"error\"", 8) != 0)
			continue; /* an event */
		device_reason(line, why, size);
		return -EIO;
	}
	snprintf(why, size, "QEMU does not answer");
	return -EIO;
}

static int
device_open(struct device_link *l, const char *path, char *why, size_t size)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	l->length = l->taken = 0;
	l->fd = -1;
	if (strlen(path) >= sizeof(name.sun_path)) {
		snprintf(why, size, "too long a name for a socket");
		return -ENAMETOOLONG;
	}
	strcpy(name.sun_path, path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 ||
	    connect(l->fd, (struct sockaddr *)&name, sizeof(name)) != 0) {
		snprintf(why, size, "%s", strerror(errno));
		return -errno;
	}
	if (device_line(l, device_now_ms() + DEVICE_ANSWER_MS) == NULL) {
		snprintf(why, size,
		    "QEMU does not greet; is somebody else "
		    "connected?");
		return -EIO;
	}
	return device_do(l, "{\"execute\": \"qmp_capabilities\"}\n", why, size);
}

/* ---- add ---- */

static int
device_add_node(struct device_link *l, const char *id,
    const struct disk_option *d, char *why, size_t size)
{
	char *file = realpath(d->file, NULL), *json, *command;
	struct stat st;
	int error;

	if (file == NULL || stat(file, &st) != 0) {
		snprintf(why, size, "%s: %s", d->file, strerror(errno));
		free(file);
		return -ENOENT;
	}
	json = device_json(file);
	command = mem_format("{\"execute\": \"blockdev-add\", \"arguments\": "
			     "{\"driver\": \"raw\", \"node-name\": %s, "
			     "\"read-only\": %s, \"file\": {\"driver\": "
			     "\"%s\", \"filename\": %s}}}\n",
	    id, d->read_only ? "true" : "false",
	    S_ISBLK(st.st_mode) ? "host_device" : "file", json);
	error = device_do(l, command, why, size);
	free(command);
	free(json);
	free(file);
	return error;
}

/* On the first bus; where that cannot be, in the first port that is free. */
static int
device_add_device(struct device_link *l, const char *id, char *why, size_t size)
{
	char bus[64] = "", *command;
	unsigned port;
	int error = -EIO;

	for (port = 0; port <= DEVICE_PORTS && error != 0; port++) {
		command = mem_format("{\"execute\": \"device_add\", "
				     "\"arguments\": {\"driver\": \"nvme\", "
				     "\"id\": %s, \"serial\": %s, \"drive\": "
				     "%s%s}}\n",
		    id, id, id, bus);
		error = device_do(l, command, why, size);
		free(command);
		snprintf(bus, sizeof(bus),
		    ", \"bus\": \"" DEVICE_PORT_NAME "\"", port);
	}
	return error;
}

static int
device_del_node(struct device_link *l, const char *id, char *why, size_t size)
{
	char *command = mem_format("{\"execute\": \"blockdev-del\", "
				   "\"arguments\": {\"node-name\": %s}}\n",
	    id);
	int error = device_do(l, command, why, size);

	free(command);
	return error;
}

static int
device_add(struct device_link *l, const char *id, const char *value, char *why,
    size_t size)
{
	struct disk_option d;
	struct trouble t;
	char ignored[64];
	int error = disk_option_parse(&d, value, &t);

	if (error != 0)
		device_reason(t.text, why, size);
	else
		error = device_add_node(l, id, &d, why, size);
	if (error == 0) {
		error = device_add_device(l, id, why, size);
		if (error != 0)
			device_del_node(l, id, ignored, sizeof(ignored));
	}
	disk_option_fini(&d);
	return error;
}

/* ---- del ---- */

static int
device_del(struct device_link *l, const char *id, char *why, size_t size)
{
	int64_t until = device_now_ms() + DEVICE_GUEST_MS;
	char *command = mem_format("{\"execute\": \"device_del\", "
				   "\"arguments\": {\"id\": %s}}\n",
	    id);
	char *wanted = mem_format("\"device\": %s", id);
	const char *line = NULL;
	int error = device_do(l, command, why, size);

	while (error == 0 && (line = device_line(l, until)) != NULL)
		if (strstr(line, "\"DEVICE_DELETED\"") != NULL &&
		    strstr(line, wanted) != NULL)
			break;
	if (error == 0 && line == NULL) {
		snprintf(why, size, "the machine does not let it go");
		error = -ETIMEDOUT;
	}
	if (error == 0)
		error = device_del_node(l, id, why, size);
	free(wanted);
	free(command);
	return error;
}

int
device_command(int argc, char **argv)
{
	struct device_link *l;
	char why[256] = "", *id;
	bool add;
	int error;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(device_usage, stdout);
		return 0;
	}
	add = argc == 5 && strcmp(argv[1], "add") == 0;
	if (!add && !(argc == 4 && strcmp(argv[1], "del") == 0)) {
		say("device: add SOCKET ID FILE or del SOCKET ID is expected; "
		    "see remora device --help");
		return STATUS_MACHINE;
	}
	l = mem_resize(NULL, 1, sizeof(*l));
	id = device_json(argv[3]);
	error = device_open(l, argv[2], why, sizeof(why));
	if (error == 0)
		error = add ? device_add(l, id, argv[4], why, sizeof(why)) :
			      device_del(l, id, why, sizeof(why));
	if (error != 0)
		say("device %s %s: %s", argv[1], argv[3], why);
	if (l->fd >= 0)
		close(l->fd);
	free(id);
	free(l);
	return error == 0 ? 0 : STATUS_MACHINE;
}
