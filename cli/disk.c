/* SPDX-License-Identifier: ISC */
/* disk.c - the disks of a machine.  QEMU 7.2, qemu(1), -drive and -device. */
#include "cli/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"

/* The next part of a list; "," belongs to it where it is doubled. */
static char *
disk_part(const char **at)
{
	struct text part = { 0 };
	const char *s = *at;

	text_add(&part, "%s", "");
	for (; *s != '\0' && (*s != ',' || s[1] == ','); s++) {
		text_add(&part, "%c", *s);
		if (*s == ',')
			s++;
	}
	*at = *s == ',' ? s + 1 : s;
	return part.text;
}

static int
disk_transport_parse(struct disk_option *d, const char *name)
{
	static const char *const names[] = { "", "mmio", "legacy", "modern" };

	for (int i = DISK_TRANSPORT_MMIO; i <= DISK_TRANSPORT_MODERN; i++)
		if (strcmp(name, names[i]) == 0) {
			d->transport = (enum disk_transport)i;
			return 0;
		}
	return -EINVAL;
}

static int
disk_bus_parse(struct disk_option *d, const char *name)
{
	static const char *const names[] = { "virtio", "scsi", "nvme" };

	for (int i = DISK_BUS_VIRTIO; i <= DISK_BUS_NVME; i++)
		if (strcmp(name, names[i]) == 0) {
			d->bus = (enum disk_bus)i;
			return 0;
		}
	return -EINVAL;
}

static int
disk_word_parse(struct disk_option *d, const char *word)
{
	static const char transport[] = "transport=", bus[] = "bus=";

	if (strcmp(word, "ro") == 0) {
		d->read_only = true;
		return 0;
	}
	if (strncmp(word, transport, strlen(transport)) == 0)
		return disk_transport_parse(d, word + strlen(transport));
	if (strncmp(word, bus, strlen(bus)) == 0)
		return disk_bus_parse(d, word + strlen(bus));
	return -EINVAL;
}

int
disk_option_parse(struct disk_option *d, const char *value, struct trouble *t)
{
	const char *at = value;
	int error;
	char *word;

	memset(d, 0, sizeof(*d));
	d->file = disk_part(&at);
	error = d->file[0] == '\0' ? -EINVAL : 0;
	while (*at != '\0' && error == 0) {
		word = disk_part(&at);
		error = disk_word_parse(d, word);
		free(word);
	}
	if (error == 0)
		return 0;
	return trouble_set(t, STATUS_MACHINE,
	    "--disk %s: FILE[,ro][,bus=virtio|scsi|nvme]"
	    "[,transport=mmio|legacy|modern] is expected",
	    value);
}

void
disk_option_fini(struct disk_option *d)
{
	free(d->file);
	d->file = NULL;
}

static int
disk_check_file(struct disk_option *d, struct trouble *t)
{
	char *path = realpath(d->file, NULL);
	struct stat st;

	if (path == NULL || stat(path, &st) != 0 ||
	    access(path, d->read_only ? R_OK : R_OK | W_OK) != 0) {
		free(path);
		return trouble_set(t, STATUS_MACHINE, "--disk %s: %s", d->file,
		    strerror(errno));
	}
	free(d->file);
	d->file = path;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return 0;
	return trouble_set(t, STATUS_MACHINE,
	    "--disk %s: a file or a block device is expected", path);
}

/* The registers' version is one for all slots of a board. */
static bool
disk_is_legacy(const struct disk_option *d)
{
	return d->transport == DISK_TRANSPORT_LEGACY;
}

static size_t
disks_on(const struct disk_option *disks, size_t n, enum disk_bus bus)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += disks[i].bus == bus;
	return count;
}

size_t
disks_slots(const struct disk_option *disks, size_t n)
{
	return disks_on(disks, n, DISK_BUS_VIRTIO) +
	    (disks_on(disks, n, DISK_BUS_SCSI) > 0);
}

int
disks_check(struct disk_option *disks, size_t n, enum machine_type machine,
    struct trouble *t)
{
	int error = 0;

