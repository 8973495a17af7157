/* SPDX-License-Identifier: ISC */
/*
 * p9.h - "9p": folders of the host, by a 9P2000.L server.
 */
#ifndef FS_P9_H
#define FS_P9_H

struct fs_type;
extern const struct fs_type p9_type;

/*
 * Boot: mounts the root that root=TAG rootfstype=9p asks for, then what
 * remora.mount=TAG:PATH[:ro] does, as often as it is given, making the
 * directories.  0, or the first error, which the log has
 * and *what names.
 */
int p9_mount_asked(const char **what);

#endif
