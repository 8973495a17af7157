# SPDX-License-Identifier: ISC
"""hotplug.py - how long an NVMe disk takes to come and to go.

From `device_add` to the first block read by a program that sleeps until the
kernel tells of the disk; from `device_del` to QEMU's DEVICE_DELETED.  Guests
take turns, so that a drift of the machine hits all alike.
"""

import json
import os
import re
import select
import socket
import statistics
import subprocess
import time

from guest import cell, newc, table

LIMIT = 600 # s; ends only what hangs
PORT = ("-device", "pcie-root-port,id=b,slot=1")


class Kind:
    """A board, and how it tells of cards."""

    def __init__(self, name, machine, extra=(), where=None, pause=0,
                 words=""):
        self.name, self.machine, self.extra = name, machine, extra
        self.where, self.pause, self.words = where or {}, pause, words


# A slot that tells of it itself blinks for five seconds before a card goes, and
# is left alone for one second after its power went off.
KINDS = (Kind("pc", "pc"),
         Kind("pc, while it is written", "pc", words=" WRITE=1"),
         Kind("q35, ACPI", "q35", PORT, {"bus": "b"}),
         Kind("q35, the slot's own", "q35", (
             "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
             *PORT), {"bus": "b"}, 1.5))
SLOW_ROUNDS = 5 # where each takes seconds
COUNTED_ROUNDS = 10


class Hung(Exception):
    """What was waited for did not come."""


class Lines:
    """Lines of a file descriptor, each once."""

    def __init__(self, fd):
        self.fd, self.rest = fd, b""
        self.counts = [] # what count.so says, if it is there

    def match(self, pattern, limit=LIMIT):
        """The next line that matches; those before it are passed over."""
        end = time.monotonic() + limit
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                line = line.decode("latin1")
                self.counts += map(int, re.findall(r"executed=(\d+)", line))
                found = re.search(pattern, line)
                if found:
                    return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Hung("no %r" % pattern)
            data = os.read(self.fd, 65536)
            if not data:
                raise Hung("the machine ended before %r" % pattern)
            self.rest += data


class Slot:
    """A machine with an empty slot, and QEMU's monitor."""

    def __init__(self, guest, kind, initrd, tmp):
        self.where, path = kind.where, "%s/%s.qmp" % (tmp, guest.name)
        self.cycle, self.free = 0, []
        drives = [w for i in (0, 1) for w in (
            "-blockdev", "raw,node-name=d%d,file.driver=file,file.filename=%s"
            "/disk%d.img" % (i, tmp, i))]
        self.process = subprocess.Popen(
            guest.on(kind.machine).command(
                initrd, "256M", False, True,
                [*kind.extra, *drives, "-qmp",
                 "unix:%s,server=on,wait=off" % path], kind.words),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.console = Lines(self.process.stdout.fileno())
        self.console.match("ready")
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(path)
        self.monitor = Lines(self.link.fileno())
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        """None, or what was wrong; events before the answer are dropped."""
        self.link.sendall(json.dumps({
            "execute": command, "arguments": arguments}).encode() + b"\n")
        line = self.monitor.match(r'"return"|"error".*').group(0)
        return None if line.startswith('"r') else line

    def attach(self):
        """Milliseconds, from the command that QEMU took."""
        end = time.monotonic() + LIMIT
        while True:
            start = time.monotonic()
            wrong = self.execute("device_add", driver="nvme", id="x",
                                 drive="d%d" % (self.cycle % 2),
                                 serial="s%d" % self.cycle, **self.where)
            if wrong is None:
                break
            if start > end or not re.search("in use|conflict|Dupl", wrong):
                raise Hung(wrong)
            time.sleep(0.002)
        self.cycle += 1
        said = self.console.match(r"read nvme|unreadable .*").group(0)
        if said != "read nvme":
            raise Hung(said)
        return (time.monotonic() - start) * 1000

    def detach(self):
        """Milliseconds, until QEMU says that the card has gone."""
        start = time.monotonic()
        self.link.sendall(b'{"execute": "device_del", "arguments": '
                          b'{"id": "x"}}\n')
        self.monitor.match('DEVICE_DELETED.*"device": "x"')
        took = (time.monotonic() - start) * 1000
        self.free.append(int(self.console.match(
            r"gone nvme\w+ free=(\d+)").group(1)))
        return took

    def end(self):
        self.process.kill()
        self.process.wait()
        self.link.close()


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p))]