	if (machine == MACHINE_MICROVM && disks_slots(disks, n) > MMIO_SLOTS)
		return trouble_set(t, STATUS_MACHINE,
		    "--disk: microvm has room for %d", MMIO_SLOTS);
	for (size_t i = 0; i < n && error == 0; i++) {
		error = disk_check_file(&disks[i], t);
		if (error == 0 && machine != MACHINE_MICROVM &&
		    disks[i].transport == DISK_TRANSPORT_MMIO)
			error = trouble_set(t, STATUS_MACHINE,
			    "--disk %s: transport=mmio needs --machine "
			    "microvm",
			    disks[i].file);
		if (error == 0 && machine == MACHINE_MICROVM &&
		    disks[i].bus == DISK_BUS_NVME)
			error = trouble_set(t, STATUS_MACHINE,
			    "--nvme %s: microvm has no PCI; --machine pc or "
			    "q35 has",
			    disks[i].file);
		if (error == 0 && machine == MACHINE_MICROVM &&
		    disk_is_legacy(&disks[i]) != disk_is_legacy(&disks[0]))
			error = trouble_set(t, STATUS_MACHINE,
			    "--disk %s: on microvm either all disks are "
			    "legacy or none is",
			    disks[i].file);
	}
	return error;
}

/* On PCI: the registers' version. */
static const char *
disk_version(const struct disk_option *d)
{
	return d->transport == DISK_TRANSPORT_LEGACY ? ",disable-modern=on" :
	    d->transport == DISK_TRANSPORT_MODERN    ? ",disable-legacy=on" :
						       "";
}

/* The one host of all SCSI disks, as the first of them asks for it. */
static void
disks_scsi_host(const struct disk_option *disks, size_t n,
    enum machine_type machine, struct strings *argv)
{
	size_t i = 0;

	if (disks_on(disks, n, DISK_BUS_SCSI) == 0)
		return;
	while (disks[i].bus != DISK_BUS_SCSI)
		i++;
	strings_add(argv, mem_string("-device"));
	if (machine == MACHINE_MICROVM)
		strings_add(argv,
		    mem_format("virtio-scsi-device,bus=virtio-mmio-bus.%zu",
			disks_on(disks, n, DISK_BUS_VIRTIO)));
	else
		strings_add(argv,
		    mem_format("virtio-scsi-pci%s", disk_version(&disks[i])));
}

/* What QEMU calls disk i, the nth on its bus, behind its drive's name. */
static char *
disk_device(const struct disk_option *d, size_t i, size_t nth,
    enum machine_type machine)
{
	if (d->bus == DISK_BUS_SCSI)
		return mem_format("scsi-hd,drive=disk%zu,scsi-id=%zu,lun=%zu",
		    i, nth % 256, nth / 256);
	if (d->bus == DISK_BUS_NVME)
		return mem_format("nvme,drive=disk%zu,serial=disk%zu", i, i);
	if (machine == MACHINE_MICROVM)
		return mem_format("virtio-blk-device,drive=disk%zu,"
				  "bus=virtio-mmio-bus.%zu",
		    i, nth);
	return mem_format("virtio-blk-pci,drive=disk%zu%s", i, disk_version(d));
}

static void
disk_qemu(const struct disk_option *disks, size_t i, enum machine_type machine,
    struct strings *argv)
{
	const struct disk_option *d = &disks[i];
	struct text drive = { 0 };
	char *device = disk_device(d, i, disks_on(disks, i, d->bus), machine);

	text_add(&drive, "if=none,id=disk%zu,format=raw%s,file=", i,
	    d->read_only ? ",read-only=on" : "");
	for (const char *s = d->file; *s != '\0'; s++)
		text_add(&drive, *s == ',' ? ",," : "%c", *s);
	strings_add(argv, mem_string("-drive"));
	strings_add(argv, drive.text);
	strings_add(argv, mem_string("-device"));
	strings_add(argv, device);
}

void
disks_qemu(const struct disk_option *disks, size_t n, enum machine_type machine,
    struct strings *argv)
{
	if (n > 0 && machine == MACHINE_MICROVM) {
		strings_add(argv, mem_string("-global"));
		strings_add(argv,
		    mem_format("virtio-mmio.force-legacy=%s",
			disk_is_legacy(&disks[0]) ? "on" : "off"));
	}
	disks_scsi_host(disks, n, machine, argv);
	for (size_t i = 0; i < n; i++)
		disk_qemu(disks, i, machine, argv);
}
