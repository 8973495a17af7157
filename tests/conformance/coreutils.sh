#!/bin/sh
# SPDX-License-Identifier: ISC
# coreutils.sh - inside the machine: one of coreutils' tests, with what its
# makefile would set, for the installed programs.  Run in the suite's folder.
#
# usage: coreutils.sh TEST, as in "rm/cycle.sh"

test=tests/$1
programs="[ b2sum basename cat chgrp chmod chown chroot cksum cp csplit cut \
date dd df dir du env expr false groups head id install kill link ln ls \
mkdir mkfifo mknod mktemp mv nice nohup nproc od pathchk printenv pwd \
readlink realpath rm rmdir seq shred sleep sort split stat stdbuf stty sync \
tac tail tee test timeout touch tr true truncate tty uname uniq unlink wc \
who yes"
# shellcheck disable=SC1091 # of the suite
. tests/lang-default
TMPDIR=/tmp
# shellcheck disable=SC1091
. tests/envvar-check
export TMPDIR VERSION=9.1 PACKAGE_VERSION=9.1 LOCALE_FR=none \
    LOCALE_FR_UTF8=none abs_top_builddir="$PWD" abs_top_srcdir="$PWD" \
    abs_srcdir="$PWD" srcdir=. top_srcdir=. fail=0 host_os=linux-gnu \
    host_triplet=x86_64-pc-linux-gnu CONFIG_HEADER="$PWD/config.h" \
    CC=cc AWK=awk EGREP='grep -E' EXEEXT='' MAKE=make PERL=perl SHELL=/bin/sh \
    CU_TEST_NAME="coreutils,${1%/*}-${1#*/}" \
    built_programs="$programs" PATH="$PWD/src:$PATH"
exec 9>&2
# As nobody, but for those that ask for root.
chmod 1777 . tests "${test%/*}"
as='setpriv --reuid 65534 --regid 65534 --clear-groups'
! grep -q require_root_ "$test" || as=
# shellcheck disable=SC2086 # words
case $1 in
*.sh) exec $as sh "$test" ;;
*.xpl) taint=-T ;;
*) taint= ;;
esac
# shellcheck disable=SC2086 # words
exec $as perl $taint -w -I./tests -MCuSkip -MCoreutils -M"CuTmpdir qw($test)" \
    "$test"
