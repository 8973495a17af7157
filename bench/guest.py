# SPDX-License-Identifier: ISC
"""guest.py - a machine with one kernel or the other, what it said, tables."""

import os
import re
import subprocess
import time

QEMU = "qemu-system-x86_64"
PAGE = 4096


def newc(entries):
    """A cpio archive, data page-aligned as `remora run` lays it out."""
    out = bytearray()

    def entry(ino, name, mode, data=b"", rdev=(0, 0)):
        name = name.encode() + b"\0"
        if data:
            while (len(out) + 110 + len(name)) % PAGE:
                name += b"\0"
                if len(name) > 4000:
                    entry(0, "pad", 0o040755)
                    name = name.rstrip(b"\0") + b"\0"
        head = "070701" + "".join(
            "%08x" % v
            for v in (ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0],
                      rdev[1], len(name), 0))
        out.extend(head.encode() + name)
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    for i, e in enumerate(entries):
        entry(i + 1, *e)
    entry(0, "TRAILER!!!", 0)
    return bytes(out)


def with_files(entries, files):
    """Entries, and files by path (data, mode) with the folders they need."""
    out, seen = list(entries), {e[0] for e in entries}
    for path, (data, mode) in files.items():
        folder = ""
        for part in path.strip("/").split("/")[:-1]:
            folder = (folder + "/" + part).strip("/")
            if folder not in seen:
                seen.add(folder)
                out.append((folder, 0o040755))
        out.append((path.strip("/"), 0o100000 | mode, data))
    return out


def programs(*paths):
    """Programs of this host with their libraries, for with_files()."""
    files = {}
    for path in paths:
        for file in [path] + libraries(path):
            files[file] = (open(file, "rb").read(), 0o755)
    return files


def modules_of_debian(*names):
    """Drivers of the kernel that ./setup.sh bench unpacks; [] for another."""
    root = os.path.join(os.environ.get("REMORA_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
        "remora"), "linux/lib/modules")
    found = {}
    for where, _, files in os.walk(root):
        for f in files:
            found[f] = os.path.join(where, f)
    if os.environ.get("LINUX") or any(n + ".ko" not in found for n in names):
        return []
    return [("module%d" % i, 0o100644,
             open(found[n + ".ko"], "rb").read()) for i, n in enumerate(names)]


class Guest:
    """A kernel, and the arguments that make it start a program quietly."""

    def __init__(self, name, kernel, append):
        self.name, self.kernel, self.append = name, kernel, append
        self.machine = "microvm,acpi=off"

    def on(self, machine):
        """The same on another board."""
        other = Guest(self.name, self.kernel, self.append)
        other.machine = machine
        return other

    def command(self, initrd, memory, icount, quiet, devices, words):
        cmd = [QEMU, "-machine", self.machine, "-accel", "tcg",
               "-cpu", "max", "-m", str(memory), "-nodefaults",
               "-no-user-config", "-display", "none", "-no-reboot",
               "-serial", "stdio", "-device",
               "isa-debug-exit,iobase=0x501", "-kernel", self.kernel]
        cmd += devices
        args = "console=ttyS0 " + ("quiet " if quiet else "") + self.append
        args += words
        if initrd:
            cmd += ["-initrd", initrd]
        if icount:
            cmd += ["-icount", "shift=0,sleep=off"]
            args += " tsc_early_khz=1000000"
        return cmd + ["-append", args]

    def run(self, initrd=None, memory="128M", icount=False, quiet=True,
            limit=900, devices=(), words=""):
        start = time.monotonic()
        try:
            p = subprocess.run(
                self.command(initrd, memory, icount, quiet, devices, words),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=limit)
            text = p.stdout.decode("latin1")
        except subprocess.TimeoutExpired:
            text = ""
        return text, time.monotonic() - start


def number(text, name):
    m = re.search(name + r"=(\d+)", text)
    return int(m.group(1)) if m else None


def disk_and_net(image):
    return ["-global", "virtio-mmio.force-legacy=off",
            "-drive", "if=none,id=d,format=raw,file=" + image,
            "-device", "virtio-blk-device,drive=d",
            "-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n"]


def counted(guest, initrd, build, devices, words="", exits=False):
    """What count.so says at the program's last mark: instructions, exits.

    Looking for exits is slow; time then goes by instructions, so that the
    guest's clock does not notice.
    """
    plugin = ["-plugin", build + "/bench/count.so" +
              (",exits=on" if exits else "")]
    text, _ = guest.run(initrd, "512M", devices=plugin + list(devices),
                        words=words, icount=exits)
    marks = re.findall(r"executed=(\d+) exits=(\d+)", text)
    return tuple(map(int, marks[-1])) if marks else (None, None)


def libraries(program):
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL) # static: none
    return re.findall(r"(/\S+) \(0x", out.stdout.decode())


def cell(v, unit=""):
    if v is None:
        return "-"
    return ("%.1f" % v if isinstance(v, float) else "{:,}".format(v)) + unit


def table(title, head, rows):
    print("\n" + title + "\n")
    widths = [max(len(str(r[i])) for r in [head] + rows)
              for i in range(len(head))]
    for r in [head, ["-" * w for w in widths]] + rows:
        print("| " + " | ".join(str(c).ljust(w)
                                for c, w in zip(r, widths)) + " |")
