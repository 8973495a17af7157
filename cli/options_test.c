/* SPDX-License-Identifier: ISC */
/* options_test.c - the options of `remora run`, right and wrong. */
/* unit: cli/options.c cli/disk.c cli/trouble.c cli/mem.c cli/share.c cli/net.c cli/bootline.c cli/tree.c */
#include "cli/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/mem.h"

static struct run_options o;
static struct trouble t;

static int
parse(char *const *words)
{
	static char *argv[32];
	int argc = 0;

	options_fini(&o);
	memset(&t, 0, sizeof(t));
	argv[argc++] = "run";
	while (*words != NULL)
		argv[argc++] = *words++;
	argv[argc] = NULL;
	return options_parse(&o, argc, argv, &t);
}

#define PARSE(...) parse((char *const[]){ __VA_ARGS__, NULL })

static void
refuses(int error, const char *text)
{
	assert_int_not_equal(error, 0);
	assert_int_equal(t.status, STATUS_MACHINE);
	assert_string_equal(t.text, text);
}

static void
sizes(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_int_equal(options_parse_size("64", &n), 0);
	assert_int_equal(n, 64 << 20);
	assert_int_equal(options_parse_size("4096K", &n), 0);
	assert_int_equal(n, 4 << 20);
	assert_int_equal(options_parse_size("3g", &n), 0);
	assert_true(n == 3ull << 30);
	assert_int_equal(options_parse_size("", &n), -EINVAL);
	assert_int_equal(options_parse_size("-1", &n), -EINVAL);
	assert_int_equal(options_parse_size("1.5G", &n), -EINVAL);
	assert_int_equal(options_parse_size("1MB", &n), -EINVAL);
	assert_int_equal(options_parse_size("20000000000G", &n), -ERANGE);
	assert_int_equal(options_parse_size("99999999999999999999", &n),
	    -ERANGE);
}

static void
defaults(void **state)
{
	(void)state;
	assert_int_equal(PARSE("prog"), 0);
	assert_int_equal(o.memory, 64 << 20);
	assert_int_equal(o.cpus, 1);
	assert_int_equal(o.machine, MACHINE_MICROVM);
	assert_int_equal(o.accel, ACCEL_AUTO);
	assert_null(o.kernel);
	assert_int_equal(o.gdb_port, 0);
	assert_int_equal(o.argc, 1);
}

static void
everything(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--memory", "128M", "--cpus=3", "--machine",
			     "pc", "--accel", "tcg", "--kernel", "k", "--env",
			     "A=1", "--env", "B=", "--append", "x y", "--add",
			     "/a", "--timeout", "1.5", "--verbose", "--dry-run",
			     "--gdb", "--", "prog", "--memory"),
	    0);
	assert_int_equal(o.memory, 128 << 20);
	assert_int_equal(o.cpus, 3);
	assert_int_equal(o.machine, MACHINE_PC);
	assert_int_equal(o.accel, ACCEL_TCG);
	assert_string_equal(o.kernel, "k");
	assert_int_equal(o.nenv, 2);
	assert_string_equal(o.env[1], "B=");
	assert_string_equal(o.append, "x y");
	assert_int_equal(o.nadd, 1);
	assert_int_equal(o.timeout_ms, 1500);
	assert_true(o.verbose && o.dry_run);
	assert_int_equal(o.gdb_port, OPTIONS_GDB_PORT);
	assert_int_equal(o.argc, 2);
	assert_string_equal(o.argv[0], "prog");
	assert_string_equal(o.argv[1], "--memory");
	assert_int_equal(PARSE("--gdb=99", "prog"), 0);
	assert_int_equal(o.gdb_port, 99);
}

static void
the_program_ends_the_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("prog", "--verbose", "--", "x"), 0);
	assert_false(o.verbose);
	assert_int_equal(o.argc, 4);
	assert_string_equal(o.argv[2], "--");
}

