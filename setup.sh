#!/bin/sh
# SPDX-License-Identifier: ISC
# setup.sh - installs what is missing to build, run, test or measure Remora.
#
# Everything comes from Debian 12's own packages, through the mirrors that
# this machine's apt already uses.  Root (or sudo) is needed only when a
# package is missing.  The sources of zlib and zstd, of which the kernel links
# the decompressors, of lwIP, and of libyaml are Debian source packages; ACPICA
# is a part of Debian's linux-source: they are fetched without root into a cache
# folder and accepted only with the checksums below.

set -eu
export LC_ALL=C

usage() {
    cat <<EOF
usage: setup.sh [--check] [--quiet] [GROUP]...
       setup.sh [--quiet] --sources DIR

Installs exactly what is missing from Debian 12's packages.  Groups:
  build   compiler, headers, sources of zlib, zstd, lwIP, libyaml and ACPICA
  run     QEMU, and the program that 'make run' boots
  test    what 'make test', 'make fuzz' and 'make lint' need
  ssh     what 'make demo-ssh' and 'make demo-cloud' need
  bench   Debian's cloud kernel, unpacked beside the sources, not installed
  all     all of these (the default)
  conformance
          a Debian root with large programs and other projects' test suites,
          for 'make conformance'; 'make test' then runs those programs, too

  --check        only report; the exit status is 1 if something is missing
  --quiet        say nothing unless something is missing
  --sources DIR  unpack zlib, zstd and ACPICA into DIR/zlib, DIR/zstd and so on

Fetched files are kept in \$REMORA_CACHE, by default
${XDG_CACHE_HOME:-~/.cache}/remora.
EOF
}

# --- what is needed, and why -------------------------------------------------

packages() {
    case $1 in
    build)
        echo gcc make binutils mawk libc6-dev
        echo linux-libc-dev             # Linux's system-call interface
        echo libxen-dev                 # Xen's public headers: PVH start info
        echo libbsd-dev                 # <bsd/sys/queue.h>, lists and queues
        echo tar xz-utils bzip2 ;;      # to unpack zlib, zstd and ACPICA
    run)
        echo qemu-system-x86
        echo busybox-static ;;          # what 'make run' boots
    test)
        echo clang lld libclang-rt-14-dev       # second compiler, fuzzers
        echo libcmocka-dev python3
        echo spin                               # models of protocols
        echo clang-format cppcheck gdb          # make lint, remora run --gdb
        echo strace                             # runs in the guest, as gdb does
        echo zstd cpio gzip                     # to make test archives
        echo iproute2 dropbear-bin openssh-client   # in the guest; to log in
        echo busybox-static musl-tools lua5.4 sqlite3 python3-minimal
        echo perl-base openssl bc pciutils nvme-cli udev # programs that must run
        echo fio fdisk util-linux               # those for disks
        echo nginx-light haproxy redis-server memcached # servers, in the guest
        echo curl wget socat netcat-openbsd nodejs iperf3
        echo bind9-dnsutils iputils-ping iputils-tracepath traceroute tcpdump ethtool passt
        packages ssh ;;
    ssh)
        echo busybox-static dropbear-bin openssh-client python3 ;;
    bench)
        echo fio                                # reads disks in both guests
        echo iperf3 redis-server redis-tools nginx-light wrk iproute2  # the net
        echo python3 tar xz-utils zstd cpio ;;
    conformance)
        echo mmdebstrap python3 gcc make tar xz-utils bzip2
        echo tcl8.6 tcl8.6-dev zlib1g-dev ;;    # sqlite's tests
    esac
}

# What the Debian root for tests/cases/debian.py holds, beside mmdebstrap's minbase: about 400 MB to fetch, 2 GB unpacked.
root_packages() {
    echo bash dash busybox coreutils make gcc libc6-dev git strace gdb
    echo python3 libpython3.11-testsuite perl sqlite3 bc file less lsof
    echo procps psmisc util-linux bsdextrautils login passwd stress-ng
    echo postgresql-15 redis-server openjdk-17-jre-headless
    echo openjdk-17-jdk-headless nodejs golang-go
}

