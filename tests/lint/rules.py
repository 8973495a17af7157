#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# rules.py - house rules that no compiler knows, one function a rule.
# usage: tests/lint/rules.py [RULE]...
#        tests/lint/rules.py --files
#
# Run in the root of the tree.  Each rule yields (file, line, what is wrong);
# findings go to standard error, "PASS lint/RULE" or "FAIL lint/RULE" to
# standard output.  The exit status is 1 if a rule failed.  --files prints the
# names of all files that the rules look at.

import ast
import fnmatch
import os
import re
import subprocess
import sys

# A kernel file includes headers of its own rank or of a lower one.
RANK = {"third": 0, "abi": 0, "x86": 1, "kern": 1, "vdso": 2, "bus": 2,
        "dev": 3, "block": 4, "fs": 5, "net": 5, "linux": 6, "boot": 7}
HOST_ONLY = re.compile(r"_(test|fuzz)\.c$")
ABI_MAY = re.compile(r"(abi/|linux/|(stdint|stddef|stdbool|assert)\.h$)")

# Declarations that may stand outside headers, and why.
EXTERN = {
    "kernel/kern/ksyms.c": "the table is made by the second link",
    "kernel/vdso/vdso.c": "the linker script places the page",
}

# Prototypes whose contract stands elsewhere: a system call's in section 2 of
# the manual, of C's own functions in section 3.
MANUAL = re.compile(r"sys_|mem(cpy|move|set|cmp|chr)$|str\w+$|[A-Z_]+$")

MAX_LINES = 1000
MAX_FUNCTION = 60
CODE = re.compile(r"(\.(c|h|S|ld|lds|py|sh|mk|awk|gdb)|Makefile)$")


def tracked():
    """Names of the tree's own files, also of those not yet committed."""
    git = subprocess.run(["git", "ls-files", "--cached", "--others",
                          "--exclude-standard"], check=False,
                         capture_output=True, text=True)
    names = git.stdout.splitlines() if git.returncode == 0 else walk()
    return [n for n in sorted(set(names))
            if os.path.isfile(n) and not os.path.islink(n)]


def walk():
    """The same for a tree that is no repository: all but build folders."""
    for folder, below, names in os.walk("."):
        below[:] = [b for b in below if not b.startswith((".", "build"))]
        yield from (os.path.relpath(os.path.join(folder, n), ".")
                    for n in names)


def read(name):
    with open(name, encoding="utf-8", errors="replace") as f:
        return f.read()


def is_code(name, text):
    return bool(CODE.search(name)) or text.startswith("#!")


def blank(match):
    """What is cut out leaves its line ends, so that lines keep numbers."""
    return "\n" * match.group(0).count("\n") or " "


def without_comments(text):
    """C without comments, the insides of strings, and directives."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                       r"|'(?:\\.|[^'\\\n])*'", re.S)
    text = token.sub(lambda m: blank(m) if m.group(0)[0] == "/" else
                     m.group(0)[0] * 2, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def kernel_folder(name):
    parts = name.split("/")
    return parts[1] if parts[0] == "kernel" and len(parts) > 2 else None


def rule_floors(files):
    """No header of a higher floor; none of the host in kernel/."""
    for name, text in files:
        folder = kernel_folder(name)
        if folder is None or not name.endswith((".c", ".h", ".S")):
            continue
        if folder not in RANK:
            yield name, 1, f"kernel/{folder} has no rank"
            continue
        for i, line in enumerate(text.splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
            if m is None:
                continue
            kind, path = m.groups()
            head = path.split("/")[0]
            if folder == "abi" and not ABI_MAY.match(path):
                yield name, i, f"abi/ includes {path}"
            if kind == "<" or "/" not in path:
                continue
            if HOST_ONLY.search(name) and head in ("tests", "kernel"):
                continue
            if head not in RANK:
                yield name, i, f"{path} belongs to no floor"
            elif RANK[head] > RANK[folder]:
                yield name, i, f"{folder}/ includes {path}, a higher floor"


def rule_extern(files):
    """What one file gives to others is declared in a header."""
    for name, text in files:
        if not name.endswith(".c") or name in EXTERN:
            continue
        for i, line in enumerate(without_comments(text).splitlines(), 1):
            if re.search(r"\bextern\b", line):
                yield name, i, "extern in a .c file"


def rule_length(files):
    """A file has at most 1000 lines."""
    for name, text in files:
        n = text.count("\n")
        if is_code(name, text) and n > MAX_LINES:
            yield name, n, f"{n} lines, at most {MAX_LINES}"


def functions(text):
    """(name, line, length of the body) of each function in house style."""
    lines = without_comments(text).splitlines()
    name, start = None, None
    for i, line in enumerate(lines):
        m = re.match(r"(?:[\w *]*[ *])?(\w+)\(", line)
        if m and not line.startswith((" ", "\t")):
            name = m.group(1)
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            yield name or "?", start + 1, i - start - 1
            name, start = None, None


def rule_function_length(files):
    """A function's body has at most 60 lines."""
    for name, text in files:
        if name.endswith((".c", ".h")):
            for func, line, n in functions(text):
                if n > MAX_FUNCTION:
                    yield name, line, \
                        f"{func}() has {n} lines, at most {MAX_FUNCTION}"


