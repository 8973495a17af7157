#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# calls.py - no object of the kernel uses a symbol of a higher floor.
# usage: tests/lint/calls.py BUILD
#
# The rule about includes, once more, on what was compiled: a declaration by
# hand does not escape it.  Prints "PASS lint/calls" or "FAIL lint/calls".

import glob
import os
import subprocess
import sys

from rules import RANK

# The one call upwards: every entry path ends in the one main function.
UPWARD = {"kernel_main"}


def symbols(objects):
    """(object, letter of nm, symbol) of every global symbol."""
    out = subprocess.run(["nm", "-A", "-g", *objects], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        words = line.rsplit(":", 1)[1].split()
        yield line.rsplit(":", 1)[0], words[-2], words[-1]


def main(argv):
    if len(argv) != 2:
        sys.exit("usage: tests/lint/calls.py BUILD")
    base = os.path.join(argv[1], "kernel")
    objects = [o for o in sorted(glob.glob(f"{base}/*/*.o"))
               if os.path.isfile(os.path.relpath(o, argv[1])[:-1] + "c") or
               os.path.isfile(os.path.relpath(o, argv[1])[:-1] + "S")]
    if not objects:
        print("SKIP lint/calls: nothing was built")
        return 0
    defined, used = {}, []
    for obj, letter, name in symbols(objects):
        folder = os.path.basename(os.path.dirname(obj))
        if letter in "Uwv":
            used.append((folder, obj, name))
        else:
            defined[name] = folder
    failed = False
    for folder, obj, name in used:
        owner = defined.get(name)
        if owner is not None and RANK[owner] > RANK[folder] and \
                name not in UPWARD:
            source = os.path.relpath(obj, argv[1])[:-2]
            print(f"{source}: uses {name}, which is {owner}/'s",
                  file=sys.stderr)
            failed = True
    print("FAIL" if failed else "PASS", "lint/calls")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
