# SPDX-License-Identifier: ISC
"""archive.py - cpio archives ("newc"), right ones and deliberately wrong ones.

The suite's own writer: neither the `remora` command's nor cpio(1)'s, so that
the kernel's reader has to understand more than one.
"""
import os
import stat


def entry(name, data=b'', mode=0o100755, ino=0, nlink=1, rdev=(0, 0),
          mtime=0, uid=0, gid=0, magic=b'070701', filesize=None,
          namesize=None):
    """One member: header, name, data, each padded to 4 bytes."""
    name = name.encode() if isinstance(name, str) else name
    name += b'\0'
    size = len(data) if filesize is None else filesize
    fields = (ino, mode, uid, gid, nlink, mtime, size, 0, 0, *rdev,
              len(name) if namesize is None else namesize, 0)
    out = magic + b''.join(b'%08X' % f for f in fields) + name
    out += bytes(-len(out) % 4) + data
    return out + bytes(-len(out) % 4)


TRAILER = entry('TRAILER!!!', mode=0)


def directory(name):
    return entry(name, mode=stat.S_IFDIR | 0o755, nlink=2)


def symlink(name, target):
    return entry(name, os.fsencode(target), stat.S_IFLNK | 0o777)


def device(name, major, minor):
    return entry(name, mode=stat.S_IFCHR | 0o600, rdev=(major, minor))


def file(name, path, mode=0o100755):
    """A member with the contents of a file of this host."""
    with open(path, 'rb') as f:
        return entry(name, f.read(), mode)


def archive(*members):
    """A whole archive, padded to 512 bytes as cpio(1) does."""
    out = b''.join(members) + TRAILER
    return out + bytes(-len(out) % 512)


def tree(root):
    """Everything below a folder, in a fixed order, as members."""
    members = []
    for folder, dirs, files in os.walk(root):
        dirs.sort()
        for name in sorted(files + [d for d in dirs
                                    if os.path.islink(os.path.join(folder,
                                                                   d))]):
            path = os.path.join(folder, name)
            rel = os.path.relpath(path, root)
            st = os.lstat(path)
            if stat.S_ISLNK(st.st_mode):
                members.append(symlink(rel, os.readlink(path)))
            else:
                members.append(file(rel, path, st.st_mode))
        members += [directory(os.path.relpath(os.path.join(folder, d), root))
                    for d in dirs
                    if not os.path.islink(os.path.join(folder, d))]
    return sorted(members, key=lambda m: m[110:])
