# SPDX-License-Identifier: ISC
"""disks.py - what a transfer costs, and how many there are in a second."""

import re
import shutil

from guest import (cell, counted, disk_and_net, modules_of_debian, newc,
                   programs, table, with_files)


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
    files = programs(fio)
    files["/job"] = (JOB.encode(), 0o644)
    name = tmp + "/fio.cpio"
    open(name, "wb").write(newc(with_files(common, files)))
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
    common = common + [("init", 0o100755, data)] + modules_of_debian(
        "virtio", "virtio_ring", "virtio_mmio", "virtio_blk")
    archives = {"small": tmp + "/disk.cpio", "fio": fio_archive(tmp, common)}
    open(archives["small"], "wb").write(newc(common))
    image = tmp + "/disk.img"
    transfers(b, "a virtio disk (MMIO)", guests, archives,
              disk_and_net(image)[:6], "vda")
    transfers(b, "an NVMe disk (q35)", [g.on("q35") for g in guests], archives,
              ["-drive", "if=none,id=d,format=raw,file=" + image,
               "-device", "nvme,drive=d,serial=bench"], "nvme0n1")
