# SPDX-License-Identifier: ISC
# ksyms.awk - from `nm -n`: the kernel's function names as an assembler table.
#
# Two runs: sizes of the functions, names.  See kernel/kern/ksyms.c.

$2 ~ /^[tT]$/ && $3 !~ /^\./ {
	n++
	addr[n] = $1
	addr[n + 1] = $1
	name[n] = $3
}

END {
	print ".section .ksyms, \"a\""
	print ".balign 8"
	print ".globl ksyms_count, ksyms_first, ksyms_size, ksyms_text"
	print "ksyms_first: .quad 0x" addr[1]
	print "ksyms_count: .long " n
	print "ksyms_size:"
	for (i = 1; i <= n; i++)
		print "\t.short 0x" addr[i + 1] " - 0x" addr[i]
	print "ksyms_text:"
	for (i = 1; i <= n; i++)
		print "\t.asciz \"" name[i] "\""
	print ".section .note.GNU-stack, \"\", @progbits"
}
