/* SPDX-License-Identifier: ISC */
/* options.c - reading the options of `remora run`. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mem.h"

#define MIB                 ((uint64_t)1 << 20)
#define OPTIONS_MEMORY_MIN  MIB
#define OPTIONS_MEMORY_MAX  ((uint64_t)1 << 40)
#define OPTIONS_TIMEOUT_MAX 1e9 /* seconds */

enum option_code {
	OPT_MEMORY = 256,
	OPT_CPUS,
	OPT_MACHINE,
	OPT_ACCEL,
	OPT_CONSOLE,
	OPT_VSOCK,
	OPT_KERNEL,
	OPT_ROOTFS,
	OPT_ENV,
	OPT_APPEND,
	OPT_ADD,
	OPT_DISK,
	OPT_NVME,
	OPT_SHARE,
	OPT_NET,
	OPT_MAC,
	OPT_TIMEOUT,
	OPT_CLOUD,
	OPT_USER_DATA,
	OPT_META_DATA,
	OPT_NETWORK_CONFIG,
	OPT_TOOLS,
	OPT_QMP,
	OPT_VERBOSE,
	OPT_DRY_RUN,
	OPT_GDB,
	OPT_HELP
};

static const struct option options_long[] = { { "memory", required_argument,
						  NULL, OPT_MEMORY },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "accel", required_argument, NULL, OPT_ACCEL },
	{ "console", required_argument, NULL, OPT_CONSOLE },
	{ "vsock", required_argument, NULL, OPT_VSOCK },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "rootfs", required_argument, NULL, OPT_ROOTFS },
	{ "env", required_argument, NULL, OPT_ENV },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "add", required_argument, NULL, OPT_ADD },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "nvme", required_argument, NULL, OPT_NVME },
	{ "qmp", required_argument, NULL, OPT_QMP },
	{ "share", required_argument, NULL, OPT_SHARE },
	{ "tools", no_argument, NULL, OPT_TOOLS },
	{ "net", required_argument, NULL, OPT_NET },
	{ "mac", required_argument, NULL, OPT_MAC },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "cloud", required_argument, NULL, OPT_CLOUD },
	{ "user-data", required_argument, NULL, OPT_USER_DATA },
	{ "meta-data", required_argument, NULL, OPT_META_DATA },
	{ "network-config", required_argument, NULL, OPT_NETWORK_CONFIG },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "gdb", optional_argument, NULL, OPT_GDB },
	{ "help", no_argument, NULL, OPT_HELP }, { NULL, 0, NULL, 0 } };

static const char *const machine_names[] = { "microvm", "q35", "pc", NULL };
static const char *const console_names[] = { "serial", "virtio", NULL };
static const char *const accel_names[] = { "auto", "kvm", "tcg", NULL };

const char *
machine_type_name(enum machine_type machine)
{
	return machine_names[machine];
}

int
options_parse_size(const char *s, uint64_t *bytes)
{
	unsigned long long value;
	unsigned shift = 20;
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(s, &end, 10);
	if (errno != 0)
		return -ERANGE;
	switch (*end) {
	case 'k':
	case 'K': shift = 10; break;
	case 'm':
	case 'M': shift = 20; break;
	case 'g':
	case 'G': shift = 30; break;
	case '\0': break;
	default: return -EINVAL;
	}
	if (*end != '\0' && end[1] != '\0')
		return -EINVAL;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = (uint64_t)value << shift;
	return 0;
}

static int
options_bad(struct trouble *t, const char *option, const char *value,
    const char *wanted)
{
	return trouble_set(t, STATUS_MACHINE, "--%s %s: %s is expected", option,
	    value, wanted);
}

static int
options_parse_number(const char *s, unsigned max, unsigned *number)
{
	unsigned long value;
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(s, &end, 10);
	if (errno != 0 || *end != '\0' || value == 0 || value > max)
		return -EINVAL;
	*number = (unsigned)value;
	return 0;
}

