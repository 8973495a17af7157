# SPDX-License-Identifier: ISC
"""net.py - servers in the machine, asked from the host over a tap.

Host and machine stand in a network namespace of the benchmark's own, so that no
privilege is needed.  Guests take turns.  Instructions of the kernel are counted
in a run of its own, on one processor (bench/count.c).
"""

import ctypes
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import traceback

from guest import (cell, modules_of_debian, newc, programs, table, with_files)

HOST, GUEST = "10.9.0.1", "10.9.0.2"
LIMIT = 300 # s; ends only what hangs
SECONDS = 2 # that a load lasts
IDLE = 2000 # connections that are only held
SERVERS = ("/usr/bin/iperf3", "/usr/bin/redis-server",
           "/usr/bin/redis-benchmark", "/usr/sbin/nginx")
CLIENTS = ("iperf3", "redis-benchmark", "wrk", "ip")
NGINX = """user root; worker_processes auto; pid /tmp/pid;
error_log /tmp/log; worker_rlimit_nofile 4096;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f;
uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
server { root /www; listen 80 backlog=4000 reuseport; } }
"""


class Failed(Exception):
    """A machine or a program did not do what it was told."""


def said(argv, fails=False):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=LIMIT)
    text = p.stdout.decode("latin1")
    if p.returncode != 0 and not fails:
        raise Failed("%s: %s" % (" ".join(argv), text[-300:]))
    return text


