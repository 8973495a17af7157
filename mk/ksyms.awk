# SPDX-License-Identifier: ISC
# ksyms.awk - from `nm -n`: the kernel's function names as an assembler table.
#
# Two runs: addresses (their lower 32 bits), names.  See kernel/kern/ksyms.c.

$2 ~ /^[tT]$/ && $3 !~ /^\./ {
	n++
	addr[n] = $1
	name[n] = $3
}

END {
	print ".section .ksyms, \"a\""
	print ".balign 8"
	print ".globl ksyms_count, ksyms_addr, ksyms_text"
	print "ksyms_count: .long " n
	print "ksyms_addr:"
	for (i = 1; i <= n; i++)
		print "\t.long 0x" substr(addr[i], 9)
	print "ksyms_text:"
	for (i = 1; i <= n; i++)
		print "\t.asciz \"" name[i] "\""
	print ".section .note.GNU-stack, \"\", @progbits"
}
