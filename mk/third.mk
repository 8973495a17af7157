# SPDX-License-Identifier: ISC
# third.mk - libraries built from Debian's source packages into the kernel.

KTHIRD	=
