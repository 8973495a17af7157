# SPDX-License-Identifier: ISC
"""disks.py - what a transfer costs, and how many there are in a second."""

import os
import re
import shutil

from guest import cell, counted, disk_and_net, libraries, newc, table


def modules_of_debian():
    """Those that Debian's kernel needs to see a disk; its folder or none."""
    root = os.path.join(os.environ.get("REMORA_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
        "remora"), "linux/lib/modules")
    names = ["virtio", "virtio_ring", "virtio_mmio", "virtio_blk"]
    found = {}
    for where, _, files in os.walk(root):
        for f in files:
            found[f] = os.path.join(where, f)
    if os.environ.get("LINUX") or any(n + ".ko" not in found for n in names):
        return []
    return [("module%d" % i, 0o100644,
             open(found[n + ".ko"], "rb").read()) for i, n in enumerate(names)]


JOB = """[global]
filename=/dev/${DISK}
direct=1
thread
time_based
runtime=2
[read4k]
rw=randread
bs=4k
ioengine=psync
[aio4k]
stonewall
rw=randread
bs=4k
ioengine=libaio
iodepth=32
[deep4k]
stonewall
rw=randread
bs=4k
ioengine=libaio
iodepth=256
[seq1m]
stonewall
rw=read
bs=1m
ioengine=psync
"""


def fio_archive(tmp, common):
    """Debian's fio with its libraries; None where it is not installed."""
    fio = shutil.which("fio")
    if fio is None:
        return None
    entries, seen = list(common), {"dev", "proc", "tmp", "sys"}
    for path in [fio] + libraries(fio):
        folder = ""
        for part in path.strip("/").split("/")[:-1]:
            folder = (folder + "/" + part).strip("/")
            if folder not in seen:
                seen.add(folder)
                entries.append((folder, 0o040755))
        entries.append((path.strip("/"), 0o100755, open(path, "rb").read()))
    entries.append(("job", 0o100644, JOB.encode()))
    name = tmp + "/fio.cpio"
    open(name, "wb").write(newc(entries))
    return name


def fio_figures(guest, archive, devices, words):
    text, _ = guest.run(archive, "768M", devices=devices,
                        words=words + " HOW=fio")
    return dict((name, int(float(n) * (1000 if k else 1))) for name, n, k in
                re.findall(r"^(\w+): \(groupid=.*\n(?:.*\n)*?.*IOPS="
                           r"([\d.]+)(k?)", text.replace("\r", ""), re.M))


TRANSFERS = (("read4k", "4 KiB, at random, one after the other", 5000),
             ("aio4k", "4 KiB, at random, 32 at a time", 10000),
             ("deep4k", "4 KiB, at random, 256 at a time", 20000),
             ("seq1m", "1 MiB, in order", 500))


def transfers(b, title, guests, archives, devices, disk):
    words = " DISK=" + disk
    figures = [fio_figures(g, archives["fio"], devices, words)
               if archives["fio"] else {} for g in guests]
    rows = []
    for how, what, n in TRANSFERS:
        row = [what]
        for g in guests:
            got = counted(g, archives["small"], b, devices,
                          words + " HOW=%s N=%d" % (how, n))[0]
            row.append("-" if got is None else cell(got // n))
        row += [cell(f.get(how)) for f in figures]
        rows.append(row)
    names = [g.name for g in guests]
    table("A read past the page cache of " + title + ", one processor: guest\n"
          "instructions; and fio's reads a second (TCG)",
          ["read"] + names + [n + ", fio" for n in names], rows)


def disks(b, tmp, guests, common):
    data = open(b + "/bench/disk", "rb").read()
    common = common + [("init", 0o100755, data)] + modules_of_debian()
    archives = {"small": tmp + "/disk.cpio", "fio": fio_archive(tmp, common)}
    open(archives["small"], "wb").write(newc(common))
    image = tmp + "/disk.img"
    transfers(b, "a virtio disk (MMIO)", guests, archives,
              disk_and_net(image)[:6], "vda")
    transfers(b, "an NVMe disk (q35)", [g.on("q35") for g in guests], archives,
              ["-drive", "if=none,id=d,format=raw,file=" + image,
               "-device", "nvme,drive=d,serial=bench"], "nvme0n1")