class Machine:
    """A guest with a card at the tap, and netd in it."""

    def __init__(self, guest, initrd, cpus=1, plugin=None):
        devices = ["-smp", str(cpus), "-netdev",
                   "tap,id=n,ifname=tap0,script=no,downscript=no",
                   "-device", "virtio-net-pci,netdev=n"]
        if plugin:
            devices += ["-plugin", plugin]
        self.qemu = subprocess.Popen(
            guest.on("q35").command(initrd, "512M", False, True, devices, ""),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        try:
            self.link = self.reach()
        except (Failed, OSError):
            self.end()
            raise
        self.lines = self.link.makefile("rb")

    def reach(self):
        text = b""
        while b"netd is up" not in text:
            line = self.qemu.stdout.readline()
            if not line:
                raise Failed("no netd: %r" % text[-300:])
            text += line
        end = time.monotonic() + LIMIT
        while True: # a link may need a moment
            try:
                return socket.create_connection((GUEST, 7), LIMIT)
            except OSError:
                if time.monotonic() > end:
                    raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()
        self.end()

    def end(self):
        self.qemu.kill()
        self.qemu.communicate()

    def tell(self, words):
        self.link.sendall(words.encode() + b"\n")
        text = ""
        while True:
            line = self.lines.readline().decode("latin1")
            if line == ".\n":
                return text
            if not line:
                raise Failed("the machine ended at %r" % words)
            text += line

    def mark(self):
        self.tell("mark")
        line = self.qemu.stderr.readline().decode("latin1")
        return int(re.search(r"kernel=(\d+)", line).group(1))

    def free_kib(self):
        return int(re.search(r"MemFree: *(\d+)",
                             self.tell("memory")).group(1))


# ------------------------------------------------------------------ loads --
# Each gives what there was in a second, how many there were, and what else it
# measured.

def iperf_figures(ask):
    """The server listens anew after each client: who comes too early is
    refused, or forgotten with the old listener."""
    end = time.monotonic() + LIMIT
    text = ask()
    while (re.search("Connection re(fused|set)", text) and
           time.monotonic() < end):
        text = ask()
    total = json.loads(text[text.index("{"):])["end"].get("sum_received")
    if total is None:
        raise Failed("iperf3: " + text[-300:])
    return total["bits_per_second"] / 8e6, total["bytes"] / 1024


def iperf(streams, *how):
    argv = ["iperf3", "-c", GUEST, "-J", "-P", streams, "-t", str(SECONDS),
            *how]
    return lambda _: iperf_figures(lambda: said(argv, fails=True))


def iperf_inside(machine):
    return iperf_figures(lambda: machine.tell(
        "run /usr/bin/iperf3 -c 127.0.0.1 -J -t %d" % SECONDS))


def redis_figures(text, number):
    rate = re.search(r'^"[GS]ET","([\d.]+)"', text, re.M)
    if rate is None:
        raise Failed("redis-benchmark: " + text[-300:])
    return float(rate.group(1)), number


def redis_words(what, pipeline):
    number = 15000 if pipeline == "1" else 80000
    return ["-t", what, "-n", str(number), "-c", "50", "-P", pipeline,
            "--csv"], number


def redis(what, pipeline):
    words, number = redis_words(what, pipeline)

    def load(_):
        return redis_figures(said(["redis-benchmark", "-h", GUEST] + words),
                             number)
    return load


def redis_inside(machine):
    words, number = redis_words("get", "1")
    return redis_figures(machine.tell("run /usr/bin/redis-benchmark " +
                                      " ".join(words)), number)


def milliseconds(text):
    n, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(n) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def wrk(connections, *how):
    def load(_):
        text = said(["wrk", "-t", "1", "-c", connections, "-d",
                     "%ds" % SECONDS, "--timeout", "60s", "--latency", *how,
                     "http://%s/small" % GUEST])
        rate = re.search(r"Requests/sec: *([\d.]+)", text)
        number = re.search(r"(\d+) requests in", text)
        late = [re.search(r"%d%% +(\S+)" % n, text) for n in (50, 99)]
        if None in [rate, number] + late or "Non-2xx" in text:
            raise Failed("wrk: " + text)
        return (float(rate.group(1)), int(number.group(1)),
                *[milliseconds(m.group(1)) for m in late])
    return load


LOADS = (
    ("TCP in, one stream, MB/s and KiB", iperf("1")),
    ("TCP in, four streams", iperf("4")),
    ("TCP out, one stream", iperf("1", "-R")),
    ("TCP out, four streams", iperf("4", "-R")),
    ("TCP by the loopback", iperf_inside),
    ("redis SET", redis("set", "1")),
    ("redis GET", redis("get", "1")),
    ("redis SET, 16 at a time", redis("set", "16")),
    ("redis GET, 16 at a time", redis("get", "16")),
    ("redis GET by the loopback", redis_inside),
    ("nginx, 100 connections", wrk("100")),
    ("nginx, one connection", wrk("1")),
    ("nginx, a connection each", wrk("100", "-H", "Connection: close")),
)


def start_servers(machine):
    for words in ("5201 /usr/bin/iperf3 -s",
                  "6379 /usr/bin/redis-server /redis.conf",
                  "80 /usr/sbin/nginx -c /nginx.conf"):
        text = machine.tell("start " + words)
        if text:
            raise Failed(text)


def hold(machine):
    """Bytes of the machine's memory for a connection that says nothing."""
    before = machine.free_kib()
    machine.link.sendall(b"hold %d\n" % IDLE)
    held = [socket.create_connection((GUEST, 8), LIMIT) for _ in range(IDLE)]
    if machine.lines.readline() != b".\n":
        raise Failed("connections that were not taken")
    used = before - machine.free_kib()
    for s in held:
        s.close()
    machine.tell("release")
    return used * 1024 / IDLE


def measure(guest, initrd, cpus, only):
    """Each load's figures, and the memory of an idle connection."""
    with Machine(guest, initrd, cpus) as machine:
        start_servers(machine)
        found = {name: load(machine) for name, load in LOADS if only in name}
        found["idle"] = hold(machine)
    return found


def count(guest, initrd, build, only):
    """Instructions of the kernel for one of each."""
    found = {}
    with Machine(guest, initrd, 1, build + "/bench/count.so") as machine:
        start_servers(machine)
        for name, load in LOADS:
            if only in name:
                machine.mark()
                figures = load(machine)
                found[name] = machine.mark() / figures[1]
    return found


def collect(guests, build, initrd, rounds, only):
    """By guest, then processors or "count": what each round found."""
    found = {g.name: {1: [], 2: [], "count": []} for g in guests}
    for n in range(rounds):
        for cpus in (1, 2, "count"):
            for g in guests if cpus != "count" or n == 0 else ():
                try:
                    found[g.name][cpus].append(
                        count(g, initrd, build, only) if cpus == "count" else
                        measure(g, initrd, cpus, only))
                except (Failed, OSError, subprocess.TimeoutExpired) as error:
                    print("bench: %s, %s: %s" % (g.name, cpus, error))
    return found


def middle(rounds, name, i):
    values = [r[name][i] for r in rounds if name in r]
    return statistics.median(values) if values else None


def beside(values, better=1):
    """Cells of all guests, and the first one's ratio to the second."""
    cells = ["-" if v is None else cell(round(v, 3) if v < 100 else int(v))
             for v in values]
    if len(values) > 1:
        cells.append("-" if None in values else
                     "%.2f" % (values[0] / values[1]))
    return cells


def show(guests, found, only):
    rows, late = [], []
    names = [g.name for g in guests]
    ratio = ["ratio"] if len(names) > 1 else []
    for name, _ in LOADS:
        if only not in name:
            continue
        row = [name]
        for cpus in (1, 2):
            row += beside([middle(found[n][cpus], name, 0) for n in names])
        rows.append(row + beside([
            found[n]["count"][0].get(name) if found[n]["count"] else None
            for n in names]))
        if name.startswith("nginx"):
            late.append([name] + sum([
                beside([middle(found[n][cpus], name, i) for n in names])
                for cpus in (1, 2) for i in (2, 3)], []))
    table("Servers in the machine, asked from the host (q35, TCG): how many in "
          "a second on one\nprocessor and on two; instructions of the kernel "
          "for one",
          ["load"] + names + ratio + ["%s, 2" % n for n in names] + ratio +
          ["%s, instr." % n for n in names] + ratio, rows)
    table("Milliseconds until the answer: half of all and 99 of 100, on one "
          "processor; the same on two",
          ["load"] + (names + ratio) * 4, late)
    idle = [[r["idle"] for r in found[n][1]] for n in names]
    print("\nBytes for an idle connection: " + ", ".join(
        "%s %s" % (n, cell(int(statistics.median(v))) if v else "-")
        for n, v in zip(names, idle)))


# -------------------------------------------------------------- the network --

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def own_network():
    """This process alone in a network with a tap: 0, or why not."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return "unshare: " + os.strerror(ctypes.get_errno())
    try:
        open("/proc/self/setgroups", "w").write("deny")
        open("/proc/self/uid_map", "w").write("0 %d 1" % user)
        open("/proc/self/gid_map", "w").write("0 %d 1" % group)
        said(["ip", "link", "set", "lo", "up"])
        said(["ip", "tuntap", "add", "tap0", "mode", "tap", "vnet_hdr"])
        said(["ip", "addr", "add", HOST + "/24", "dev", "tap0"])
        said(["ip", "link", "set", "tap0", "up"])
    except (Failed, OSError) as error:
        return str(error)
    return None


def archive(build, tmp, common):
    files = programs(*SERVERS)
    files["/init"] = (open(build + "/bench/netd", "rb").read(), 0o755)
    files["/nginx.conf"] = (NGINX.encode(), 0o644)
    files["/redis.conf"] = (b'save ""\nprotected-mode no\n', 0o644)
    files["/www/small"] = (b"s" * 612, 0o644)
    files["/etc/passwd"] = (b"root:x:0:0::/:/bin/sh\n", 0o644)
    files["/etc/group"] = (b"root:x:0:\n", 0o644)
    name = tmp + "/net.cpio"
    modules = modules_of_debian(
        "virtio", "virtio_ring", "virtio_pci_modern_dev",
        "virtio_pci_legacy_dev", "virtio_pci", "failover", "net_failover",
        "virtio_net")
    open(name, "wb").write(newc(with_files(common, files) + modules))
    return name


def net(build, tmp, guests, common, rounds):
    """Rows of the network, from a process that is alone in its network."""
    missing = [p for p in CLIENTS if not shutil.which(p)] + [
        p for p in SERVERS if not os.path.exists(p)]
    if missing:
        print("bench: net needs " + ", ".join(missing))
        return
    initrd, only = archive(build, tmp, common), os.environ.get("LOAD", "")
    sys.stdout.flush()
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
        return
    try:
        why = own_network()
        if why:
            print("bench: no network of its own: " + why)
        else:
            show(guests, collect(guests, build, initrd, rounds, only), only)
    except Exception: # the caller's clean-up is not the child's
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(0)
