/* SPDX-License-Identifier: ISC */
/*
 * uaccess_copy.S - the only instructions that touch a program's memory.  Each
 * has an entry in the exception table: a fault that cannot be resolved goes
 * on at the entry's second address.
 */
#define PATCH(kind)			\
771:	.byte 0x0f, 0x1f, 0x00;		\
	.pushsection .patches, "a";	\
	.quad 771b;			\
	.quad kind;			\
	.popsection
#define CLAC PATCH(0)
#define STAC PATCH(1)

#define FAULT(at, go)			\
	.pushsection .extable, "a";	\
	.quad at, go;			\
	.popsection

/* What 1 could not do is -1. */
#define FAILS				\
2:	CLAC;				\
	movl $-1, %eax;			\
	ret;				\
	FAULT(1b, 2b)

#define XSTATE(op)			\
	movq %rsi, %rax;		\
	movq %rsi, %rdx;		\
	shrq $32, %rdx;			\
	STAC;				\
1:	op (%rdi);			\
	CLAC;				\
	xorl %eax, %eax;		\
	ret;				\
	FAILS

	.text
/* size_t user_copy(void *dst, const void *src, size_t n): bytes left over */
	.globl user_copy
user_copy:
	STAC
	movq %rdx, %rcx
	andl $7, %edx
	shrq $3, %rcx
1:	rep movsq
	movl %edx, %ecx
2:	rep movsb
	movq %rcx, %rax
	CLAC
	ret
3:	leaq (%rdx,%rcx,8), %rcx	/* byte by byte up to the fault */
4:	rep movsb
5:	movq %rcx, %rax
	CLAC
	ret
	FAULT(1b, 3b)
	FAULT(2b, 5b)
	FAULT(4b, 5b)

/* size_t user_clear(void *dst, size_t n): bytes left over */
	.globl user_clear
user_clear:
	STAC
	xorl %eax, %eax
	movq %rsi, %rcx
	andl $7, %esi
	shrq $3, %rcx
1:	rep stosq
	movl %esi, %ecx
2:	rep stosb
	movq %rcx, %rax
	CLAC
	ret
3:	leaq (%rsi,%rcx,8), %rcx
4:	rep stosb
5:	movq %rcx, %rax
	CLAC
	ret
	FAULT(1b, 3b)
	FAULT(2b, 5b)
	FAULT(4b, 5b)

/*
 * long user_strcpy(char *dst, const char *src, size_t n): length, n if there
 * is no NUL in n bytes, -1 on a fault
 */
	.globl user_strcpy
user_strcpy:
	STAC
	xorl %eax, %eax
1:	cmpq %rdx, %rax
	je 3f
2:	movb (%rsi,%rax), %cl
	movb %cl, (%rdi,%rax)
	testb %cl, %cl
	jz 3f
	incq %rax
	jmp 1b
3:	CLAC
	ret
4:	movq $-1, %rax
	CLAC
	ret
	FAULT(2b, 4b)

/* int user_get32(uint32_t *value, const void *src): 0, or -1 on a fault */
	.globl user_get32
user_get32:
	STAC
	xorl %eax, %eax
1:	movl (%rsi), %ecx
	CLAC
	movl %ecx, (%rdi)
	ret
	FAILS

/*
 * int user_cas32(void *dst, uint32_t old, uint32_t new, uint32_t *seen):
 * 0, or -1 on a fault
 */
	.globl user_cas32
user_cas32:
	STAC
	movl %esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
	CLAC
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret
	FAILS

/*
 * int user_xsave(void *to, uint64_t what), user_xrstor(const void *from, ...):
 * 0, or -1 on a fault or on what the processor refuses to load
 */
	.globl user_xsave
user_xsave:
	XSTATE(xsave64)

	.globl user_xrstor
user_xrstor:
	XSTATE(xrstor64)

	.section .note.GNU-stack, "", @progbits
