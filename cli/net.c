/* SPDX-License-Identifier: ISC */
/*
 * net.c - the network cards of a machine.  QEMU 7.2, qemu(1), -netdev and
 * -device; passt(1).
 */
#include "cli/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/disk.h"
#include "cli/options.h"

#define NET_SYNTAX                                                   \
	"none, user[,hostfwd=tcp|udp:[ADDRESS:]PORT:GUESTPORT]..., " \
	"tap=NAME, socket=PATH or passt"

static bool
net_starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* A port's number ends at `end`. */
static bool
net_is_port(const char *s, const char *end)
{
	unsigned long v = 0;

	if (s == end || end - s > 5)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned long)(*s - '0');
	}
	return v > 0 && v <= 65535;
}

/* [ADDRESS:]PORT:GUESTPORT, up to `end`; this host alone without ADDRESS. */
static int
net_forward_parse(struct text *out, const char *protocol, const char *s,
    const char *end)
{
	const char *last = memrchr(s, ':', (size_t)(end - s)), *first;

	if (last == NULL || !net_is_port(last + 1, end))
		return -EINVAL;
	first = memrchr(s, ':', (size_t)(last - s));
	if (!net_is_port(first == NULL ? s : first + 1, last))
		return -EINVAL;
	if (first == NULL) {
		text_add(out, ",hostfwd=%s:127.0.0.1:%.*s-:%.*s", protocol,
		    (int)(last - s), s, (int)(end - last - 1), last + 1);
		return 0;
	}
	if (strspn(s, "0123456789.") != (size_t)(first - s))
		return -EINVAL;
	text_add(out, ",hostfwd=%s:%.*s-:%.*s", protocol, (int)(last - s), s,
	    (int)(end - last - 1), last + 1);
	return 0;
}

static int
net_user_parse(struct net_option *n, const char *at)
{
	struct text forward = { 0 };
	const char *end;
	int error = 0;

	while (*at != '\0' && error == 0) {
		end = at + 1 + strcspn(at + 1, ",");
		if (net_starts(at, ",hostfwd=tcp:"))
			error = net_forward_parse(&forward, "tcp", at + 13,
			    end);
		else if (net_starts(at, ",hostfwd=udp:"))
			error = net_forward_parse(&forward, "udp", at + 13,
			    end);
		else
			error = -EINVAL;
		at = end;
	}
	n->forward = forward.text;
	return error;
}

static int
net_value_parse(struct net_option *n, const char *value)
{
	if (net_starts(value, "user") &&
	    (value[4] == '\0' || value[4] == ',')) {
		n->kind = NET_USER;
		return net_user_parse(n, value + 4);
	}
	if (strcmp(value, "passt") == 0) {
		n->kind = NET_PASST;
		return 0;
	}
	if (net_starts(value, "tap=") && value[4] != '\0') {
		n->kind = NET_TAP;
		n->name = mem_string(value + 4);
		return strlen(n->name) < 16 && strchr(n->name, ',') == NULL ?
		    0 :
		    -EINVAL;
	}
	if (net_starts(value, "socket=") && value[7] != '\0') {
		n->kind = NET_SOCKET;
		n->name = mem_string(value + 7);
		return 0;
	}
	return -EINVAL;
}

int
net_option_parse(struct net_option *n, const char *value, struct trouble *t)
{
	memset(n, 0, sizeof(*n));
	if (strcmp(value, "none") == 0)
		return 1;
	if (net_value_parse(n, value) == 0)
		return 0;
	return trouble_set(t, STATUS_MACHINE, "--net %s: %s is expected", value,
	    NET_SYNTAX);
}

int
net_mac_parse(struct net_option *n, const char *value, struct trouble *t)
{
	unsigned v[6];
	int end = 0;

	if (n == NULL)
		return trouble_set(t, STATUS_MACHINE,
		    "--mac %s: there is no --net before it", value);
	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2],
		&v[3], &v[4], &v[5], &end) != 6 ||
	    value[end] != '\0' || end != 17 || (v[0] & 1) != 0)
		return trouble_set(t, STATUS_MACHINE,
		    "--mac %s: an address of one station is expected, such "
		    "as 52:54:00:12:34:56",
		    value);
	free(n->mac);
	n->mac = mem_string(value);
	return 0;
}

void
net_option_fini(struct net_option *n)
{
	free(n->name);
	free(n->forward);
	free(n->mac);
	memset(n, 0, sizeof(*n));
}

int
nets_check(const struct net_option *nets, size_t n, size_t slots,
    enum machine_type machine, struct trouble *t)
{
	(void)nets;
	if (n == 0 || machine != MACHINE_MICROVM || slots + n <= MMIO_SLOTS)
		return 0;
	return trouble_set(t, STATUS_MACHINE,
	    "--net: microvm has room for %d disks, folders and cards",
	    MMIO_SLOTS);
}