static int
options_parse_timeout(const char *s, int64_t *ms)
{
	double seconds;
	char *end;

	if (strspn(s, "0123456789.") != strlen(s))
		return -EINVAL;
	seconds = strtod(s, &end);
	if (end == s || *end != '\0' || !(seconds > 0) ||
	    seconds > OPTIONS_TIMEOUT_MAX)
		return -EINVAL;
	*ms = (int64_t)(seconds * 1000);
	if (*ms == 0)
		*ms = 1;
	return 0;
}

static int
options_parse_word(const char *s, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(s, words[i]) == 0)
			return i;
	return -EINVAL;
}

static void
options_push(const char ***list, size_t *count, const char *value)
{
	*list = mem_resize(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = value;
}

static int
options_parse_env(struct run_options *o, const char *value, struct trouble *t)
{
	if (value[0] == '=' || strchr(value, '=') == NULL)
		return options_bad(t, "env", value, "NAME=VALUE");
	options_push(&o->env, &o->nenv, value);
	return 0;
}

static int
options_parse_disk(struct run_options *o, const char *value, struct trouble *t)
{
	o->disk = mem_resize(o->disk, o->ndisks + 1, sizeof(*o->disk));
	return disk_option_parse(&o->disk[o->ndisks++], value, t);
}

static int
options_parse_nvme(struct run_options *o, const char *value, struct trouble *t)
{
	int error = options_parse_disk(o, value, t);
	struct disk_option *d = &o->disk[o->ndisks - 1];

	if (error == 0 &&
	    (d->transport != DISK_TRANSPORT_DEFAULT ||
		d->bus != DISK_BUS_VIRTIO))
		return options_bad(t, "nvme", value, "FILE[,ro]");
	d->bus = DISK_BUS_NVME;
	return error;
}

static int
options_parse_share(struct run_options *o, const char *value, struct trouble *t)
{
	o->share = mem_resize(o->share, o->nshares + 1, sizeof(*o->share));
	return share_option_parse(&o->share[o->nshares++], value, t);
}

static int
options_parse_net(struct run_options *o, const char *value, struct trouble *t)
{
	int error;

	o->net = mem_resize(o->net, o->nnets + 1, sizeof(*o->net));
	error = net_option_parse(&o->net[o->nnets++], value, t);
	if (error <= 0)
		return error;
	while (o->nnets > 0) /* none: those before it, too */
		net_option_fini(&o->net[--o->nnets]);
	return 0;
}

static int
options_parse_memory(struct run_options *o, const char *value,
    struct trouble *t)
{
	if (options_parse_size(value, &o->memory) != 0 ||
	    o->memory < OPTIONS_MEMORY_MIN || o->memory > OPTIONS_MEMORY_MAX)
		return options_bad(t, "memory", value,
		    "a size such as 64M, from 1M to 1024G,");
	o->memory_given = true;
	return 0;
}

/* One of the options whose value is a number or a word. */
static int
options_take_value(struct run_options *o, int code, const char *value,
    struct trouble *t)
{
	int word;

	switch (code) {
	case OPT_MEMORY: return options_parse_memory(o, value, t);
	case OPT_CPUS:
		if (options_parse_number(value, OPTIONS_CPUS_MAX, &o->cpus))
			return options_bad(t, "cpus", value,
			    "a number from 1 to 255");
		return 0;
	case OPT_MACHINE:
		word = options_parse_word(value, machine_names);
		if (word < 0)
			return options_bad(t, "machine", value,
			    "microvm, q35 or pc");
		o->machine = (enum machine_type)word;
		return 0;
	case OPT_ACCEL:
		word = options_parse_word(value, accel_names);
		if (word < 0)
			return options_bad(t, "accel", value,
			    "auto, kvm or tcg");
		o->accel = (enum accel)word;
		return 0;
	case OPT_VSOCK:
		if (options_parse_number(value, UINT32_MAX - 1, &o->vsock) !=
			0 ||
		    o->vsock < OPTIONS_VSOCK_MIN)
			return options_bad(t, "vsock", value,
			    "a number from 3 on");
		return 0;
	case OPT_CONSOLE:
		word = options_parse_word(value, console_names);
		if (word < 0)
			return options_bad(t, "console", value,
			    "serial or virtio");
		o->console = (enum console_kind)word;
		return 0;
	case OPT_TIMEOUT:
		if (options_parse_timeout(value, &o->timeout_ms) != 0)
			return options_bad(t, "timeout", value,
			    "a number of seconds above 0");
		return 0;
	default:
		if (options_parse_number(value, 65535, &o->gdb_port) != 0)
			return options_bad(t, "gdb", value, "a port number");
		return 0;
	}
}

static int
options_take(struct run_options *o, int code, struct trouble *t)
{
	switch (code) {
	case OPT_KERNEL: o->kernel = optarg; return 0;
	case OPT_ROOTFS: o->rootfs = optarg; return 0;
	case OPT_APPEND: o->append = optarg; return 0;
	case OPT_VERBOSE: o->verbose = true; return 0;
	case OPT_TOOLS: o->tools = true; return 0;
	case OPT_DRY_RUN: o->dry_run = true; return 0;
	case OPT_HELP: o->help = true; return 0;
	case OPT_ENV: return options_parse_env(o, optarg, t);
	case OPT_DISK: return options_parse_disk(o, optarg, t);
	case OPT_NVME: return options_parse_nvme(o, optarg, t);
	case OPT_QMP: o->qmp = optarg; return 0;
	case OPT_CLOUD: o->cloud.source = optarg; return 0;
	case OPT_USER_DATA: o->cloud.user_data = optarg; return 0;
	case OPT_META_DATA: o->cloud.meta_data = optarg; return 0;
	case OPT_NETWORK_CONFIG: o->cloud.network_config = optarg; return 0;
	case OPT_SHARE: return options_parse_share(o, optarg, t);
	case OPT_NET: return options_parse_net(o, optarg, t);
	case OPT_MAC:
		return net_mac_parse(o->nnets > 0 ? &o->net[o->nnets - 1] :
						    NULL,
		    optarg, t);
	case OPT_ADD: options_push(&o->add, &o->nadd, optarg); return 0;
	case OPT_GDB:
		o->gdb_port = OPTIONS_GDB_PORT;
		if (optarg == NULL)
			return 0;
		break;
	}
	return options_take_value(o, code, optarg, t);
}

static int
options_refuse(int code, char **argv, struct trouble *t)
{
	const char *word = argv[optind - 1];

	if (code == ':')
		return trouble_set(t, STATUS_MACHINE,
		    "%s needs a value; see remora run --help", word);
	if (optopt >= OPT_MEMORY)
		return trouble_set(t, STATUS_MACHINE,
		    "%s takes no value; see remora run --help", word);
	if (optopt > 0)
		return trouble_set(t, STATUS_MACHINE,
		    "unknown option -%c; see remora run --help", optopt);
	return trouble_set(t, STATUS_MACHINE,
	    "unknown or ambiguous option %s; see remora run --help", word);
}

int
options_parse(struct run_options *o, int argc, char **argv, struct trouble *t)
{
	int code, error = 0;

	memset(o, 0, sizeof(*o));
	o->memory = OPTIONS_MEMORY_DEFAULT;
	o->cpus = 1;
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	/* "+": the first word that is no option is the program. */
	while (error == 0 &&
	    (code = getopt_long(argc, argv, "+:", options_long, NULL)) != -1) {
		if (code == '?' || code == ':')
			error = options_refuse(code, argv, t);
		else
			error = options_take(o, code, t);
	}
	o->argv = argv + optind;
	o->argc = argc - optind;
	if (error == 0 && !o->help && (o->argc == 0 || o->argv[0][0] == '\0'))
		error = trouble_set(t, STATUS_MACHINE,
		    "a program is expected; see remora run --help");
	return error;
}

void
options_fini(struct run_options *o)
{
	for (size_t i = 0; i < o->ndisks; i++)
		disk_option_fini(&o->disk[i]);
	free(o->disk);
	for (size_t i = 0; i < o->nshares; i++)
		share_option_fini(&o->share[i]);
	free(o->share);
	for (size_t i = 0; i < o->nnets; i++)
		net_option_fini(&o->net[i]);
	free(o->net);
	free(o->env);
	free(o->add);
}
