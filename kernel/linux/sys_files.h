/* SPDX-License-Identifier: ISC */
/*
 * sys_files.h - the system calls on files, names and descriptors, by the file
 * that they live in.  Arguments, values and errors are those of the manual
 * page of the name; descriptors' own calls are in fdtable.h.  All may sleep.
 */
#ifndef LINUX_SYS_FILES_H
#define LINUX_SYS_FILES_H

#include "kern/types.h"

/* fsview.c */
long sys_chdir(uaddr_t name);
long sys_fchdir(int fd);
long sys_chroot(uaddr_t name);
long sys_getcwd(uaddr_t buf, uint64_t size);
long sys_umask(uint32_t mask);

/* sys_open.c */
long sys_open(uaddr_t name, unsigned flags, uint32_t mode);
long sys_openat(int dirfd, uaddr_t name, unsigned flags, uint32_t mode);
long sys_openat2(int dirfd, uaddr_t name, uaddr_t how, uint64_t size);
long sys_creat(uaddr_t name, uint32_t mode);

/* sys_attr.c: FS_IOC_GETFLAGS and its pair. */
long ioctl_inode_flags(struct file *file, unsigned cmd, uaddr_t arg);

/* sys_io.c */
long sys_read(int fd, uaddr_t buf, uint64_t len);
long sys_write(int fd, uaddr_t buf, uint64_t len);
long sys_pread64(int fd, uaddr_t buf, uint64_t len, int64_t pos);
long sys_pwrite64(int fd, uaddr_t buf, uint64_t len, int64_t pos);
long sys_readv(int fd, uaddr_t vec, uint64_t n);
long sys_writev(int fd, uaddr_t vec, uint64_t n);
long sys_preadv(int fd, uaddr_t vec, uint64_t n, int64_t pos);
long sys_pwritev(int fd, uaddr_t vec, uint64_t n, int64_t pos);
long sys_preadv2(int fd, uaddr_t vec, uint64_t n, int64_t pos, uint64_t high,
    unsigned flags);
long sys_pwritev2(int fd, uaddr_t vec, uint64_t n, int64_t pos, uint64_t high,
    unsigned flags);
long sys_lseek(int fd, int64_t offset, unsigned whence);

/* sys_filedata.c */
long sys_sendfile(int out_fd, int in_fd, uaddr_t offset, uint64_t len);
long sys_copy_file_range(int in_fd, uaddr_t in_off, int out_fd, uaddr_t out_off,
    uint64_t len, unsigned flags);
long sys_fsync(int fd);
long sys_fdatasync(int fd);
long sys_sync(void);
long sys_syncfs(int fd);
long sys_sync_file_range(int fd, int64_t offset, int64_t len, unsigned flags);
long sys_truncate(uaddr_t name, int64_t size);
long sys_ftruncate(int fd, int64_t size);
long sys_fallocate(int fd, int mode, int64_t offset, int64_t len);
long sys_fadvise64(int fd, int64_t offset, int64_t len, int advice);
long sys_readahead(int fd, int64_t offset, uint64_t len);

/* sys_stat.c */
long sys_stat(uaddr_t name, uaddr_t buf);
long sys_lstat(uaddr_t name, uaddr_t buf);
long sys_fstat(int fd, uaddr_t buf);
long sys_newfstatat(int dirfd, uaddr_t name, uaddr_t buf, unsigned flags);
long
sys_statx(int dirfd, uaddr_t name, unsigned flags, unsigned mask, uaddr_t buf);
long sys_access(uaddr_t name, unsigned mode);
long sys_faccessat(int dirfd, uaddr_t name, unsigned mode);
long sys_faccessat2(int dirfd, uaddr_t name, unsigned mode, unsigned flags);
long sys_readlink(uaddr_t name, uaddr_t buf, int size);
long sys_readlinkat(int dirfd, uaddr_t name, uaddr_t buf, int size);
long sys_statfs(uaddr_t name, uaddr_t buf);
long sys_fstatfs(int fd, uaddr_t buf);

/* sys_attr.c */
long sys_chmod(uaddr_t name, uint32_t mode);
long sys_fchmod(int fd, uint32_t mode);
long sys_fchmodat(int dirfd, uaddr_t name, uint32_t mode);
long sys_chown(uaddr_t name, uint32_t uid, uint32_t gid);
long sys_lchown(uaddr_t name, uint32_t uid, uint32_t gid);
long sys_fchown(int fd, uint32_t uid, uint32_t gid);
long sys_fchownat(int dirfd, uaddr_t name, uint32_t uid, uint32_t gid,
    unsigned flags);
