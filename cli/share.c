/* SPDX-License-Identifier: ISC */
/*
 * share.c - folders of the host in the machine, by 9P.  QEMU 7.2, qemu(1),
 * -fsdev and -device.
 */
#include "cli/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bootline.h"
#include "cli/options.h"

/* Nobody else changes the root while the machine runs. */
#define SHARE_ROOT_FLAGS \
	"trans=virtio,version=9p2000.L,msize=524288,cache=loose"

/* Cuts ",ro" off. */
static bool
share_cut_ro(char *text)
{
	size_t n = strlen(text);

	if (n < 3 || strcmp(text + n - 3, ",ro") != 0)
		return false;
	text[n - 3] = '\0';
	return true;
}

int
share_option_parse(struct share_option *s, const char *value, struct trouble *t)
{
	char *colon;

	memset(s, 0, sizeof(*s));
	s->folder = mem_string(value);
	s->read_only = share_cut_ro(s->folder);
	colon = strrchr(s->folder, ':');
	if (colon != NULL && colon != s->folder && colon[1] == '/' &&
	    boot_word_fits(colon + 1, false)) {
		*colon = '\0';
		s->path = mem_string(colon + 1);
		return 0;
	}
	return trouble_set(t, STATUS_MACHINE,
	    "--share %s: DIR:/PATH[,ro] is expected, PATH of plain characters "
	    "without quotes",
	    value);
}

void
share_option_fini(struct share_option *s)
{
	free(s->folder);
	free(s->path);
	memset(s, 0, sizeof(*s));
}

static int
share_check_folder(struct share_option *s, struct trouble *t)
{
	char *path = realpath(s->folder, NULL);
	struct stat st;

	if (path == NULL || stat(path, &st) != 0 ||
	    (S_ISDIR(st.st_mode) && access(path, R_OK | X_OK) != 0)) {
		free(path);
		return trouble_set(t, STATUS_MACHINE, "--share %s: %s",
		    s->folder, strerror(errno));
	}
	free(s->folder);
	s->folder = path;
	if (S_ISDIR(st.st_mode))
		return 0;
	return trouble_set(t, STATUS_MACHINE,
	    "--share %s: a directory is expected", path);
}

bool
share_is_root(const struct share_option *s)
{
	return strcmp(s->path, "/") == 0;
}

const char *
shares_root(const struct share_option *shares, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (share_is_root(&shares[i]))
			return shares[i].folder;
	return NULL;
}

/* One root at most: the second would hide the first. */
static int
shares_check_root(const struct share_option *shares, size_t n,
    struct trouble *t)
{
	size_t roots = 0;

	for (size_t i = 0; i < n; i++)
		roots += share_is_root(&shares[i]);
	if (roots <= 1)
		return 0;
	return trouble_set(t, STATUS_MACHINE,
	    "--share: only one folder can be the root");
}

int
shares_check(struct share_option *shares, size_t n, size_t slots,
    enum machine_type machine, struct trouble *t)
{
	int error = shares_check_root(shares, n, t);

	if (n > 0 && machine == MACHINE_MICROVM && slots + n > MMIO_SLOTS)
		return trouble_set(t, STATUS_MACHINE,
		    "--share: microvm has room for %d disks and folders",
		    MMIO_SLOTS);
	for (size_t i = 0; i < n && error == 0; i++)
		error = share_check_folder(&shares[i], t);
	return error;
}

static void
share_qemu(const struct share_option *s, size_t i, size_t slot,
    enum machine_type machine, struct strings *argv)
{
	struct text fsdev = { 0 };

	/* Several file systems below one folder keep their numbers apart. */
	text_add(&fsdev,
	    "local,id=share%zu,security_model=none,multidevs=remap%s,path=", i,
	    s->read_only ? ",readonly=on" : "");
	for (const char *p = s->folder; *p != '\0'; p++)
		text_add(&fsdev, *p == ',' ? ",," : "%c", *p);
	strings_add(argv, mem_string("-fsdev"));
	strings_add(argv, fsdev.text);
	strings_add(argv, mem_string("-device"));
	strings_add(argv,
	    machine == MACHINE_MICROVM ?
		mem_format("virtio-9p-device,fsdev=share%zu,"
			   "mount_tag=share%zu,bus=virtio-mmio-bus.%zu",
		    i, i, slot) :
		mem_format("virtio-9p-pci,fsdev=share%zu,mount_tag=share%zu", i,
		    i));
}

void
shares_qemu(const struct share_option *shares, size_t n, size_t slots,
    enum machine_type machine, struct strings *argv)
{
	/* Where there are disks, they have said which version it is. */
	if (n > 0 && slots == 0 && machine == MACHINE_MICROVM) {
		strings_add(argv, mem_string("-global"));
		strings_add(argv, mem_string("virtio-mmio.force-legacy=off"));
	}
	for (size_t i = 0; i < n; i++)
		share_qemu(&shares[i], i, slots + i, machine, argv);
}

char *
share_boot_argument(const struct share_option *s, size_t i)
{
	if (share_is_root(s))
		return mem_format("root=share%zu rootfstype=9p rootflags=%s %s",
		    i, SHARE_ROOT_FLAGS, s->read_only ? "ro" : "rw");
	return mem_format("remora.mount=share%zu:%s%s", i, s->path,
	    s->read_only ? ":ro" : "");
}
