/* SPDX-License-Identifier: ISC */
/*
 * bootargs.c - the table of known boot arguments.
 * Linux, Documentation/admin-guide/kernel-parameters.txt.
 */
#include "kern/bootargs.h"
#include "kern/boot_info.h"
#include "kern/cmdline.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

static struct bootargs args = { .loglevel = -1,
	.panic_seconds = -1,
	.io_warn_seconds = 30,
	.pci_button_s = 5,
	.argc = 1 };
static char store[BOOT_CMDLINE_SIZE];
static const char *line;

const struct bootargs *
bootargs(void)
{
	return &args;
}

const char *
boot_cmdline(void)
{
	return line;
}

/* A number as C writes it, up to `end`; -EINVAL. */
static int
number(const char *s, const char **end, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *s == '-';
	unsigned base = 10, digit;
	const char *first;
	int64_t v = 0;

	s += negative;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	for (first = s;; s++) {
		if (*s >= '0' && *s <= '9')
			digit = *s - '0';
		else if ((*s | 32) >= 'a' && (*s | 32) <= 'f')
			digit = (*s | 32) - 'a' + 10;
		else
			break;
		if (digit >= base || v > INT32_MAX)
			return -EINVAL;
		v = v * base + digit;
	}
	v = negative ? -v : v;
	if (s == first || v < min || v > max)
		return -EINVAL;
	*end = s;
	*out = v;
	return 0;
}

static int
whole_number(const char *s, int64_t min, int64_t max, int64_t *out)
{
	const char *end;
	int error = number(s, &end, min, max, out);

	return error == 0 && *end != '\0' ? -EINVAL : error;
}

/* Two numbers with a character in between. */
static int
pair(const char *s, char between, int64_t max1, int64_t max2, int64_t v[2])
{
	int error = number(s, &s, 1, max1, &v[0]);

	if (error != 0)
		return error;
	if (*s != between)
		return -EINVAL;
	return whole_number(s + 1, 1, max2, &v[1]);
}

#define SET_STRING(field)                                  \
	static int set_##field(void *a, const char *value) \
	{                                                  \
		((struct bootargs *)a)->field = value;     \
		return 0;                                  \
	}
#define SET_TRUE(field)                                    \
	static int set_##field(void *a, const char *value) \
	{                                                  \
		(void)value;                               \
		((struct bootargs *)a)->field = true;      \
		return 0;                                  \
	}
SET_STRING(console)
SET_STRING(root)
SET_STRING(rootfstype)
SET_STRING(rootflags)
SET_STRING(args_file)
SET_STRING(cloud)
SET_TRUE(rw)
SET_TRUE(quiet)
SET_TRUE(bootchart)
SET_TRUE(nosmap)
SET_TRUE(virtio_mmio)
SET_TRUE(mounts)
SET_TRUE(ip)

/* The words before it were another program's: Linux forgets them too. */
static int
set_init(void *a, const char *value)
{
	((struct bootargs *)a)->init = value;
	((struct bootargs *)a)->argc = 1;
	return 0;
}

static int
set_rdinit(void *a, const char *value)
{
	((struct bootargs *)a)->rdinit = value;
	((struct bootargs *)a)->argc = 1;
	return 0;
}

static int
set_ro(void *a, const char *value)
{
	(void)value;
	((struct bootargs *)a)->rw = false;
	return 0;
}

static int
set_loglevel(void *a, const char *value)
{
	int64_t v;
	int error = whole_number(value, 0, 15, &v);

	if (error == 0)
		((struct bootargs *)a)->loglevel = v;
	return error;
}

static int
set_panic(void *a, const char *value)
{
	int64_t v;
	int error = whole_number(value, -1, 86400, &v);

	if (error == 0)
		((struct bootargs *)a)->panic_seconds = v;
	return error;
}

static int
set_io_warn(void *a, const char *value)
{
	int64_t v;
	int error = whole_number(value, 0, 86400, &v);

	if (error == 0)
		((struct bootargs *)a)->io_warn_seconds = v;
	return error;
}

/* reboot=[warm|cold|...,]LETTER...: the last known way counts. */
static int
set_reboot(void *a, const char *value)
{
	const char *p;

	for (p = value; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (*p == 'k' || *p == 'p' || *p == 't')
			((struct bootargs *)a)->reboot_how = *p;
	}
	return 0;
}

static int
set_trace(void *a, const char *value)
{
	if (strcmp(value, "syscalls") != 0)
		return -EINVAL;
	((struct bootargs *)a)->trace_syscalls = true;
	return 0;
}

static int
set_test(void *a, const char *value)
{
	if (strcmp(value, "panic") != 0)
		return -EINVAL;
	((struct bootargs *)a)->test_panic = true;
	return 0;
}

static int
set_pci(void *a, const char *value)
{
	if (strcmp(value, "off") == 0)
		((struct bootargs *)a)->pci_off = true;
	else if (strcmp(value, "nomsi") == 0)
		((struct bootargs *)a)->pci_nomsi = true;
	return 0;
}

static int
set_pci_poll(void *a, const char *value)
{
	int64_t v;
	int error = whole_number(value, 0, 3600, &v);

	if (error == 0)
		((struct bootargs *)a)->pci_poll_s = v;
	return error;
}

static int
set_pci_button(void *a, const char *value)
{
	int64_t v;
	int error = whole_number(value, 0, 60, &v);

	if (error == 0)
		((struct bootargs *)a)->pci_button_s = v;
	return error;
}

