/* SPDX-License-Identifier: ISC */
/*
 * uevent.c - messages to programs about devices: what is in them, and when
 * they are sent.
 */
#include "bus/uevent.h"

#include "bus/classdev.h"
#include "bus/device.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include <linux/errno.h>

static void (*sink)(const char *msg, size_t len);
static uint64_t seqnum;     /* atomic */
static unsigned nlisteners; /* atomic */
/* Messages go out in the order of their numbers. */
static struct mutex order = MUTEX_INIT(order);

uint64_t
uevent_seqnum(void)
{
	return __atomic_load_n(&seqnum, __ATOMIC_RELAXED);
}

/* ---- what is in a message ---- */

void
uevent_print_device(struct device *dev, struct sbuf *env)
{
	const struct driver *drv = device_driver(dev);
	const struct bus_ops *bus = device_bus(dev);

	if (drv != NULL)
		sbuf_printf(env, "DRIVER=%s\n", driver_sys_name(drv));
	if (bus != NULL && bus->uevent != NULL)
		bus->uevent(dev, env);
}

void
uevent_print_classdev(struct classdev *cd, struct sbuf *env)
{
	if (cd->major != 0)
		sbuf_printf(env, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", cd->major,
		    cd->minor, cd->node != NULL ? cd->node : cd->name);
	if (cd->class->uevent != NULL)
		cd->class->uevent(cd, env);
}

/* Lines become strings; what is cut off would lie, so it is left out. */
static void
compose(struct sbuf *msg, const char *action, const char *devpath,
    const char *subsystem, const char *env)
{
	size_t i;

	sbuf_printf(msg, "%s@%s", action, devpath);
	sbuf_write(msg, "", 1);
	i = msg->len;
	sbuf_printf(msg, "ACTION=%s\nDEVPATH=%s\n", action, devpath);
	if (subsystem != NULL)
		sbuf_printf(msg, "SUBSYSTEM=%s\n", subsystem);
	if (env != NULL)
		sbuf_puts(msg, env);
	sbuf_printf(msg, "SEQNUM=%lu\n",
	    __atomic_add_fetch(&seqnum, 1, __ATOMIC_RELAXED));
	for (; i < msg->len; i++)
		if (msg->buf[i] == '\n')
			msg->buf[i] = '\0';
}

void
uevent_send(const char *action, const char *devpath, const char *subsystem,
    const char *env)
{
	struct sbuf msg;

	if (__atomic_load_n(&nlisteners, __ATOMIC_ACQUIRE) == 0) {
		__atomic_add_fetch(&seqnum, 1, __ATOMIC_RELAXED);
		return;
	}
	sbuf_init(&msg);
	mutex_lock(&order);
	compose(&msg, action, devpath, subsystem, env);
	if (msg.error == 0 && msg.len <= UEVENT_MAX)
		sink(msg.buf, msg.len);
	else
		log_warn("uevent: %s@%s is lost: %s", action, devpath,
		    msg.error != 0 ? "no memory" : "too long");
	mutex_unlock(&order);
	sbuf_fini(&msg);
}

static bool
nobody_listens(void)
{
	if (__atomic_load_n(&nlisteners, __ATOMIC_ACQUIRE) != 0)
		return false;
	__atomic_add_fetch(&seqnum, 1, __ATOMIC_RELAXED);
	return true;
}

void
uevent_device(struct device *dev, const char *action, const char *env)
{
	char path[SYS_PATH_MAX];
	struct sbuf lines;

	if (device_subsystem(dev) == NULL || nobody_listens())
		return;
	sbuf_init(&lines);
	uevent_print_device(dev, &lines);
	if (env != NULL)
		sbuf_puts(&lines, env);
	if (device_path(dev, path, sizeof(path)) < sizeof(path) &&
	    lines.error == 0)
		uevent_send(action, path, device_subsystem(dev), lines.buf);
	sbuf_fini(&lines);
}

void
classdev_uevent(struct classdev *cd, const char *action, const char *env)
{
	char path[SYS_PATH_MAX];
	struct sbuf lines;

	if (nobody_listens())
		return;
	sbuf_init(&lines);
	uevent_print_classdev(cd, &lines);
	if (env != NULL)
		sbuf_puts(&lines, env);
	if (classdev_path(cd, path, sizeof(path)) < sizeof(path) &&
	    lines.error == 0)
		uevent_send(action, path, cd->class->name, lines.buf);
	sbuf_fini(&lines);
}

/* ---- asked for by programs ---- */

#define UUID_LEN 36

static const char *const actions[] = { "add", "remove", "change", "move",
	"online", "offline", "bind", "unbind" };

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

static bool
is_uuid(const char *s, size_t len)
{
	size_t i;

	if (len != UUID_LEN)
		return false;
	for (i = 0; i < len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' :
							      !is_hex(s[i]))
			return false;
	return true;
}

/* "KEY=value" of letters and digits only. */
static bool
is_argument(const char *s, size_t len)
{
	bool equals = false;
	size_t i;
	char c;

	for (i = 0; i < len; i++) {
		c = s[i];
		if (c == '=' && !equals && i > 0 && i + 1 < len)
			equals = true;
		else if ((c < '0' || c > '9') &&
		    ((c | 0x20) < 'a' || (c | 0x20) > 'z'))
			return false;
	}
	return equals;
}

static size_t
word_len(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0' && s[n] != ' ' && s[n] != '\n')
		n++;
	return n;
}

static int
parse_arguments(const char *text, struct sbuf *env)
{
	size_t len = word_len(text);

	if (len == 0) {
		sbuf_puts(env, "SYNTH_UUID=0\n");
		return 0;
	}
	if (!is_uuid(text, len))
		return -EINVAL;
	sbuf_puts(env, "SYNTH_UUID=");
	for (;;) {
		sbuf_write(env, text, len);
		sbuf_puts(env, "\n");
		text += len;
		if (*text == ' ')
			text++;
		len = word_len(text);
		if (len == 0)
			return *text == '\0' || text[1] == '\0' ? 0 : -EINVAL;
		if (!is_argument(text, len))
			return -EINVAL;
		sbuf_puts(env, "SYNTH_ARG_");
	}
}

int
uevent_parse_asked(const char *text, const char **action, struct sbuf *env)
{
	size_t len = word_len(text);
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strlen(actions[i]) != len ||
		    strncmp(actions[i], text, len) != 0)
			continue;
		*action = actions[i];
		return parse_arguments(text + len + (text[len] == ' '), env);
	}
	return -EINVAL;
}

/* ---- the device tree ---- */

static void
told(struct device *dev, enum device_event what, const char *name)
{
	static const char *const words[] = {
		[DEVICE_EVENT_ADD] = "add",
		[DEVICE_EVENT_BIND] = "bind",
		[DEVICE_EVENT_UNBIND] = "unbind",
		[DEVICE_EVENT_REMOVE] = "remove",
	};

	(void)name;
	uevent_device(dev, words[what], NULL);
}

static struct device_observer observer = { .event = told };

void
uevent_set_sink(void (*to)(const char *msg, size_t len))
{
	sink = to;
}

/* The tree is watched from the first listener on: others pay nothing. */
void
uevent_listening(bool on)
{
	static bool watching;

	if (!on) {
		__atomic_sub_fetch(&nlisteners, 1, __ATOMIC_RELEASE);
		return;
	}
	if (!__atomic_exchange_n(&watching, true, __ATOMIC_ACQ_REL))
		device_observe(&observer);
	__atomic_add_fetch(&nlisteners, 1, __ATOMIC_RELEASE);
}
