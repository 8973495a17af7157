#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# rules_test.py - every rule of rules.py finds what it is for, and no more.
# usage: tests/lint/rules_test.py

import sys

from rules import RULES

LONG = "static int\nlong_one(void)\n{\n" + "\tx();\n" * 61 + "}\n"
HEAD = "/* SPDX-License-Identifier: ISC */\n"

# rule, file's name, its text, lines at which something is wrong
CASES = [
    ("floors", "kernel/kern/a.c", '#include "x86/b.h"\n', []),
    ("floors", "kernel/dev/a.c", '#include "a.h"\n#include "fs/b.h"\n', [2]),
    ("floors", "kernel/fs/a.c", '#include "net/b.h"\n', []),
    ("floors", "kernel/abi/a.h", "#include <stdint.h>\n", []),
    ("floors", "kernel/abi/a.h", "#include <stdio.h>\n", [1]),
    ("floors", "kernel/kern/a.c", '#include "cli/b.h"\n', [1]),
    ("floors", "cli/a.c", '#include "kernel/fs/b.h"\n', []),
    ("extern", "kernel/kern/a.c", "/* extern */\nextern int a;\n", [2]),
    ("extern", "kernel/kern/a.c", 'char *a = "extern";\n', []),
    ("extern", "kernel/kern/a.h", "extern int a;\n", []),
    ("length", "cli/a.c", "\n" * 1000, []),
    ("length", "cli/a.c", "\n" * 1001, [1001]),
    ("function-length", "cli/a.c", LONG, [3]),
    ("function-length", "cli/a.c", LONG.replace("\tx();\n", "", 1), []),
    ("function-length", "cli/a.c", LONG.replace("(void)\n", "(int a,\n"
                                                "    int b)\n"), [4]),
    ("head", "cli/a.c", HEAD + "/*\n * a.c - what it is.\n */\n", []),
    ("head", "cli/a.c", HEAD + "/* a thing */\n", [2]),
    ("head", "cli/a.c", "/* a.c - what it is. */\n", [1]),
    ("head", "tests/a", "#!/bin/sh\n# SPDX-License-Identifier: ISC\n"
     "# a - what it is.\n", []),
    ("head", "tests/a.py", '# SPDX-License-Identifier: ISC\n"""a.py - is."""'
     "\n", []),
    ("head", "README.md", "# A thing\n", []),
    ("prototypes", "cli/a.h", "\nint a(int b);\n", [2]),
    ("prototypes", "cli/a.h", "/* Does a. */\nint a(int b);\n", []),
    ("prototypes", "cli/a.h", "/* Both. */\nint a(int b);\nint c(int d,\n"
     "    int e);\n\nint f(void);\n", [6]),
    ("prototypes", "cli/a.h", "\nint a(int b); /* does a */\nint c(void);\n",
     []),
    ("prototypes", "cli/a.h", "struct a {\n\tint (*f)(int);\n};\n", []),
    ("prototypes", "cli/a.h", "\nvoid a(const char *, ...)\n"
     "    __attribute__((format(printf, 1, 2)));\n", [2]),
    ("prototypes", "kernel/linux/a.h", "\nlong sys_a(struct r *r);\n", []),
    ("words", "a.md", "TO" "DO later\nmkstemp XXXX" "XX\n", [1]),
    ("paths", "a.md", "cd /ho" "me/me\nls /usr/x ~/home/x\n", [1]),
    ("map", "ARCHITECTURE.md", "`rule()` is in `rules.py`\n", [1]),
    ("map", "ARCHITECTURE.md", "`foo.c` has a `foo_test.c`\n", []),
    ("links", "a.md", "[a](README.md) [b](http://x) [c](#d)\n[e](no.md)\n",
     [2]),
    ("python", "a.py", "def a():\n    return 1\n", []),
    ("python", "a", "#!/usr/bin/env python3\na = (\n", [2]),
    ("python", "a", "#!/bin/sh\na = (\n", []),
    ("spaces", "a.md", "a \nb\t\nc\n", [1, 2]),
    ("spaces", "a.md", "a\nb", [2]),
]


def main():
    failed = False
    for rule, name, text, lines in CASES:
        found = sorted({f[1] for f in RULES[rule]([(name, text)])})
        if found != lines:
            print(f"rules_test.py: {rule}: {text[:60]!r}: lines {found}, "
                  f"expected {lines}", file=sys.stderr)
            failed = True
    untested = set(RULES) - {c[0] for c in CASES}
    if untested:
        print(f"rules_test.py: no case for {untested}", file=sys.stderr)
        failed = True
    print("FAIL" if failed else "PASS", "lint/rules-test")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