# One source a line: short name, source package, version, upstream archive,
# its SHA-256.  The archive counts: a later Debian revision of the same
# upstream version has the same archive, and is as good.
sources() {
    cat <<EOF
zlib zlib 1:1.2.13.dfsg-1 zlib_1.2.13.dfsg.orig.tar.bz2 \
71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1
zstd libzstd 1.5.4+dfsg2-5 libzstd_1.5.4+dfsg2.orig.tar.xz \
8cf4bbb65e77ec348d052c8d6230eba66d435bddf64c8b5be2fcb16880c19953
acpica linux-source-6.1 6.1 acpica_20220331.tar \
c51b9720c6b1cc95d8f584ccc9f0f5f872f0dd61272b849d759bc397787f3115
lwip lwip 2.1.3+dfsg1-2 lwip_2.1.3+dfsg1.orig.tar.xz \
0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24
yaml libyaml 0.2.5-1 libyaml_0.2.5.orig.tar.gz \
fa240dbf262be053f3898006d502d514936c818e422afdcf33921c63bed9bf2e
EOF
}

# ACPICA's archive is made here, always the same for the same files: Debian has
# them under a BSD licence in a package of 140 MB, of which they are 3 MB, and
# which is replaced by a newer one (with the same ACPICA) every other week.
acpica_files="*/drivers/acpi/acpica/*.[ch] */include/acpi/ac*.h
    */include/acpi/platform/*.h"

# The same for the test suites of other projects.
suite_sources() {
    cat <<EOF
busybox busybox 1:1.35.0-4+deb12u1 busybox_1.35.0.orig.tar.bz2 \
faeeb244c35a348a334f4a59e44626ee870fb07b6884d68c10ae8bc19f83a694
bash bash 5.2.15-2 bash_5.2.15.orig.tar.gz \
7a315bc0e9d90713159e4390ec1096a41e4f33cd8cc3d1a749a8e5ad56600f51
perl perl 5.36.0-7+deb12u3 perl_5.36.0.orig.tar.xz \
0f386dccbee8e26286404b2cca144e1005be65477979beb9b1ba272d4819bcf0
coreutils coreutils 9.1-1 coreutils_9.1.orig.tar.xz \
61a1f410d78ba7e7f37a5a4f50e6d1320aca33375484a3255eddf17a38580423
redis redis 5:7.0.15-1~deb12u10 redis_7.0.15.orig.tar.gz \
4b1dc4ee6d622a09fff9c6777191209750fb5e5a725ef78ea012d6eef4c22982
sqlite sqlite3 3.40.1-2+deb12u2 sqlite3_3.40.1.orig.tar.xz \
aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655
EOF
}

# What the root of 'make conformance' holds beside them; Linux must take all
# of it as an initial file system.
suite_packages() {
    echo acl attr bash bc bsdextrautils busybox bzip2 cpio dash file less
    echo libpython3.11-testsuite libtcl8.6 perl procps psmisc python3
    echo redis-server sqlite3 strace stress-ng tcl8.6 unzip util-linux
    echo xz-utils zip
}

cache=${REMORA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/remora}
check=no
quiet=no
unpack_to=

say() { echo "setup.sh: $*"; }
die() { echo "setup.sh: $*" >&2; exit 1; }

# --- packages ----------------------------------------------------------------

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
    for group; do packages "$group"; done | tr ' ' '\n' | sort -u |
    while read -r pkg; do
        installed "$pkg" || echo "$pkg"
    done | tr '\n' ' '
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "neither root nor sudo: as root, run setup.sh again, or
  apt-get install --no-install-recommends $todo"
    fi
}

# $1: the missing packages, $2: the groups they are for
install_packages() {
    say "missing for $2: $1"
    [ $check = no ] || { found=no; return 0; }
    say "installing these from Debian with apt-get, without recommended extras"
    as_root apt-get -q -o Acquire::Retries=3 update >&2 ||
        say "apt-get update failed; going on with the lists at hand"
    start_no_servers
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Acquire::Retries=3 install --no-install-recommends $1 >&2 ||
        die "apt-get could not install: $1"
    [ -z "$policy" ] || as_root rm -f "$policy"
    trap - EXIT
}

# Servers are there to run in the guest: none is started on this machine, as
# its own policy, where it has one, decides instead.
start_no_servers() {
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        policy=
        return 0
    fi
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

# --- a private apt, so that the system's configuration stays as it is ----------

# $1: deb or deb-src.  Lists the Debian 12 archives this machine already uses.
apt_lines() {
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    apt-get indextargets \
        --format '$(SITE) $(RELEASE) $(COMPONENT) $(IDENTIFIER)' |
    sort -u | while read -r site release component identifier; do
        case $identifier,$component,$release in
        Packages,main,bookworm | Packages,main,bookworm-*)
            echo "$1 [signed-by=$keys] $site $release main" ;;
        esac
    done
}

private_apt() {
    apt=$work/apt
    apt-get -q -o Dir::Etc::sourcelist="$apt/list" \
        -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 \
        -o Acquire::Languages=none "$@"
}

private_apt_init() {
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    apt_lines "$1" >"$work/apt/list"
    [ -s "$work/apt/list" ] ||
        die "apt on this machine knows no Debian 12 (bookworm) archive"
    private_apt update >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "cannot read the archive's lists (no network?)"
    }
}

work_begin() {
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
}

# --- sources of zlib, zstd and ACPICA ---------------------------------------------------

sum_is() {
    [ -f "$1" ] && echo "$2  $1" | sha256sum -c --status -
}

# $1: which list
missing_sources() {
    "$1" | while read -r name _ _ archive sum; do
        sum_is "$cache/$archive" "$sum" || echo "$name"
    done | tr '\n' ' '
}

pin_anew() {
    die "$1: the archive has no $3 with SHA-256 $4.
  wanted: source package $1, version $2
  found:  $(cd "$work" && ls "$1"_* 2>/dev/null | tr '\n' ' ')
  To use another version: look at what changed, then put its version, the
  archive's name and its SHA-256 in sources() in setup.sh."
}

# $1: Linux's sources, an archive; $2: the name of the one that is made
make_acpica() {
    mkdir -p "$work/acpica"
    (cd "$work" && set -f &&
        # shellcheck disable=SC2086 # a list of patterns
        tar -xf "$1" -C acpica --strip-components=1 --wildcards $acpica_files &&
        find acpica -type f | sort | tar --format=ustar --owner=0 --group=0 \
            --numeric-owner --mtime=@0 --mode=0644 -T - -cf "$2")
}

# From the package where it is installed, else fetched, not installed.
fetch_acpica() {
    installed=/usr/src/$package.tar.xz
    if [ -f "$installed" ] && make_acpica "$installed" "$archive" &&
        sum_is "$work/$archive" "$sum"; then
        return 0
    fi
    rm -rf "$work/apt" "$work/acpica"
    private_apt_init deb
    say "fetching $package, some 140 MB"
    (cd "$work" && private_apt download "$package" &&
        dpkg-deb -x "$package"_*.deb linux) >"$work/log" 2>&1 &&
        make_acpica "$work/linux$installed" "$archive" || cat "$work/log" >&2
    rm -rf "$work/apt"
    private_apt_init deb-src
}

fetch_source() {
    name=$1 package=$2 version=$3 archive=$4 sum=$5
    [ "$name" != acpica ] || fetch_acpica
    [ "$name" = acpica ] || (cd "$work" && {
        private_apt source --download-only "$package=$version" ||
        private_apt source --download-only "$package"
    } >"$work/log" 2>&1) || { cat "$work/log" >&2; }
    sum_is "$work/$archive" "$sum" ||
        pin_anew "$package" "$version" "$archive" "$sum"
    mv "$work/$archive" "$cache/$archive"
    say "$name: $archive fetched, checksum as pinned"
}

# $1: what is missing of the list $2
fetch_sources() {
    say "missing: sources of $1"
    [ $check = no ] || { found=no; return 0; }
    say "fetching Debian's source packages into $cache (no root needed)"
    work_begin
    private_apt_init deb-src
    "$2" | while read -r line; do
        # shellcheck disable=SC2086 # five words
        set -- $line
        sum_is "$cache/$4" "$5" || fetch_source "$@"
    done
    rm -rf "$work"
}

unpack_sources() {
    todo=$(missing_sources sources)
    [ -z "$todo" ] || fetch_sources "$todo" sources
    mkdir -p "$1"
    sources | while read -r name _ _ archive _; do
        rm -rf "$1/$name.new"
        mkdir "$1/$name.new"
        tar -xf "$cache/$archive" -C "$1/$name.new" --strip-components=1 \
            --no-same-owner
        rm -rf "${1:?}/$name"
        mv "$1/$name.new" "$1/$name"
    done
}

# --- the Linux that 'make bench' compares with -------------------------------------

# Unpacked, not installed: a second kernel has no business in the boot menu of
# the machine on which Remora is developed.
fetch_linux() {
    [ ! -f "$cache/linux/vmlinuz" ] || return 0
    say "missing for bench: Debian's cloud kernel"
    [ $check = no ] || { found=no; return 0; }
    say "fetching it into $cache/linux (unpacked there, not installed)"
    work_begin
    private_apt_init deb
    # apt-cache with the private lists: the metapackage names the real one.
    package=$(apt-cache -o Dir::Etc::sourcelist="$work/apt/list" \
        -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/apt/lists" \
        -o Dir::Cache="$work/apt/cache" \
        depends --important linux-image-cloud-amd64 |
        sed -n 's/^ *Depends: *\(linux-image-[^ ]*\)$/\1/p' | head -n 1)
    [ -n "$package" ] || die "Debian's cloud kernel is not in the archive"
    (cd "$work" && private_apt download "$package") >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "cannot download $package"
    }
    dpkg-deb -x "$work/$package"_*.deb "$work/linux"
    cp "$work"/linux/boot/vmlinuz-* "$work/linux/vmlinuz"
    rm -rf "$cache/linux"
    mv "$work/linux" "$cache/linux"
    say "$package unpacked"
    rm -rf "$work"
}

# --- the Debian root ----------------------------------------------------------------

# $1: its name, $2: the function that lists its packages, $3: what to do then.
# Made anew when the list changes.
make_root() {
    root=$cache/roots/$1
    list=$($2 | tr ' ' '\n' | sort | paste -sd,)
    [ "$(cat "$root.packages" 2>/dev/null)" != "$list" ] || return 0
    say "missing for conformance: a Debian root, $1"
    [ $check = no ] || { found=no; return 0; }
    say "making it in $root (some minutes)"
    mkdir -p "$cache/roots"
    as_root rm -rf "$root.new" "$root"
    as_root mmdebstrap --quiet --variant=minbase --include="$list" bookworm \
        "$root.new" >&2 || die "mmdebstrap could not make $root"
    $3 "$root.new"
    as_root mv "$root.new" "$root"
    echo "$list" >"$root.packages"
}

# The suites go to /suites of the root, with the helpers that each builds.
unpack_suites() {
    todo=$(missing_sources suite_sources)
    [ -z "$todo" ] || fetch_sources "$todo" suite_sources
    from=$1.sources
    rm -rf "$from"
    suite_sources | while read -r name _ _ archive _; do
        mkdir -p "$from/$name" "$from/suites/$name"
        tar -xf "$cache/$archive" -C "$from/$name" --strip-components=1 \
            --no-same-owner
    done
    prepare_busybox "$from/busybox" "$from/suites/busybox"
    prepare_bash "$from/bash" "$from/suites/bash"
    prepare_perl "$from/perl" "$from/suites/perl" "$1"
    prepare_coreutils "$from/coreutils" "$from/suites/coreutils"
    prepare_redis "$from/redis" "$from/suites/redis"
    prepare_sqlite "$from/sqlite" "$from/suites/sqlite"
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$from/hosts"
    as_root cp "$from/hosts" "$1/etc/hosts"
    as_root ln -s ../proc/self/mounts "$1/etc/mtab"
    as_root cp -a --no-preserve=ownership "$from/suites" "$1/suites"
    rm -rf "$from"
}

prepare_busybox() {
    make -s -C "$1" defconfig >/dev/null
    cp -a "$1/testsuite" "$1/.config" "$2"
    gcc -Os -w -o "$2/testsuite/echo-ne" "$1/scripts/echo.c"
    ln -s /bin/busybox "$2/busybox"
}

prepare_bash() {
    cp -a "$1/tests" "$2"
    for tool in recho zecho printenv xcase; do
        gcc -O -w -I "$1" -DHAVE_STRING_H -DHAVE_STDLIB_H -DHAVE_UNISTD_H \
            -include stdlib.h -include string.h -include unistd.h \
            -o "$2/tests/$tool" "$1/support/$tool.c"
    done
}

# The tests use the installed perl, and look for its modules beside them.
prepare_perl() {
    cp -a "$1/t" "$2"
    mkdir "$2/lib"
    for folder in share/perl/5.36.0 lib/x86_64-linux-gnu/perl/5.36.0 \
        lib/x86_64-linux-gnu/perl-base; do
        cp -a "$3/usr/$folder/." "$2/lib"
    done
    ln -s /usr/bin/perl "$2/perl"
    ln -s /usr/bin/perl "$2/t/perl"
}

# The tests ask this header what configure found.
prepare_coreutils() {
    mkdir "$2/src"
    cp -a "$1/init.cfg" "$1/tests" "$2"
    cp tests/conformance/getlimits.sh "$2/src/getlimits"
    for what in HAVE_CAP HAVE_GETMNTENT HAVE_INOTIFY HAVE_LINKAT \
        HAVE_LUTIMES HAVE_MNTENT_H HAVE_OPENAT HAVE_PTHREAD_T \
        HAVE_SETGROUPS HAVE_UTIMENSAT USE_ACL USE_XATTR; do
        echo "#define $what 1"
    done >"$2/config.h"
}

prepare_redis() {
    mkdir "$2/src"
    cp -a "$1/tests" "$2"
    for tool in server cli benchmark check-aof check-rdb; do
        ln -s "/usr/bin/redis-$tool" "$2/src/redis-$tool"
    done
}

# Their interpreter, Tcl with sqlite inside; the data is for fuzzing.
prepare_sqlite() {
    (cd "$1" && {
        ./configure -q --with-tcl=/usr/lib/tcl8.6 --disable-shared \
            --disable-readline CFLAGS='-O1 -w' && make -s testfixture
    } >make.log 2>&1) || { cat "$1/make.log" >&2; die "no sqlite tests"; }
    cp -a "$1/testfixture" "$1/test" "$2"
    rm -f "$2"/test/*.db
}

# --- main ---------------------------------------------------------------------------

groups=
while [ $# -gt 0 ]; do
    case $1 in
    --check) check=yes ;;
    --quiet | -q) quiet=yes ;;
    --sources)
        [ $# -ge 2 ] || { usage >&2; exit 2; }
        unpack_to=$2
        shift ;;
    --help | -h) usage; exit 0 ;;
    all) groups="build run test bench" ;;
    build | run | test | ssh | bench | conformance) groups="$groups $1" ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 ||
    die "not a Debian system: install by hand what packages() in it lists"

if [ -n "$unpack_to" ]; then
    unpack_sources "$unpack_to"
    exit 0
fi

: "${groups:=build run test bench}"
found=yes
# shellcheck disable=SC2086 # a list of words
todo=$(missing_packages $groups)
if [ -n "$todo" ]; then
    install_packages "$todo" "${groups# }"
fi
case " $groups " in *" build "*)
    todo=$(missing_sources sources)
    [ -z "$todo" ] || fetch_sources "$todo" sources
esac
case " $groups " in *" bench "* | *" conformance "*)
    fetch_linux
esac
case " $groups " in *" conformance "*)
    make_root debian root_packages :
    make_root suites suite_packages unpack_suites
esac

[ $found = yes ] || exit 1
[ $quiet = yes ] || say "nothing is missing for ${groups# }"
