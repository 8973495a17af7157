/* SPDX-License-Identifier: ISC */
/*
 * files.c - the personality's part in the VFS: what an open of a FIFO means,
 * and what ends with a file.
 */
#include "linux/files.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "linux/epoll.h"
#include "linux/inotify.h"
#include "linux/locks.h"
#include "linux/pipe.h"
#include "linux/sigio.h"
#include "linux/sys_socket.h"

static void
files_file_gone(struct file *file)
{
	if (file->polls != NULL)
		epoll_file_gone(file);
	if (file->sigio != NULL) {
		dnotify_file_gone(file); /* tells it */
		sigio_file_gone(file);
	}
	if (file->inode->locks != NULL)
		locks_drop(file->inode, file);
}

static const struct vfs_hooks files_hooks = {
	.fifo_ops = &pipe_ops,
	.file_gone = files_file_gone,
	.notify = inotify_event,
};

void
files_init(void)
{
	vfs_set_hooks(&files_hooks);
	sys_socket_init();
}

int64_t
files_noop_llseek(struct file *file, int64_t offset, int whence)
{
	(void)offset;
	(void)whence;
	return file->pos;
}