static void
nonsense(void **state)
{
	(void)state;
	refuses(PARSE("--memory", "lots", "p"),
	    "--memory lots: a size such as 64M, from 1M to 1024G, is expected");
	refuses(PARSE("--memory", "4K", "p"),
	    "--memory 4K: a size such as 64M, from 1M to 1024G, is expected");
	refuses(PARSE("--cpus", "0", "p"),
	    "--cpus 0: a number from 1 to 255 is expected");
	refuses(PARSE("--cpus", "two", "p"),
	    "--cpus two: a number from 1 to 255 is expected");
	refuses(PARSE("--machine", "isapc", "p"),
	    "--machine isapc: microvm, q35 or pc is expected");
	refuses(PARSE("--accel", "hvf", "p"),
	    "--accel hvf: auto, kvm or tcg is expected");
	refuses(PARSE("--env", "NAME", "p"),
	    "--env NAME: NAME=VALUE is expected");
	refuses(PARSE("--env", "=V", "p"), "--env =V: NAME=VALUE is expected");
	refuses(PARSE("--timeout", "0", "p"),
	    "--timeout 0: a number of seconds above 0 is expected");
	refuses(PARSE("--timeout", "1e3", "p"),
	    "--timeout 1e3: a number of seconds above 0 is expected");
	refuses(PARSE("--gdb=70000", "p"),
	    "--gdb 70000: a port number is expected");
	refuses(PARSE("--memory"),
	    "--memory needs a value; see remora run --help");
	refuses(PARSE("--verbose=1", "p"),
	    "--verbose=1 takes no value; see remora run --help");
	refuses(PARSE("--frob", "p"),
	    "unknown or ambiguous option --frob; see remora run --help");
	refuses(PARSE("-x", "p"), "unknown option -x; see remora run --help");
	refuses(PARSE("--verbose"),
	    "a program is expected; see remora run --help");
	refuses(PARSE(""), "a program is expected; see remora run --help");
}

static void
disks(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--disk", "a,,b", "--disk",
			     "c,transport=legacy,ro", "p"),
	    0);
	assert_int_equal(o.ndisks, 2);
	assert_string_equal(o.disk[0].file, "a,b");
	assert_false(o.disk[0].read_only);
	assert_int_equal(o.disk[0].transport, DISK_TRANSPORT_DEFAULT);
	assert_string_equal(o.disk[1].file, "c");
	assert_true(o.disk[1].read_only);
	assert_int_equal(o.disk[1].transport, DISK_TRANSPORT_LEGACY);
#define WANTED                                                             \
	"FILE[,ro][,bus=virtio|scsi|nvme][,transport=mmio|legacy|modern] " \
	"is expected"
	refuses(PARSE("--disk", "", "p"), "--disk : " WANTED);
	refuses(PARSE("--disk", ",ro", "p"), "--disk ,ro: " WANTED);
	refuses(PARSE("--disk", "f,rw", "p"), "--disk f,rw: " WANTED);
	refuses(PARSE("--disk", "f,transport=x", "p"),
	    "--disk f,transport=x: " WANTED);
	assert_int_equal(PARSE("--nvme", "n,ro", "--disk", "d,bus=nvme",
			     "--qmp", "q.sock", "p"),
	    0);
	assert_int_equal(o.ndisks, 2);
	assert_true(o.disk[0].read_only);
	assert_int_equal(o.disk[0].bus, DISK_BUS_NVME);
	assert_int_equal(o.disk[1].bus, DISK_BUS_NVME);
	assert_string_equal(o.qmp, "q.sock");
	refuses(PARSE("--nvme", "f,transport=mmio", "p"),
	    "--nvme f,transport=mmio: FILE[,ro] is expected");
}

static void
disks_that_can_be_had(void **state)
{
	struct disk_option d[9] = { { .file = mem_string("/dev/null") } };

	(void)state;
	refuses(disks_check(d, 1, MACHINE_MICROVM, &t),
	    "--disk /dev/null: a file or a block device is expected");
	refuses(disks_check(d, 9, MACHINE_MICROVM, &t),
	    "--disk: microvm has room for 8");
	free(d[0].file);
	d[0].file = mem_string("/nowhere/at/all");
	refuses(disks_check(d, 1, MACHINE_Q35, &t),
	    "--disk /nowhere/at/all: No such file or directory");
	free(d[0].file);
	d[0].file = mem_string("/proc/self/exe");
	d[0].read_only = true;
	d[0].transport = DISK_TRANSPORT_MMIO;
	assert_int_equal(disks_check(d, 1, MACHINE_MICROVM, &t), 0);
	assert_string_not_equal(d[0].file, "/proc/self/exe");
	assert_int_not_equal(disks_check(d, 1, MACHINE_PC, &t), 0);
	assert_non_null(strstr(t.text, "needs --machine microvm"));
	d[1].file = mem_string(d[0].file);
	d[1].read_only = true;
	d[1].transport = DISK_TRANSPORT_LEGACY;
	assert_int_not_equal(disks_check(d, 2, MACHINE_MICROVM, &t), 0);
	assert_non_null(strstr(t.text, "either all disks are legacy or none"));
	free(d[0].file);
	free(d[1].file);
}

