# SPDX-License-Identifier: ISC
"""table.py - what the suites said in both guests, as docs/conformance.md."""
import fnmatch
import json
import os

from suites import ROOT, SUITES

HEAD = '''# Conformance

Test suites that other projects wrote, carried out in a Remora guest and in a
Linux guest (Debian 12's cloud kernel) under QEMU's TCG with 2 processors.
The programs are Debian 12's; both guests have the same root (Remora a folder
shared by 9P, Linux an initial file system) and a tmpfs on /tmp, where tests
run.  `make conformance` fetches, runs and rewrites this file.

A test counts if it passes in the Linux guest; a suite's pieces count that
both guests carried out.  Each piece has a time limit, so that all comes to an
end; what a run has found is kept in the build folder, and the next one goes
on from there.  On a busy machine a test that measures time may fail, in
either guest: `tests/conformance/run BUILD --again` does once more what fails
here only.

| suite | pass on Linux | of these on Remora | | only on Remora | panics, hangs | minutes on Linux, Remora |
| --- | --- | --- | --- | --- | --- | --- |
'''


def collect(folder):
    """{suite: {guest: {(piece, test): word}}}, {suite: {guest: [broken]}}"""
    results = {}
    for suite in SUITES:
        results[suite] = {}
        for guest in ('linux', 'remora'):
            tests, broken_pieces, pieces = {}, [], {}
            path = os.path.join(folder, guest, suite)
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else ():
                if not name.endswith('.json'):
                    continue
                with open(os.path.join(path, name)) as f:
                    kept = json.load(f)
                pieces[kept['piece']] = kept['seconds']
                if kept['why']:
                    broken_pieces.append((kept['piece'], kept['why']))
                for test, word in kept['tests'].items():
                    tests[kept['piece'], test] = word
            results[suite][guest] = (tests, broken_pieces, pieces)
    return results


def compare(one):
    """Of a suite: tests that pass on Linux, those of them that fail here,
    and those that pass only here; of pieces that both guests ran."""
    (linux, _, theirs), (ours, _, mine) = one['linux'], one['remora']
    both = theirs.keys() & mine.keys()
    good = {t for t, w in linux.items() if w == 'pass' and t[0] in both}
    failed = {t for t in good if ours.get(t) != 'pass'}
    extra = {t for t, w in ours.items()
             if w == 'pass' and t[0] in both and linux.get(t) == 'fail'}
    return good, failed, extra


def left_out(results):
    """A suite of which not all pieces were carried out in both guests."""
    out = ''
    for suite, one in results.items():
        pieces = list(SUITES[suite][0](ROOT))
        both = one['linux'][2].keys() & one['remora'][2].keys()
        if both and len(both) < len(pieces):
            out += '\n%s: %d of %d pieces.' % (suite, len(both), len(pieces))
    return out + '\n' if out else ''


def percent(good, failed):
    return '%.1f %%' % (100.0 * (len(good) - len(failed)) / len(good)) \
        if good else '-'


def read_reasons(path):
    """Lines "PATTERN: REASON"; the first that matches SUITE/PIECE/TEST."""
    reasons = []
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                pattern, _, why = line.partition(': ')
                reasons.append((pattern.strip(), why.strip()))
    return reasons


def reason(reasons, name):
    for pattern, why in reasons:
        if fnmatch.fnmatchcase(name, pattern):
            return why
    return 'not looked into yet'


def summary(results):
    lines, all_good, all_failed = [], set(), set()
    for suite, one in results.items():
        good, failed, extra = compare(one)
        lines.append('%-10s %5d pass on Linux, %5d of them here, %s; %d only '
                     'here; broken: %s' % (
                         suite, len(good), len(good) - len(failed),
                         percent(good, failed), len(extra),
                         one['remora'][1] or 'none'))
        all_good |= {(suite, t) for t in good}
        all_failed |= {(suite, t) for t in failed}
    lines.append('all        %5d pass on Linux, %5d of them here, %s' % (
        len(all_good), len(all_good) - len(all_failed),
        percent(all_good, all_failed)))
    return '\n'.join(lines)


def render(results, reasons):
    out, all_good, all_failed = HEAD, 0, 0
    for suite, one in results.items():
        good, failed, extra = compare(one)
        if not good:
            out += '| %s | not run yet | | | | | |\n' % suite
            continue
        all_good += len(good)
        all_failed += len(failed)
        out += '| %s | %d | %d | %s | %d | %s | %d, %d |\n' % (
            suite, len(good), len(good) - len(failed), percent(good, failed),
            len(extra), len(one['remora'][1]) or 'none',
            sum(one['linux'][2].values()) / 60,
            sum(one['remora'][2].values()) / 60)
    if all_good:
        out += '| all | %d | %d | %.1f %% | | | |\n' % (
            all_good, all_good - all_failed,
            100.0 * (all_good - all_failed) / all_good)
    out += left_out(results)
    out += '\n## What fails here and passes on Linux\n\n'
    for suite, one in results.items():
        _, failed, _ = compare(one)
        groups = {}
        for piece, test in sorted(failed):
            name = test if test.startswith(piece) else piece + '/' + test
            why = reason(reasons, '%s/%s/%s' % (suite, piece, test))
            groups.setdefault(why, []).append(name)
        if groups:
            out += '### %s\n\n' % suite
            for why, names in sorted(groups.items(),
                                     key=lambda item: -len(item[1])):
                shown = ', '.join('`%s`' % n for n in names[:12])
                more = len(names) - 12
                out += '- %s (%d): %s%s\n' % (
                    why, len(names), shown,
                    ' and %d more' % more if more > 0 else '')
            out += '\n'
    return out


def broken(results):
    return 1 if any(one['remora'][1] for one in results.values()) else 0
