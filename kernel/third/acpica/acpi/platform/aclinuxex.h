/* SPDX-License-Identifier: ISC */
/* aclinuxex.h - what ACPICA wants at the end of its headers: nothing here. */
