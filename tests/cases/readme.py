# SPDX-License-Identifier: ISC
"""readme.py - what README.md shows is what comes out.

Every "$ ./build/remora run ..." of its examples is a case: the lines below it,
up to the next command, are what it must print.  Examples that leave something
out (a line "..."), or show times, or need files that are not there, are not.
"""
import os
import re
import shlex

from suite.case import Case

README = os.path.join(os.path.dirname(__file__), '..', '..', 'README.md')
VARIES = re.compile(r'--kernel|hostfwd|--dry-run|--gdb|bootchart|remora\.trace')


def examples(text):
    """(command, output) of each command in the fenced blocks."""
    for block in re.findall(r'^```\n(.*?)^```', text, re.S | re.M):
        command, output = None, []
        for line in block.splitlines():
            if line.startswith('$ '):
                if command is not None:
                    yield command, output
                command, output = line[2:], []
            elif command is not None and command.count("'") % 2:
                command += '\n' + line
            else:
                output.append(line)
        if command is not None:
            yield command, output


def cases(build):
    with open(README, encoding='utf-8') as f:
        text = f.read()
    place = shlex.quote(os.path.abspath(build)) + '/remora '
    for command, output in examples(text):
        if not command.startswith('./build/remora run ') or \
                VARIES.search(command):
            continue
        name = ' '.join(command[len('./build/remora run '):].split())[:60]
        yield Case(name, ['/bin/sh', '-c',
                          command.replace('./build/remora ', place)],
                   stdout=''.join(o + '\n' for o in output).encode(),
                   needs=('/bin/busybox', '/usr/lib/python3.11')
                   if 'python' in command else ('/bin/busybox',))