static void
shares(void **state)
{
	struct share_option s = { 0 };
	char *argument;

	(void)state;
	assert_int_equal(PARSE("--share", "a:b,c:/m n,ro", "--share", ".:/x",
			     "p"),
	    0);
	assert_int_equal(o.nshares, 2);
	assert_string_equal(o.share[0].folder, "a:b,c");
	assert_string_equal(o.share[0].path, "/m n");
	assert_true(o.share[0].read_only);
	assert_string_equal(o.share[1].path, "/x");
	assert_false(o.share[1].read_only);
	argument = share_boot_argument(&o.share[0], 3);
	assert_string_equal(argument, "remora.mount=share3:/m n:ro");
	free(argument);
	assert_int_not_equal(PARSE("--share", "a", "p"), 0);
	assert_int_not_equal(PARSE("--share", ":/a", "p"), 0);
	assert_int_not_equal(PARSE("--share", "a:b", "p"), 0);
	assert_int_not_equal(PARSE("--share", "a:/b\"", "p"), 0);
	assert_int_not_equal(PARSE("--share", "a:/b\n", "p"), 0);
	assert_int_equal(PARSE("--share", "a:/", "--share", "b:/", "p"), 0);
	assert_string_equal(shares_root(o.share, o.nshares), "a");
	refuses(shares_check(o.share, 2, 0, MACHINE_PC, &t),
	    "--share: only one folder can be the root");
	s.folder = mem_string("/dev/null");
	s.path = mem_string("/x");
	assert_null(shares_root(&s, 1));
	refuses(shares_check(&s, 1, 0, MACHINE_PC, &t),
	    "--share /dev/null: a directory is expected");
	refuses(shares_check(&s, 1, 8, MACHINE_MICROVM, &t),
	    "--share: microvm has room for 8 disks and folders");
	share_option_fini(&s);
}

static void
nets(void **state)
{
	char *ip;

	(void)state;
	assert_int_equal(
	    PARSE("--net", "user,hostfwd=tcp:8080:80,hostfwd=udp:0.0.0.0:53:54",
		"--net", "tap=tap0", "--mac", "52:54:00:00:00:07", "--net",
		"socket=/a,b", "p"),
	    0);
	assert_int_equal(o.nnets, 3);
	assert_string_equal(o.net[0].forward,
	    ",hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:53-:54");
	assert_null(o.net[0].mac);
	assert_string_equal(o.net[1].name, "tap0");
	assert_string_equal(o.net[1].mac, "52:54:00:00:00:07");
	assert_string_equal(o.net[2].name, "/a,b");
	ip = net_boot_argument(&o.net[0], 1);
	assert_string_equal(ip,
	    "ip=10.0.2.15::10.0.2.2:255.255.255.0::eth1:off:10.0.2.3");
	free(ip);
	assert_null(net_boot_argument(&o.net[1], 1));
	assert_int_equal(nets_check(o.net, 3, 5, MACHINE_MICROVM, &t), 0);
	refuses(nets_check(o.net, 3, 6, MACHINE_MICROVM, &t),
	    "--net: microvm has room for 8 disks, folders and cards");
	assert_int_equal(PARSE("--net", "user", "--net", "none", "p"), 0);
	assert_int_equal(o.nnets, 0);
}

static void
nets_that_make_no_sense(void **state)
{
	static const char *const bad[] = { "", "users", "user,", "user,x",
		"user,hostfwd=tcp:80", "user,hostfwd=tcp:0:80",
		"user,hostfwd=tcp:80:65536", "user,hostfwd=sctp:1:2",
		"user,hostfwd=tcp:a:80:80", "user,hostfwd=tcp:80:80x",
		"tap=", "tap=sixteen-letters-", "tap=a,b",
		"socket=", "passt=x" };
	static const char *const macs[] = { "", "52:54:00:12:34",
		"53:54:00:12:34:56", "52:54:00:12:34:56:78",
		"52-54-00-12-34-56", "5:54:00:12:34:56" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(PARSE("--net", (char *)bad[i], "p"), 0);
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++)
		assert_int_not_equal(PARSE("--net", "user", "--mac",
					 (char *)macs[i], "p"),
		    0);
	refuses(PARSE("--mac", "52:54:00:12:34:56", "p"),
	    "--mac 52:54:00:12:34:56: there is no --net before it");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything),
		cmocka_unit_test(the_program_ends_the_options),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(disks),
		cmocka_unit_test(shares),
		cmocka_unit_test(nets),
		cmocka_unit_test(nets_that_make_no_sense),
		cmocka_unit_test(disks_that_can_be_had),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	options_fini(&o);
	return failed;
}