static char *
net_backend(const struct net_option *n, size_t i)
{
	struct text s = { 0 };

	switch (n->kind) {
	case NET_USER:
		return mem_format("user,id=net%zu%s", i,
		    n->forward == NULL ? "" : n->forward);
	case NET_TAP:
		return mem_format("tap,id=net%zu,ifname=%s,script=no,"
				  "downscript=no",
		    i, n->name);
	default:
		text_add(&s,
		    "stream,id=net%zu,server=off,addr.type=unix,addr.path=", i);
		for (const char *p = n->name == NULL ? "passt" : n->name;
		     *p != '\0'; p++)
			text_add(&s, *p == ',' ? ",," : "%c", *p);
		return s.text;
	}
}

static void
net_qemu(const struct net_option *n, size_t i, size_t slot,
    enum machine_type machine, struct strings *argv)
{
	char *mac = n->mac == NULL ? mem_string("") :
				     mem_format(",mac=%s", n->mac);

	strings_add(argv, mem_string("-netdev"));
	strings_add(argv, net_backend(n, i));
	strings_add(argv, mem_string("-device"));
	strings_add(argv,
	    machine == MACHINE_MICROVM ?
		mem_format("virtio-net-device,netdev=net%zu%s,"
			   "bus=virtio-mmio-bus.%zu",
		    i, mac, slot) :
		mem_format("virtio-net-pci,netdev=net%zu%s,romfile=", i, mac));
	free(mac);
}

void
nets_qemu(const struct net_option *nets, size_t n, size_t slots,
    enum machine_type machine, struct strings *argv)
{
	/* Where there are others, they have said which version it is. */
	if (n > 0 && slots == 0 && machine == MACHINE_MICROVM) {
		strings_add(argv, mem_string("-global"));
		strings_add(argv, mem_string("virtio-mmio.force-legacy=off"));
	}
	for (size_t i = 0; i < n; i++)
		net_qemu(&nets[i], i, slots + i, machine, argv);
}

char *
net_boot_argument(const struct net_option *n, size_t i)
{
	switch (n->kind) {
	case NET_USER:
		return mem_format("ip=10.0.2.15::10.0.2.2:255.255.255.0::"
				  "eth%zu:off:10.0.2.3",
		    i);
	case NET_PASST: return mem_format("ip=:::::eth%zu:dhcp", i);
	default: return NULL;
	}
}

static void
net_add_file(struct tree *tree, const char *path, const char *text)
{
	if (tree_find(tree, path) != NULL)
		return;
	tree_add_parents(tree, path);
	tree_add_data(tree, path, 0644, mem_string(text), strlen(text));
}

void
nets_add_files(const struct net_option *nets, size_t n, struct tree *tree)
{
	if (n == 0)
		return;
	net_add_file(tree, "/etc/hosts",
	    "127.0.0.1 localhost\n::1 localhost\n");
	for (size_t i = 0; i < n; i++)
		if (nets[i].kind == NET_USER) {
			net_add_file(tree, "/etc/resolv.conf",
			    "nameserver 10.0.2.3\n");
			return;
		}
}

/* passt goes to the background when its socket is there. */
static int
net_start_passt(struct net_option *n, size_t i, struct trouble *t)
{
	const char *tmp = getenv("TMPDIR");
	int status = -1;
	pid_t pid;

	n->name = mem_format("%s/remora-passt-%ld-%zu",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", (long)getpid(), i);
	pid = fork();
	if (pid == 0) {
		execlp("passt", "passt", "--quiet", "--one-off", "--socket",
		    n->name, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return trouble_set(t, STATUS_MACHINE,
		    "--net passt: there is no passt (Debian's package passt)");
	return trouble_set(t, STATUS_MACHINE, "--net passt: it did not start");
}

/* QEMU would make a tap of its own, or go on with a card that is deaf. */
static int
net_look(const struct net_option *n, struct trouble *t)
{
	const char *kind = n->kind == NET_TAP ? "tap" : "socket";
	char *path = n->kind == NET_TAP ?
	    mem_format("/sys/class/net/%s", n->name) :
	    mem_string(n->name);
	struct stat st;
	int found = stat(path, &st);

	free(path);
	if (found != 0 && n->kind == NET_TAP && errno == ENOENT)
		return trouble_set(t, STATUS_MACHINE,
		    "--net tap=%s: there is no such interface", n->name);
	if (found != 0)
		return trouble_set(t, STATUS_MACHINE, "--net %s=%s: %s", kind,
		    n->name, strerror(errno));
	if (n->kind == NET_SOCKET && !S_ISSOCK(st.st_mode))
		return trouble_set(t, STATUS_MACHINE,
		    "--net socket=%s: this is no socket", n->name);
	return 0;
}

int
nets_start(struct net_option *nets, size_t n, struct trouble *t)
{
	int error = 0;

	for (size_t i = 0; i < n && error == 0; i++) {
		if (nets[i].kind == NET_TAP || nets[i].kind == NET_SOCKET)
			error = net_look(&nets[i], t);
		if (nets[i].kind == NET_PASST)
			error = net_start_passt(&nets[i], i, t);
	}
	return error;
}

void
nets_stop(const struct net_option *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (nets[i].kind == NET_PASST && nets[i].name != NULL)
			(void)unlink(nets[i].name);
}