def rule_head(files):
    """A file opens with its licence and a comment that says what it is."""
    for name, text in files:
        if not is_code(name, text):
            continue
        lines = text.splitlines()[:6]
        if lines and lines[0].startswith("#!"):
            lines.pop(0)
        if not lines or "SPDX-License-Identifier: ISC" not in lines[0]:
            yield name, 1, "no SPDX line"
            continue
        base = os.path.basename(name)
        stem = base.rsplit(".", 1)[0] if "." in base else base
        if not any(re.match(rf'[\s/*#"]*(?:{re.escape(base)}|'
                            rf"{re.escape(stem)})\b.* - ", line)
                   for line in lines[1:]):
            yield name, 2, f"no head comment '{base} - ...'"


def rule_prototypes(files):
    """A header's prototype has a comment above; a group may share one."""
    for name, text in files:
        if not name.endswith(".h") or name.startswith("kernel/third/"):
            continue
        raw, lines = text.splitlines(), without_comments(text).splitlines()
        depth, begin, commented = 0, None, False
        for i, line in enumerate(lines):
            bare = line.strip()
            if depth == 0 and begin is None:
                if not bare:
                    # A comment, or an empty line, which ends a group.
                    if not raw[i].lstrip().startswith("#"):
                        commented = bool(raw[i].strip())
                    continue
                begin = i
            depth += line.count("{") - line.count("}")
            if depth > 0 or not bare.endswith((";", "}")):
                continue
            item = " ".join(lines[begin:i + 1])
            m = re.match(r"[\w\s*]*?\**\b(\w+)\s*\((?!\*)[^{]*\)"
                         r"[^{}()]*(?:\(\([^{}]*\)\))?\s*;", item)
            beside = any("/*" in r for r in raw[begin:i + 1])
            if m and not commented and not beside and \
                    not item.lstrip().startswith(("typedef", "static_")) \
                    and not MANUAL.match(m.group(1)):
                yield name, begin + 1, f"{m.group(1)}() has no comment"
            if beside:
                commented = True
            begin = None


def rule_words(files):
    """Work left undone is not left in the text."""
    word = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for name, text in files:
        for i, line in enumerate(text.splitlines(), 1):
            m = word.search(line)
            if m:
                yield name, i, m.group(1)


def rule_paths(files):
    """Nothing names a folder of the machine it was written on."""
    path = re.compile(r"(?<![\w.$/}~-])/(home|root|work|Users)/[\w.]")
    for name, text in files:
        for i, line in enumerate(text.splitlines(), 1):
            m = path.search(line)
            if m:
                yield name, i, f"{m.group(0)}... is a machine's own path"


def rule_spaces(files):
    """Lines end where their text ends; a file ends with a line end."""
    for name, text in files:
        if name.startswith("tests/corpus/"):
            continue
        for i, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield name, i, "spaces at the line's end"
        if text and not text.endswith("\n"):
            yield name, text.count("\n") + 1, "no line end at the file's end"


def rule_map(files):
    """What ARCHITECTURE.md names is there; every file of the kernel is."""
    code = {n: t for n, t in files if n.endswith((".c", ".h", ".S"))}
    bases = {os.path.basename(n) for n, _ in files}
    defined = set()
    for text in code.values():
        defined.update(re.findall(r"\b(\w+)\(|^(?:\w+):", text, re.M))
    for name, text in files:
        if os.path.basename(name) != "ARCHITECTURE.md":
            continue
        for i, line in enumerate(text.splitlines(), 1):
            for word in re.findall(r"`(\w+)\(\)`", line):
                if word not in defined:
                    yield name, i, f"there is no {word}()"
            for word in re.findall(r"`([\w/]+\.(?:[chS]|py|mk))`", line):
                if os.path.basename(word) not in bases and \
                        not os.path.basename(word).startswith("foo"):
                    yield name, i, f"there is no {word}"
        named = re.findall(r"`([\w*/]+\.[cS])`", text)
        for path in code:
            if path.startswith("kernel/") and path.endswith((".c", ".S")) and \
                    not HOST_ONLY.search(path) and \
                    not any(fnmatch.fnmatch(os.path.basename(path),
                                            os.path.basename(n))
                            for n in named):
                yield name, 1, f"says nothing of {path}"


def rule_links(files):
    """A link of a text to a file of the tree leads somewhere."""
    for name, text in files:
        if not name.endswith(".md"):
            continue
        for i, line in enumerate(text.splitlines(), 1):
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", line):
                place = os.path.join(os.path.dirname(name), link)
                if "://" not in link and not os.path.exists(place):
                    yield name, i, f"leads to {link}, which is not there"


def rule_python(files):
    """Scripts can be read by Python 3."""
    for name, text in files:
        if not name.endswith(".py") and \
                not re.match(r"#!.*\bpython3", text):
            continue
        try:
            ast.parse(text)
        except SyntaxError as e:
            yield name, e.lineno or 1, e.msg


RULES = {k[5:].replace("_", "-"): v for k, v in globals().items()
         if k.startswith("rule_")}


def main(argv):
    if argv[1:] == ["--files"]:
        print("\n".join(tracked()))
        return 0
    wanted = argv[1:] or list(RULES)
    for rule in wanted:
        if rule not in RULES:
            sys.exit(f"rules.py: no rule {rule}; there are {' '.join(RULES)}")
    files = [(n, read(n)) for n in tracked()
             if not n.startswith("tests/corpus/")]
    failed = False
    for rule in wanted:
        found = list(RULES[rule](files))
        for name, line, what in found:
            print(f"{name}:{line}: {what}", file=sys.stderr)
        print("FAIL" if found else "PASS", f"lint/{rule}", flush=True)
        failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