static int
set_acpi(void *a, const char *value)
{
	if (strcmp(value, "off") == 0)
		((struct bootargs *)a)->acpi_off = true;
	return 0;
}

static int
set_control(void *a, const char *value)
{
	int64_t v[2];
	int error;

	if (*value != '\0' && (*value < '0' || *value > '9')) {
		((struct bootargs *)a)->control_name = value;
		return 0;
	}
	error = pair(value, ',', 0xfff8, 15, v);
	if (error == 0) {
		((struct bootargs *)a)->control_port = v[0];
		((struct bootargs *)a)->control_irq = v[1];
	}
	return error;
}

static int
set_exit(void *a, const char *value)
{
	int64_t v;
	int error = whole_number(value, 1, 0xffff, &v);

	if (error == 0)
		((struct bootargs *)a)->exit_port = v;
	return error;
}

static int
set_winsize(void *a, const char *value)
{
	int64_t v[2];
	int error = pair(value, 'x', 0xffff, 0xffff, v);

	if (error == 0) {
		((struct bootargs *)a)->rows = v[0];
		((struct bootargs *)a)->cols = v[1];
	}
	return error;
}

static int
stream(const char *value, enum boot_stream *out)
{
	if (strcmp(value, "tty") == 0)
		*out = STREAM_TTY;
	else if (strcmp(value, "pipe") == 0)
		*out = STREAM_PIPE;
	else if (strcmp(value, "null") == 0)
		*out = STREAM_NULL;
	else
		return -EINVAL;
	return 0;
}

static int
set_stdin(void *a, const char *value)
{
	return stream(value, &((struct bootargs *)a)->in);
}

static int
set_stdout(void *a, const char *value)
{
	return stream(value, &((struct bootargs *)a)->out);
}

/* Heard and not needed: hosts write them for Linux. */
static int
set_nothing(void *a, const char *value)
{
	(void)a;
	(void)value;
	return 0;
}

static const struct cmdline_known known[] = {
	{ "console", set_console, true },
	{ "init", set_init, true },
	{ "rdinit", set_rdinit, true },
	{ "root", set_root, true },
	{ "ro", set_ro, false },
	{ "rw", set_rw, false },
	{ "quiet", set_quiet, false },
	{ "loglevel", set_loglevel, true },
	{ "panic", set_panic, true },
	{ "reboot", set_reboot, true },
	{ "pci", set_pci, true },
	{ "bootchart", set_bootchart, false },
	{ "pci.poll", set_pci_poll, true },
	{ "pci.button", set_pci_button, true },
	{ "virtio_mmio.device", set_virtio_mmio, true },
	{ "nosmap", set_nosmap, false },
	{ "remora.trace", set_trace, true },
	{ "remora.test", set_test, true },
	{ "remora.control", set_control, true },
	{ "remora.exit", set_exit, true },
	{ "remora.io_warn", set_io_warn, true },
	{ "remora.winsize", set_winsize, true },
	{ "remora.stdin", set_stdin, true },
	{ "remora.stdout", set_stdout, true },
	{ "ip", set_ip, true },               /* net/inet_config.c's */
	{ "remora.mount", set_mounts, true }, /* fs/p9_super.c's */
	{ "remora.args", set_args_file, true },
	{ "remora.cloud", set_cloud, true },
	{ "acpi", set_acpi, true },
	{ "earlyprintk", set_nothing, true },
	{ "nomodule", set_nothing, false },
	{ "nomodules", set_nothing, false },
	{ "noapictimer", set_nothing, false },
	{ "nokaslr", set_nothing, false },
	{ "rootfstype", set_rootfstype, true },
	{ "rootflags", set_rootflags, true },
	{ "rootwait", set_nothing, false },
	{ "swiotlb", set_nothing, true },
	{ "tsc", set_nothing, true },
	{ "tsc_early_khz", set_nothing, true },
	/* dev/nvme's */
	{ "nvme.io_timeout", set_nothing, true },
	{ "nvme_core.io_timeout", set_nothing, true },
	{ "nvme.allow", set_nothing, true },
};

static int
add_word(void *a, const char *word)
{
	struct bootargs *b = a;

	if (b->argc == ARRAY_SIZE(b->argv) - 1)
		return -E2BIG;
	b->argv[b->argc++] = word;
	return 0;
}

static int
add_env(void *a, const char *string, size_t name_len)
{
	struct bootargs *b = a;
	unsigned i;

	for (i = 0; i < b->envc; i++)
		if (strncmp(b->envp[i], string, name_len + 1) == 0)
			break;
	if (i == ARRAY_SIZE(b->envp) - 1)
		return -E2BIG;
	b->envp[i] = string;
	b->envc = MAX(b->envc, i + 1);
	return 0;
}

static void
tell_ignored(void *a, const char *string)
{
	(void)a;
	log_info("boot argument %s is a Linux module's: ignored", string);
}

static void
tell_bad(void *a, const char *string, int error)
{
	(void)a;
	log_warn("boot argument %s: %s, ignored", string,
	    error == -E2BIG ? "too many of them" : "not understood");
}

int
bootargs_init(const struct boot_info *bi)
{
	static const struct cmdline_sink sink = { add_word, add_env,
		tell_ignored, tell_bad };

	line = bi->cmdline;
	cmdline_parse(line, store, known, ARRAY_SIZE(known), &sink, &args);
	if (args.quiet)
		log_set_console_level(4);
	if (args.loglevel >= 0)
		log_set_console_level(args.loglevel);
	return 0;
}
