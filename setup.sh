#!/bin/sh
# SPDX-License-Identifier: ISC
# setup.sh - installs what is missing to build, run, test or measure Remora.
#
# Everything comes from Debian 12's own packages, through the mirrors that
# this machine's apt already uses.  Root (or sudo) is needed only when a
# package is missing.  The sources of zlib and zstd, of which the kernel links
# the decompressors, are Debian source packages too: they are fetched without
# root into a cache folder and accepted only with the checksums below.

set -eu
export LC_ALL=C

usage() {
    cat <<EOF
usage: setup.sh [--check] [--quiet] [GROUP]...
       setup.sh [--quiet] --sources DIR

Installs exactly what is missing from Debian 12's packages.  Groups:
  build   compiler, headers, sources of zlib and zstd
  run     QEMU, and the program that 'make run' boots
  test    what 'make test', 'make fuzz' and 'make lint' need
  bench   Debian's cloud kernel, unpacked beside the sources, not installed
  all     all of these (the default)

  --check        only report; the exit status is 1 if something is missing
  --quiet        say nothing unless something is missing
  --sources DIR  unpack zlib and zstd into DIR/zlib and DIR/zstd

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
        echo tar xz-utils bzip2 ;;      # to unpack zlib and zstd
    run)
        echo qemu-system-x86
        echo busybox-static ;;          # what 'make run' boots
    test)
        echo clang lld libclang-rt-14-dev       # second compiler, fuzzers
        echo libcmocka-dev python3
        echo spin                               # models of protocols
        echo clang-format cppcheck gdb          # make lint, remora run --gdb
        echo zstd cpio gzip                     # to make test archives
        echo busybox-static musl-tools lua5.4 sqlite3 python3-minimal
        echo perl-base openssl bc pciutils ;;   # programs that must run
    bench)
        echo python3 tar xz-utils zstd cpio ;;
    esac
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
EOF
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
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Acquire::Retries=3 install --no-install-recommends $1 >&2 ||
        die "apt-get could not install: $1"
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

# --- sources of zlib and zstd ---------------------------------------------------

sum_is() {
    [ -f "$1" ] && echo "$2  $1" | sha256sum -c --status -
}

missing_sources() {
    sources | while read -r name _ _ archive sum; do
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

fetch_source() {
    name=$1 package=$2 version=$3 archive=$4 sum=$5
    (cd "$work" && {
        private_apt source --download-only "$package=$version" ||
        private_apt source --download-only "$package"
    } >"$work/log" 2>&1) || { cat "$work/log" >&2; }
    sum_is "$work/$archive" "$sum" ||
        pin_anew "$package" "$version" "$archive" "$sum"
    mv "$work/$archive" "$cache/$archive"
    say "$name: $archive fetched, checksum as pinned"
}

fetch_sources() {
    say "missing for build: sources of $1"
    [ $check = no ] || { found=no; return 0; }
    say "fetching Debian's source packages into $cache (no root needed)"
    work_begin
    private_apt_init deb-src
    sources | while read -r line; do
        # shellcheck disable=SC2086 # five words
        set -- $line
        sum_is "$cache/$4" "$5" || fetch_source "$@"
    done
    rm -rf "$work"
}

unpack_sources() {
    todo=$(missing_sources)
    [ -z "$todo" ] || fetch_sources "$todo"
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
    build | run | test | bench) groups="$groups $1" ;;
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
    todo=$(missing_sources)
    [ -z "$todo" ] || fetch_sources "$todo"
esac
case " $groups " in *" bench "*)
    fetch_linux
esac

[ $found = yes ] || exit 1
[ $quiet = yes ] || say "nothing is missing for ${groups# }"