long sys_utime(uaddr_t name, uaddr_t times);
long sys_utimes(uaddr_t name, uaddr_t times);
long sys_futimesat(int dirfd, uaddr_t name, uaddr_t times);
long sys_utimensat(int dirfd, uaddr_t name, uaddr_t times, unsigned flags);
long sys_getxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size);
long sys_lgetxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size);
long sys_fgetxattr(int fd, uaddr_t key, uaddr_t value, uint64_t size);
long sys_setxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size,
    int flags);
long sys_lsetxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size,
    int flags);
long
sys_fsetxattr(int fd, uaddr_t key, uaddr_t value, uint64_t size, int flags);
long sys_listxattr(uaddr_t name, uaddr_t list, uint64_t size);
long sys_llistxattr(uaddr_t name, uaddr_t list, uint64_t size);
long sys_flistxattr(int fd, uaddr_t list, uint64_t size);
long sys_removexattr(uaddr_t name, uaddr_t key);
long sys_lremovexattr(uaddr_t name, uaddr_t key);
long sys_fremovexattr(int fd, uaddr_t key);

/* sys_dir.c */
long sys_getdents(int fd, uaddr_t buf, unsigned size);
long sys_getdents64(int fd, uaddr_t buf, unsigned size);
long sys_mkdir(uaddr_t name, uint32_t mode);
long sys_mkdirat(int dirfd, uaddr_t name, uint32_t mode);
long sys_rmdir(uaddr_t name);
long sys_unlink(uaddr_t name);
long sys_unlinkat(int dirfd, uaddr_t name, unsigned flags);
long sys_rename(uaddr_t from, uaddr_t to);
long sys_renameat(int fromfd, uaddr_t from, int tofd, uaddr_t to);
long
sys_renameat2(int fromfd, uaddr_t from, int tofd, uaddr_t to, unsigned flags);
long sys_link(uaddr_t from, uaddr_t to);
long sys_linkat(int fromfd, uaddr_t from, int tofd, uaddr_t to, unsigned flags);
long sys_symlink(uaddr_t target, uaddr_t name);
long sys_symlinkat(uaddr_t target, int dirfd, uaddr_t name);
long sys_mknod(uaddr_t name, uint32_t mode, uint32_t dev);
long sys_mknodat(int dirfd, uaddr_t name, uint32_t mode, uint32_t dev);

/* sys_mount.c */
long sys_mount(uaddr_t source, uaddr_t target, uaddr_t type, uint64_t flags,
    uaddr_t data);
long sys_umount2(uaddr_t target, int flags);
long sys_pivot_root(uaddr_t new_root, uaddr_t put_old);

/* sys_fcntl.c */
long sys_fcntl(int fd, unsigned cmd, uint64_t arg);
long sys_ioctl(int fd, unsigned cmd, uint64_t arg);
long sys_flock(int fd, unsigned op);
/* memfd.c */
long sys_memfd_create(uaddr_t name, unsigned flags);

/* pipe.c, eventfd.c */
long sys_pipe(uaddr_t fds);
long sys_pipe2(uaddr_t fds, unsigned flags);
long sys_eventfd(unsigned count);
long sys_eventfd2(unsigned count, unsigned flags);

/* sys_poll.c, sys_select.c */
long sys_poll(uaddr_t fds, unsigned n, int timeout_ms);
long sys_ppoll(uaddr_t fds, unsigned n, uaddr_t timeout, uaddr_t mask,
    uint64_t mask_size);
long
sys_select(int n, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout);
long sys_pselect6(int n, uaddr_t in, uaddr_t out, uaddr_t except,
    uaddr_t timeout, uaddr_t mask);

/* epoll.c */
long sys_epoll_create(int size);
long sys_epoll_create1(unsigned flags);
long sys_epoll_ctl(int epfd, int op, int fd, uaddr_t event);
long sys_epoll_wait(int epfd, uaddr_t events, int max, int timeout_ms);
long sys_epoll_pwait(int epfd, uaddr_t events, int max, int timeout_ms,
    uaddr_t mask, uint64_t mask_size);
long sys_epoll_pwait2(int epfd, uaddr_t events, int max, uaddr_t timeout,
    uaddr_t mask, uint64_t mask_size);

/* splice.c */
long sys_splice(int in_fd, uaddr_t in_off, int out_fd, uaddr_t out_off,
    uint64_t len, unsigned flags);
long sys_tee(int in_fd, int out_fd, uint64_t len, unsigned flags);
long sys_vmsplice(int fd, uaddr_t vec, uint64_t n, unsigned flags);

#endif
