/* SPDX-License-Identifier: ISC */
/*
 * exec.h - execve(2): what its files tell each other, and its calls.
 *
 * A program is built in a new address space, down to the last word of its
 * stack, before anything of the calling process changes.  So every failure
 * leaves the caller as it was.
 */
#ifndef LINUX_EXEC_H
#define LINUX_EXEC_H

#include "kern/types.h"
#include "linux/elf.h"

struct file;
struct path;
struct vmspace;

/* Linux's MAX_ARG_STRLEN and ARG_MAX. */
#define EXEC_STRING_MAX (32 * PAGE_SIZE)
#define EXEC_ARGS_MIN   (32 * PAGE_SIZE)
#define EXEC_HEAD       1024 /* first bytes of a file that are looked at */
#define EXEC_PREFIX_MAX 16

/*
 * Arguments and environment: one stream of strings with their NULs, arguments
 * first, in chunks; and what scripts put before them.
 */
struct exec_chunk;
struct exec_args {
	struct exec_chunk *first, *last;
	uint64_t bytes;      /* of the stream */
	uint64_t argv_bytes; /* of it, the arguments' */
	uint64_t limit;      /* RLIMIT_STACK's share, less the pointers' */
	uint32_t argc, envc; /* strings in the stream */
	bool drop_first;     /* argv[0] was replaced by the prefix */
	unsigned nprefix;
	char *prefix[EXEC_PREFIX_MAX];
};

/* exec_args.c.  -E2BIG, -EFAULT, -ENOMEM; exec_args_free() in any case. */
int exec_args_from_kernel(struct exec_args *a, const char *const argv[],
    const char *const envp[]);
int exec_args_from_user(struct exec_args *a, uaddr_t argv, uaddr_t envp);
void exec_args_free(struct exec_args *a);
/*
 * A script's rewrite: interpreter [argument] script take argv[0]'s place.
 * `argument` may be NULL.  -ENOMEM
 */
int exec_args_rewrite(struct exec_args *a, const char *interpreter,
    const char *argument, const char *script);

/* A program that is being built. */
struct exec_image {
	struct vmspace *vm;
	struct elf_image elf;
	uint64_t bias, interp_bias; /* added to the file's addresses */
	uaddr_t start;              /* first instruction */
	uaddr_t interp_base;        /* AT_BASE */
	uaddr_t sp;                 /* points at argc */
	bool secure;                /* AT_SECURE */
	bool randomize;
	/* Drawn once, as each draw is dear: bits for places, and AT_RANDOM. */
	unsigned __int128 pool;
	uint64_t seed[2];
	uint32_t euid, egid;
	const char *filename; /* AT_EXECFN */
};

/* The next so many bits of the pool; all places together take 113. */
static inline uint64_t
exec_random(struct exec_image *x, unsigned bits)
{
	uint64_t v = (uint64_t)x->pool & ((1ul << bits) - 1);

	x->pool >>= bits;
	return v;
}

/* elf_load.c: maps the program and its interpreter; NULL: has none. */
int exec_load(struct exec_image *x, struct file *program, struct file *interp,
    const struct elf_image *interp_elf);
/* exec_stack.c: where stack and mappings go; before exec_load(). */
void exec_set_layout(struct exec_image *x);
/* Maps the stack and fills it: strings, auxiliary vector, pointers. */
int exec_build_stack(struct exec_image *x, const struct exec_args *a);
/* Copies strings to addr; pointers[] gets where each of them begins. */
int exec_args_emit(const struct exec_args *a, struct vmspace *vm,
    uaddr_t strings, uaddr_t pointers);
/* Bytes and number of arguments as the program will see them. */
uint64_t exec_args_size(const struct exec_args *a);
uint32_t exec_args_argc(const struct exec_args *a);
uint64_t exec_args_argv_size(const struct exec_args *a);

/* vdso.c: maps the vDSO and its data page.  -ENOMEM */
int vdso_map(struct exec_image *x);

/* A script's first line: -ENOEXEC if it names no interpreter. */
int
exec_script_parse(char *head, size_t len, char **interpreter, char **argument);

long sys_execve(uaddr_t path, uaddr_t argv, uaddr_t envp);
long sys_execveat(int fd, uaddr_t path, uaddr_t argv, uaddr_t envp, int flags);

#endif
