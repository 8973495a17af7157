/* SPDX-License-Identifier: ISC */
/*
 * main.c - the boot: one table of steps, read from top to bottom.  It stands
 * above all floors, and nothing starts itself.
 */
#include "bus/acpi.h"
#include "bus/firmware.h"
#include "bus/pci.h"
#include "bus/platform.h"
#include "bus/virtio_mmio.h"
#include "dev/console.h"
#include "dev/control.h"
#include "dev/drivers.h"
#include "fs/blkdev.h"
#include "fs/initramfs.h"
#include "fs/p9.h"
#include "fs/vfs.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "linux/devctl.h"
#include "linux/files.h"
#include "linux/hwrng.h"
#include "linux/nvme_dev.h"
#include "linux/kmsg.h"
#include "linux/mem_devices.h"
#include "linux/process.h"
#include "linux/tty.h"
#include "linux/vsock_dev.h"
#include "net/stack.h"
#include "x86/machdep.h"
#include "x86/smp.h"
#include <linux/errno.h>

#define SETTLE_NS (20 * NSEC_PER_SEC)

static int
greet(const struct boot_info *bi)
{
	unsigned i;

	log_info("Remora %s, entered by %s on %s", REMORA_VERSION,
	    bi->entry == BOOT_PVH ? "PVH" : "Linux's 64-bit boot protocol",
	    cpu_hypervisor());
	for (i = 0; i < bi->nnotes; i++)
		log_warn("boot: %s", bi->note[i]);
	return boot_info_error();
}

static int
memory(const struct boot_info *bi)
{
	struct page_stats st;
	int error = page_init(bi);

	if (error == 0)
		error = kmem_init();
	if (error == 0)
		error = cpu_smap_on(!bootargs()->nosmap);
	if (error == 0)
		error = pt_init();
	page_stats(&st);
	log_info("memory: %lu KiB free of %lu KiB", st.free * PAGE_SIZE / 1024,
	    st.total * PAGE_SIZE / 1024);
	return error;
}

static int
clocks(const struct boot_info *bi)
{
	int error = clock_init();

	(void)bi;
	if (error == 0)
		error = timer_init();
	log_info("clock: %s", clock_source_name());
	return error;
}

static int
threads(const struct boot_info *bi)
{
	(void)bi;
	return sched_init();
}

static int
files(const struct boot_info *bi)
{
	int error = vfs_init();

	files_init();
	if (error == 0 && bi->initrd_size != 0)
		initramfs_unpack(bi->initrd, bi->initrd_size);
	return error;
}

/* Buses are looked for in the steps below; each finds its devices' drivers. */
static int
drivers_known(const struct boot_info *bi)
{
	(void)bi;
	device_set_drivers(drivers);
	return 0;
}

static int
devices(const struct boot_info *bi)
{
	int error = mem_devices_init(bi);

	hwrng_device_init();
	nvme_dev_init();
	vsock_device_init();
	if (error == 0)
		error = devctl_init();
	return error == 0 ? kmsg_init(bi) : error;
}

/* The numbers of their local APICs, from the host's tables. */
static unsigned
find_processors(uint32_t *ids, unsigned max)
{
	const struct platform *p = firmware_platform();
	unsigned i, n = 0;

	for (i = 0; p != NULL && i < p->ncpus && n < max; i++)
		if (!p->cpu[i].hotplug)
			ids[n++] = p->cpu[i].apic_id;
	return n;
}

static int
processors(const struct boot_info *bi)
{
	(void)bi;
	smp_init(find_processors);
	return 0;
}

static void
run_steps(const struct boot_step *steps, unsigned n)
{
	unsigned i;
	int error;

	for (i = 0; i < n; i++) {
		error = steps[i].run(boot_info());
		bootchart_mark(steps[i].name);
		if (error == 0)
			continue;
		if (steps[i].need == BOOT_OPTIONAL) {
			log_info("%s: none (error %d)", steps[i].name, -error);
			continue;
		}
		log_line(LOG_EMERG, "boot: %s failed with error %d, stopping",
		    steps[i].name, -error);
		power_end(POWER_PANIC, 0, "the boot failed");
	}
}

/* By the thread that becomes process 1. */
static const struct boot_step boot_steps[] = {
	{ "files", files, BOOT_REQUIRED },
	{ "terminals", tty_init, BOOT_OPTIONAL },
	{ "devices", devices, BOOT_OPTIONAL },
	{ "disks", blkdev_init, BOOT_REQUIRED },
	{ "network", net_init, BOOT_REQUIRED },
	{ "drivers", drivers_known, BOOT_REQUIRED },
	/* Drivers ask how many there are. */
	{ "processors", processors, BOOT_OPTIONAL },
	{ "virtio", virtio_mmio_scan, BOOT_OPTIONAL },
	{ "power", acpi_power_init, BOOT_OPTIONAL },
	{ "firmware", firmware_init, BOOT_OPTIONAL },
	{ "pci", pci_init, BOOT_OPTIONAL },
	{ "acpi", acpi_init, BOOT_OPTIONAL },
};

static void
first_program(void *arg)
{
	const char *share;
	char text[128];
	int error;

	(void)arg;
	run_steps(boot_steps, ARRAY_SIZE(boot_steps));
	if (bootargs()->test_panic)
		panic("asked for by remora.test=panic");
	acpi_find_devices();
	console_await();
	if (device_settle(clock_mono_ns() + SETTLE_NS) != 0)
		log_warn("devices: some do not answer, starting without them");
	error = p9_mount_asked(&share);
	if (error != 0) {
		snprintf(text, sizeof(text), "cannot mount %s: error %d", share,
		    -error);
		power_end(POWER_PANIC, 0, text);
	}
	error = linux_start();
	log_line(LOG_EMERG, "boot: no first program, error %d", -error);
	power_end(POWER_PANIC, 0, "no first program");
}

static int
start(const struct boot_info *bi)
{
	struct thread *t;
	int error = thread_create("init", first_program, NULL, &t);

	(void)bi;
	if (error == 0)
		thread_start(t);
	return error;
}

/* Until there are threads; nothing here may sleep. */
static const struct boot_step first_steps[] = {
	/* each may use those above */
	{ "arguments", bootargs_init, BOOT_REQUIRED },
	{ "console", console_init, BOOT_OPTIONAL },
	{ "control", control_init, BOOT_OPTIONAL },
	{ "boot info", greet, BOOT_REQUIRED },
	{ "memory", memory, BOOT_REQUIRED },
	{ "threads", threads, BOOT_REQUIRED },
	{ "clocks", clocks, BOOT_REQUIRED },
	{ "start", start, BOOT_REQUIRED },
};

void
kernel_main(void)
{
	run_steps(first_steps, ARRAY_SIZE(first_steps));
	sched_idle();
}
