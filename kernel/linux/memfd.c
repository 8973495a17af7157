/* SPDX-License-Identifier: ISC */
/*
 * memfd.c - memfd_create(2) and file seals.  The seals stand in inode->flags,
 * where writes, truncation and mappings look.
 */
#include "linux/memfd.h"
#include "abi/mode.h"
#include "fs/file.h"
#include "fs/tmpfs.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/fdtable.h"
#include "linux/sys_files.h"
#include <linux/fcntl.h>
#include <linux/memfd.h>

#define MEMFD_NAME_MAX 249 /* memfd_create(2): with "memfd:" a NAME_MAX */
#define SEALS_ALL                                                   \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | \
	    F_SEAL_FUTURE_WRITE)

static bool
is_memory_file(const struct file *file)
{
	return S_ISREG(file->inode->mode) && inode_is_tmpfs(file->inode);
}

int
memfd_get_seals(struct file *file)
{
	uint32_t flags = file->inode->flags;

	if (!is_memory_file(file))
		return -EINVAL;
	if ((flags & INODE_SEALABLE) == 0)
		return F_SEAL_SEAL;
	return (int)INODE_SEALS(flags);
}

static int
memfd_seal_locked(struct inode *inode, unsigned seals)
{
	unsigned now = INODE_SEALS(inode->flags);

	if ((inode->flags & INODE_SEALABLE) == 0 || (now & F_SEAL_SEAL) != 0)
		return -EPERM;
	if ((seals & ~now & F_SEAL_WRITE) != 0 &&
	    vm_object_shared_writable(&inode->pages.object))
		return -EBUSY;
	inode->flags |= INODE_SEAL(seals);
	return 0;
}

int
memfd_add_seals(struct file *file, unsigned seals)
{
	struct inode *inode = file->inode;
	int error;

	if ((file->mode & FILE_WRITE) == 0)
		return -EPERM;
	if ((seals & ~(unsigned)SEALS_ALL) != 0 || !is_memory_file(file))
		return -EINVAL;
	mutex_lock(&inode->lock);
	error = memfd_seal_locked(inode, seals);
	mutex_unlock(&inode->lock);
	return error;
}

long
sys_memfd_create(uaddr_t uname, unsigned flags)
{
	char label[sizeof("memfd:") + MEMFD_NAME_MAX] = "memfd:";
	struct file *file;
	long len;
	int error;

	if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING)) != 0)
		return -EINVAL;
	len = copyinstr(label + 6, uname, MEMFD_NAME_MAX + 1);
	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : len;
	error = file_create_memory(label, 0, O_RDWR | O_LARGEFILE, &file);
	if (error != 0)
		return error;
	file->inode->mode |= 0777;
	if ((flags & MFD_ALLOW_SEALING) != 0)
		file->inode->flags |= INODE_SEALABLE;
	return fd_open(file, (flags & MFD_CLOEXEC) != 0);
}
