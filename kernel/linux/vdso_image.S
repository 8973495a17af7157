/* SPDX-License-Identifier: ISC */
/* vdso_image.S - the vDSO's bytes, on pages of their own. */
	.section .rodata.vdso, "a"
	.balign 4096
	.globl vdso_image, vdso_image_end
vdso_image:
	.incbin VDSO_SO
	.balign 4096
vdso_image_end:

	.section .note.GNU-stack, "", @progbits
