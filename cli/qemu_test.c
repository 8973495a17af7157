/* SPDX-License-Identifier: ISC */
/* qemu_test.c - QEMU's command, for each board, and as a shell reads it. */
/* unit: cli/qemu.c cli/disk.c cli/deps.c cli/libsearch.c cli/ldcache.c cli/elffile.c cli/fill.c cli/walk.c cli/tree.c cli/trouble.c cli/mem.c cli/share.c cli/net.c cli/bootline.c */
#include "cli/qemu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *
command(const struct qemu_machine *m)
{
	struct strings argv = { 0 };
	char *text;

	qemu_command(m, &argv);
	text = qemu_command_text(&argv);
	strings_fini(&argv);
	return text;
}

static void
the_usual_one(void **state)
{
	struct qemu_machine m = { .program = "qemu",
		.control = true,
		.cpus = 1,
		.memory = 64 << 20,
		.kernel = "/k e",
		.line = "a \"b\" 'c'" };
	char *text = command(&m);

	(void)state;
	assert_string_equal(text,
	    "qemu \\\n    -nodefaults \\\n    -no-user-config \\\n"
	    "    -no-reboot \\\n    -display none \\\n"
	    "    -machine microvm,acpi=off,rtc=on,pit=on,pic=on,"
	    "isa-serial=off,auto-kernel-cmdline=off \\\n"
	    "    -accel tcg \\\n    -cpu max \\\n    -smp 1 \\\n"
	    "    -m 65536K \\\n"
	    "    -chardev stdio,id=console,signal=off \\\n"
	    "    -chardev socket,id=control,fd=4 \\\n"
	    "    -device isa-debug-exit,iobase=0x501,iosize=2 \\\n"
	    "    -device isa-serial,iobase=0x3f8,irq=4,chardev=console \\\n"
	    "    -device isa-serial,iobase=0x2f8,irq=3,chardev=control \\\n"
	    "    -kernel '/k e' \\\n    -initrd /proc/self/fd/3 \\\n"
	    "    -append 'a \"b\" '\\''c'\\'''");
	free(text);
}

static void
other_ones(void **state)
{
	struct qemu_machine m = { .program = "qemu",
		.type = MACHINE_Q35,
		.kvm = true,
		.cpus = 4,
		.gdb_port = 99,
		.memory = 1 << 30,
		.kernel = "k",
		.line = "" };
	char *text = command(&m);

	(void)state;
	assert_non_null(strstr(text, "-machine q35 "));
	assert_non_null(strstr(text, "-accel kvm "));
	assert_non_null(strstr(text, "-cpu host "));
	assert_non_null(strstr(text, "-smp 4 "));
	assert_non_null(strstr(text, "-m 1048576K "));
	assert_non_null(strstr(text, "-gdb tcp:127.0.0.1:99 "));
	assert_non_null(strstr(text, "-S "));
	assert_non_null(strstr(text, "-append ''"));
	assert_null(strstr(text, "control"));
	assert_null(strstr(text, "isa-debug-exit"));
	free(text);
}

static void
virtio_console(void **state)
{
	struct qemu_machine m = { .program = "qemu",
		.control = true,
		.virtio_console = true,
		.cpus = 1,
		.memory = 64 << 20,
		.kernel = "k",
		.line = "" };
	char *text = command(&m);

	(void)state;
	assert_null(strstr(text, "isa-serial,"));
	assert_non_null(strstr(text,
	    "    -device virtio-serial-device,bus=virtio-mmio-bus.7 \\\n"
	    "    -device virtserialport,chardev=console,"
	    "name=remora.console \\\n"
	    "    -device virtserialport,chardev=control,"
	    "name=remora.control \\\n"));
	assert_null(strstr(text, "vsock"));
	free(text);
	m.type = MACHINE_Q35;
	m.vsock = 42;
	text = command(&m);
	assert_non_null(strstr(text, "-device virtio-serial-pci "));
	assert_non_null(strstr(text, "-device vhost-vsock-pci,guest-cid=42 "));
	free(text);
}

