# SPDX-License-Identifier: ISC
# ksyms.awk - from `nm -n`: the kernel's function names as an assembler table.
#
# Three runs: sizes of the functions, names, and the words that names are made
# of.  A name is cut behind each '_'; a word that saves the most when it is
# written once stands as one byte, 0x80 and up.  See kernel/kern/ksyms.c.

BEGIN {
	WORDS = 126
}

$2 ~ /^[tT]$/ && $3 !~ /^\./ {
	n++
	addr[n] = $1
	addr[n + 1] = $1
	sub(/\.(constprop|isra|part)\..*/, "", $3)
	name[n] = $3
	parts = cut($3, part)
	for (i = 1; i <= parts; i++)
		seen[part[i]]++
}

# Cuts a name behind each '_'.
function cut(s, part,   k, at) {
	k = 0
	while ((at = index(s, "_")) > 0) {
		part[++k] = substr(s, 1, at)
		s = substr(s, at + 1)
	}
	if (s != "")
		part[++k] = s
	return k
}

# The bytes that each word saves, the best first: an insertion into `best`.
function choose(   w, gain, i, k) {
	k = 0
	for (w in seen) {
		gain = (seen[w] - 1) * (length(w) - 1) - 2
		if (gain <= 0 || k == WORDS && gain <= worth[best[k]])
			continue
		worth[w] = gain
		for (i = k < WORDS ? ++k : k; i > 1 && \
		    (worth[best[i - 1]] < gain || \
		    worth[best[i - 1]] == gain && best[i - 1] > w); i--)
			best[i] = best[i - 1]
		best[i] = w
	}
	for (i = 1; i <= k; i++)
		code[best[i]] = sprintf("\\%03o", 127 + i)
	return k
}

END {
	nwords = choose()
	print ".section .ksyms, \"a\""
	print ".balign 8"
	print ".globl ksyms_first, ksyms_count, ksyms_size, ksyms_text"
	print ".globl ksyms_words"
	print "ksyms_first: .quad 0x" addr[1]
	print "ksyms_count: .long " n
	print "ksyms_size:"
	for (i = 1; i <= n; i++)
		print "\t.short 0x" addr[i + 1] " - 0x" addr[i]
	print "ksyms_text:"
	for (i = 1; i <= n; i++) {
		parts = cut(name[i], part)
		s = ""
		for (j = 1; j <= parts; j++)
			s = s (part[j] in code ? code[part[j]] : part[j])
		print "\t.asciz \"" s "\""
	}
	print "ksyms_words:"
	for (i = 1; i <= nwords; i++)
		print "\t.asciz \"" best[i] "\""
	print ".section .note.GNU-stack, \"\", @progbits"
}
