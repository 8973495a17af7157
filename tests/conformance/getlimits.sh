#!/bin/sh
# SPDX-License-Identifier: ISC
# getlimits.sh - the limits of x86-64's types, as coreutils' own helper of
# this name prints them for its tests: their bounds, and what is one past.

signed() {
    echo "$1_MAX=$2"
    echo "$1_OFLOW=$3"
    echo "$1_MIN=-$3"
    echo "$1_UFLOW=-$4"
}

unsigned() {
    echo "$1_MAX=$2"
    echo "$1_OFLOW=$3"
}

signed CHAR 127 128 129
signed SCHAR 127 128 129
unsigned UCHAR 255 256
signed SHRT 32767 32768 32769
signed INT 2147483647 2147483648 2147483649
signed PID_T 2147483647 2147483648 2147483649
for type in UINT UID_T GID_T; do
    unsigned $type 4294967295 4294967296
done
for type in LONG SSIZE TIME_T OFF_T INTMAX; do
    signed $type 9223372036854775807 9223372036854775808 9223372036854775809
done
for type in ULONG SIZE UINTMAX; do
    unsigned $type 18446744073709551615 18446744073709551616
done
echo FLT_MIN=1.17549435e-38
echo FLT_MAX=3.40282347e+38
echo DBL_MIN=2.2250738585072014e-308
echo DBL_MAX=1.7976931348623157e+308
echo LDBL_MIN=3.3621031431120935063e-4932
echo LDBL_MAX=1.189731495357231765e+4932