static void
disks(void **state)
{
	char file[] = "/a,b";
	struct disk_option d[] = { { .file = file },
		{ .file = file, .read_only = true } };
	struct qemu_machine m = { .program = "qemu",
		.cpus = 1,
		.memory = 1 << 30,
		.kernel = "k",
		.line = "",
		.disks = d,
		.ndisks = 2 };
	char *text = command(&m);

	(void)state;
	assert_non_null(strstr(text,
	    "-global virtio-mmio.force-legacy=off \\\n"
	    "    -drive if=none,id=disk0,format=raw,file=/a,,b \\\n"
	    "    -device virtio-blk-device,drive=disk0,"
	    "bus=virtio-mmio-bus.0 \\\n"
	    "    -drive if=none,id=disk1,format=raw,read-only=on,"
	    "file=/a,,b \\\n"
	    "    -device virtio-blk-device,drive=disk1,"
	    "bus=virtio-mmio-bus.1 "));
	free(text);
	d[0].transport = DISK_TRANSPORT_LEGACY;
	text = command(&m);
	assert_non_null(strstr(text, "force-legacy=on "));
	free(text);
	d[1].transport = DISK_TRANSPORT_MODERN;
	m.type = MACHINE_PC;
	text = command(&m);
	assert_non_null(strstr(text,
	    "-device virtio-blk-pci,drive=disk0,disable-modern=on "));
	assert_non_null(strstr(text,
	    "-device virtio-blk-pci,drive=disk1,disable-legacy=on "));
	assert_null(strstr(text, "force-legacy"));
	free(text);
	d[1].bus = DISK_BUS_NVME;
	m.qmp = "/q,s";
	text = command(&m);
	assert_non_null(strstr(text, "-device nvme,drive=disk1,serial=disk1 "));
	assert_non_null(strstr(text,
	    "-chardev socket,id=qmp,server=on,wait=off,path=/q,,s "));
	assert_null(strstr(text, "pcie-root-port"));
	free(text);
	m.type = MACHINE_Q35;
	text = command(&m);
	assert_non_null(
	    strstr(text, "-device pcie-root-port,id=port3,chassis=4,slot=4 "));
	free(text);
}

static void
shares(void **state)
{
	char folder[] = "/a,b", path[] = "/mnt";
	struct share_option s[] = { { folder, path, false },
		{ folder, path, true } };
	struct qemu_machine m = { .program = "qemu",
		.cpus = 1,
		.memory = 1 << 30,
		.kernel = "k",
		.line = "",
		.shares = s,
		.nshares = 2 };
	char *text = command(&m);

	(void)state;
	assert_non_null(strstr(text, "virtio-mmio.force-legacy=off"));
	assert_non_null(
	    strstr(text, "security_model=none,multidevs=remap,path=/a,,b "));
	assert_non_null(strstr(text,
	    "-device virtio-9p-device,fsdev=share0,mount_tag=share0,"
	    "bus=virtio-mmio-bus.0 "));
	assert_non_null(strstr(text, "remap,readonly=on,path=/a,,b "));
	assert_non_null(strstr(text, "bus=virtio-mmio-bus.1"));
	free(text);
	m.type = MACHINE_Q35;
	text = command(&m);
	assert_non_null(strstr(text,
	    "-device virtio-9p-pci,fsdev=share1,mount_tag=share1"));
	assert_null(strstr(text, "force-legacy"));
	free(text);
}

static void
nets(void **state)
{
	char tap[] = "tap0", path[] = "/a,b", mac[] = "52:54:00:00:00:07";
	char forward[] = ",hostfwd=tcp:127.0.0.1:1-:2";
	struct net_option n[] = { { NET_USER, NULL, forward, NULL },
		{ NET_TAP, tap, NULL, mac }, { NET_SOCKET, path, NULL, NULL } };
	struct qemu_machine m = { .program = "qemu",
		.cpus = 1,
		.memory = 1 << 30,
		.kernel = "k",
		.line = "",
		.nets = n,
		.nnets = 3 };
	char *text = command(&m);

	(void)state;
	assert_non_null(strstr(text, "virtio-mmio.force-legacy=off"));
	assert_non_null(
	    strstr(text, "-netdev user,id=net0,hostfwd=tcp:127.0.0.1:1-:2 "));
	assert_non_null(strstr(text,
	    "-device virtio-net-device,netdev=net0,bus=virtio-mmio-bus.0 "));
	assert_non_null(strstr(text, "-netdev tap,id=net1,ifname=tap0,script"));
	assert_non_null(strstr(text,
	    "netdev=net1,mac=52:54:00:00:00:07,bus=virtio-mmio-bus.1 "));
	assert_non_null(strstr(text, "addr.type=unix,addr.path=/a,,b "));
	free(text);
	m.type = MACHINE_PC;
	text = command(&m);
	assert_non_null(
	    strstr(text, "-device virtio-net-pci,netdev=net2,romfile= "));
	assert_null(strstr(text, "force-legacy"));
	free(text);
}

static void
finds_qemu(void **state)
{
	struct trouble t = { 0 };
	char *name;

	(void)state;
	setenv("REMORA_QEMU", "/opt/qemu", 1);
	name = qemu_find(&t);
	assert_string_equal(name, "/opt/qemu");
	free(name);
	setenv("REMORA_QEMU", "no-such-qemu", 1);
	assert_null(qemu_find(&t));
	assert_int_equal(t.status, STATUS_MACHINE);
	assert_non_null(strstr(t.text, "no-such-qemu: not found in "));
	unsetenv("REMORA_QEMU");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_one),
		cmocka_unit_test(other_ones),
		cmocka_unit_test(virtio_console),
		cmocka_unit_test(disks),
		cmocka_unit_test(shares),
		cmocka_unit_test(nets),
		cmocka_unit_test(finds_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