def archive(b, tmp, common):
    data = open(b + "/bench/plug", "rb").read()
    with open(tmp + "/plug.cpio", "wb") as f:
        f.write(newc(common + [("init", 0o100755, data)]))
    for i in (0, 1):
        with open("%s/disk%d.img" % (tmp, i), "wb") as f:
            f.truncate(16 << 20)
    return tmp + "/plug.cpio"


class Times:
    """What one guest did in one kind of slot."""

    def __init__(self):
        self.comes, self.goes, self.less_free = [], [], None


def rounds_of(slots, kind, rounds):
    """Times of each guest by its name, as far as it got."""
    times = {name: Times() for name in slots}
    for i in range(rounds + 2): # two to warm up
        for name, slot in list(slots.items()):
            try:
                pair = slot.attach(), slot.detach()
            except Hung as e:
                print("%s, %s, round %d: %s" % (name, kind.name, i, e))
                slots.pop(name).end()
                continue
            if i >= 2:
                times[name].comes.append(pair[0])
                times[name].goes.append(pair[1])
        time.sleep(kind.pause)
    for name, slot in slots.items():
        times[name].less_free = slot.free[1] - slot.free[-1]
    return times


def measure(guests, kind, initrd, tmp, rounds):
    slots = {}
    try:
        for g in guests:
            slots[g.name] = Slot(g, kind, initrd, tmp)
        return rounds_of(slots, kind, rounds)
    finally:
        for s in slots.values():
            s.end()


def counts(guest, kind, initrd, tmp, b):
    """Instructions of one coming and one going, medians; waits are none."""
    kind = Kind(kind.name, kind.machine, (
        *kind.extra, "-plugin", b + "/bench/count.so", "-d", "plugin"),
        kind.where)
    slot = Slot(guest, kind, initrd, tmp)
    try:
        for _ in range(COUNTED_ROUNDS):
            slot.attach()
            slot.detach()
        marks = slot.console.counts[2:] # without the first, which has the boot
        return (statistics.median(marks[0::2]), statistics.median(marks[1::2]))
    except (Hung, statistics.StatisticsError) as e:
        print("%s, %s: not counted: %s" % (guest.name, kind.name, e))
        return None, None
    finally:
        slot.end()


def row(what, times):
    out = [what]
    for t in times:
        out += ([cell(statistics.median(t)), cell(percentile(t, 0.99))]
                if t else ["-", "-"])
    return out


def hotplug(b, tmp, guests, common, rounds):
    initrd = archive(b, tmp, common)
    rows, free = [], []
    for kind in KINDS:
        n = rounds if kind.pause == 0 else min(rounds, SLOW_ROUNDS)
        times = measure(guests, kind, initrd, tmp, n)
        all_ = [times[g.name] for g in guests]
        rows.append(row(kind.name + ": comes", [t.comes for t in all_]))
        rows.append(row(kind.name + ": goes", [t.goes for t in all_]))
        free.append("%s: %d rounds, free KiB became less by %s." % (
            kind.name, n, ", ".join("%s (%s)" % (cell(t.less_free), g.name)
                                    for g, t in zip(guests, all_))))
    table("An NVMe disk in a slot: milliseconds from device_add to a program "
          "that has read it, from\ndevice_del to DEVICE_DELETED",
          ["slot"] + [g.name + w for g in guests
                      for w in (", median", ", 99 %")], rows)
    print("\n" + "\n".join(free) + "\n")
    rows = []
    for kind in (k for k in KINDS if not k.words and not k.pause):
        pairs = [counts(g, kind, initrd, tmp, b) for g in guests]
        rows += [[kind.name + ": comes"] + [cell(p[0]) for p in pairs],
                 [kind.name + ": goes"] + [cell(p[1]) for p in pairs]]
    table("The same in guest instructions", ["slot"] + [
        g.name for g in guests], rows)
