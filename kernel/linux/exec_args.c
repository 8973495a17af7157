/* SPDX-License-Identifier: ISC */
/*
 * exec_args.c - arguments and environment on their way to a new program.
 *
 * They are one stream of NUL-terminated strings, kept in chunks of a page, so
 * that two megabytes of arguments need no large piece of memory.
 */
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/exec.h"
#include "linux/process.h"
#include <linux/errno.h>

struct exec_chunk {
	struct exec_chunk *next;
	uint32_t used;
	char bytes[];
};
#define CHUNK_SIZE (PAGE_SIZE - sizeof(struct exec_chunk))

/* The last chunk with room in it; NULL: out of memory. */
static struct exec_chunk *
chunk_with_room(struct exec_args *a)
{
	struct exec_chunk *c = a->last;

	if (c != NULL && c->used < CHUNK_SIZE)
		return c;
	c = kmalloc(PAGE_SIZE);
	if (c == NULL)
		return NULL;
	c->next = NULL;
	c->used = 0;
	if (a->last == NULL)
		a->first = c;
	else
		a->last->next = c;
	a->last = c;
	return c;
}

static int
add_bytes(struct exec_args *a, const char *s, size_t len)
{
	struct exec_chunk *c;
	size_t n;

	for (; len > 0; s += n, len -= n) {
		c = chunk_with_room(a);
		if (c == NULL)
			return -ENOMEM;
		n = MIN(len, CHUNK_SIZE - c->used);
		memcpy(c->bytes + c->used, s, n);
		c->used += n;
		a->bytes += n;
	}
	return 0;
}

static int
add_kernel_string(struct exec_args *a, const char *s)
{
	size_t len = strlen(s) + 1;

	if (len > EXEC_STRING_MAX || a->bytes + len > a->limit)
		return -E2BIG;
	return add_bytes(a, s, len);
}

static int
add_user_string(struct exec_args *a, uaddr_t s)
{
	uint64_t total = 0;
	struct exec_chunk *c;
	size_t room;
	long len;

	for (;;) {
		c = chunk_with_room(a);
		if (c == NULL)
			return -ENOMEM;
		room = CHUNK_SIZE - c->used;
		len = copyinstr(c->bytes + c->used, s, room);
		if (len < 0 && len != -ENAMETOOLONG)
			return len;
		room = len < 0 ? room : (size_t)len + 1;
		c->used += room;
		a->bytes += room;
		total += room;
		s += room;
		if (total > EXEC_STRING_MAX || a->bytes > a->limit)
			return -E2BIG;
		if (len >= 0)
			return 0;
	}
}

/* Linux's bprm_stack_limits(): what the strings may take. */
static int
set_limit(struct exec_args *a, uint64_t argc, uint64_t envc)
{
	uint64_t stack = process_self()->rlimits[RLIMIT_STACK].rlim_cur;
	uint64_t limit = MIN(6ul << 20, stack / 4);
	uint64_t pointers = (MAX(argc, 1ul) + envc) * sizeof(uint64_t);

	limit = MAX(limit, EXEC_ARGS_MIN);
	if (limit <= pointers)
		return -E2BIG;
	a->limit = limit - pointers;
	return 0;
}

int
exec_args_from_kernel(struct exec_args *a, const char *const argv[],
    const char *const envp[])
{
	uint32_t i, argc = 0, envc = 0;
	int error;

	memset(a, 0, sizeof(*a));
	while (argv != NULL && argv[argc] != NULL)
		argc++;
	while (envp != NULL && envp[envc] != NULL)
		envc++;
	error = set_limit(a, argc, envc);
	for (i = 0; i < argc && error == 0; i++)
		error = add_kernel_string(a, argv[i]);
	if (argc == 0 && error == 0) /* programs rely on argv[0] */
		error = add_kernel_string(a, "");
	a->argv_bytes = a->bytes;
	for (i = 0; i < envc && error == 0; i++)
		error = add_kernel_string(a, envp[i]);
	a->argc = MAX(argc, 1u);
	a->envc = envc;
	return error;
}

/* How many pointers stand at `list` before NULL; -errno. */
static long
count_pointers(uaddr_t list)
{
	uint64_t some[16];
	size_t left;
	long n = 0;
	unsigned i, got;

	if (list == 0)
		return 0;
	for (;;) {
		left = copyin_partial(some, list + n * 8, sizeof(some));
		got = (sizeof(some) - left) / 8;
		for (i = 0; i < got; i++)
			if (some[i] == 0)
				return n + i;
		if (got < ARRAY_SIZE(some))
			return -EFAULT;
		n += got;
		if (n > (6l << 20) / 8)
			return -E2BIG;
	}
}

static int
add_user_list(struct exec_args *a, uaddr_t list, long n)
{
	uint64_t s;
	long i;
	int error;

	for (i = 0; i < n; i++) {
		if (copyin(&s, list + i * 8, sizeof(s)) != 0 || s == 0)
			return -EFAULT;
		error = add_user_string(a, s);
		if (error != 0)
			return error;
	}
	return 0;
}

int
exec_args_from_user(struct exec_args *a, uaddr_t argv, uaddr_t envp)
{
	long argc, envc;
	int error;

	memset(a, 0, sizeof(*a));
	argc = count_pointers(argv);
	if (argc < 0)
		return argc;
	envc = count_pointers(envp);
	if (envc < 0)
		return envc;
	error = set_limit(a, argc, envc);
	if (error == 0)
		error = add_user_list(a, argv, argc);
	if (error == 0 && argc == 0)
		error = add_kernel_string(a, "");
	a->argv_bytes = a->bytes;
	if (error == 0)
		error = add_user_list(a, envp, envc);
	a->argc = MAX(argc, 1l);
	a->envc = envc;
	return error;
}

void
exec_args_free(struct exec_args *a)
{
	struct exec_chunk *c, *next;
	unsigned i;

	for (c = a->first; c != NULL; c = next) {
		next = c->next;
		kfree(c);
	}
	for (i = 0; i < a->nprefix; i++)
		kfree(a->prefix[i]);
	a->first = a->last = NULL;
	a->nprefix = 0;
}

int
exec_args_rewrite(struct exec_args *a, const char *interpreter,
    const char *argument, const char *script)
{
	const char *add[3] = { interpreter, argument, script };
	char *copy[3];
	unsigned i, n = 0, keep;

	/* What stood first, argv[0] or the former interpreter, goes. */
	keep = a->nprefix > 0 ? a->nprefix - 1 : 0;
	if (keep + 3 > EXEC_PREFIX_MAX)
		return -ELOOP;
	for (i = 0; i < 3; i++) {
		if (add[i] == NULL)
			continue;
		copy[n] = kstrdup(add[i]);
		if (copy[n] == NULL) {
			while (n > 0)
				kfree(copy[--n]);
			return -ENOMEM;
		}
		n++;
	}
	if (a->nprefix > 0)
		kfree(a->prefix[0]);
	a->drop_first = true;
	memmove(a->prefix + n, a->prefix + 1, keep * sizeof(a->prefix[0]));
	memcpy(a->prefix, copy, n * sizeof(copy[0]));
	a->nprefix = keep + n;
	return 0;
}

/* Bytes of the stream's first string, with its NUL. */
static uint64_t
first_size(const struct exec_args *a)
{
	const struct exec_chunk *c;
	const char *nul;
	uint64_t size = 0;

	for (c = a->first; c != NULL; c = c->next) {
		nul = memchr(c->bytes, 0, c->used);
		if (nul != NULL)
			return size + (nul - c->bytes) + 1;
		size += c->used;
	}
	panic("exec: a string without end");
}

static uint64_t
prefix_size(const struct exec_args *a)
{
	uint64_t size = 0;
	unsigned i;

	for (i = 0; i < a->nprefix; i++)
		size += strlen(a->prefix[i]) + 1;
	return size;
}

static uint64_t
dropped(const struct exec_args *a)
{
	return a->drop_first ? first_size(a) : 0;
}

uint64_t
exec_args_size(const struct exec_args *a)
{
	return prefix_size(a) + a->bytes - dropped(a);
}

uint64_t
exec_args_argv_size(const struct exec_args *a)
{
	return prefix_size(a) + a->argv_bytes - dropped(a);
}

uint32_t
exec_args_argc(const struct exec_args *a)
{
	return a->nprefix + a->argc - (a->drop_first ? 1 : 0);
}

/* Writes to the new program: strings on one side, pointers on the other. */
struct emitter {
	struct vmspace *vm;
	uaddr_t string, pointer; /* where the next ones go */
	uint32_t before_null;    /* strings until argv's NULL */
	bool begun;              /* inside a string */
	unsigned n;              /* pointers not yet written */
	uint64_t pending[64];
};

static int
flush_pointers(struct emitter *e)
{
	size_t size = e->n * sizeof(e->pending[0]);

	if (vm_poke(e->vm, e->pointer, e->pending, size) != size)
		return -ENOMEM;
	e->pointer += size;
	e->n = 0;
	return 0;
}

static int
emit_pointer(struct emitter *e, uint64_t value)
{
	e->pending[e->n++] = value;
	return e->n < ARRAY_SIZE(e->pending) ? 0 : flush_pointers(e);
}

/* Bytes of the stream, which may begin and end inside a string. */
static int
emit_bytes(struct emitter *e, const char *s, size_t len)
{
	const char *at = s, *end = s + len, *nul;
	int error = 0;

	if (vm_poke(e->vm, e->string, s, len) != len)
		return -ENOMEM;
	while (at < end && error == 0) {
		if (!e->begun)
			error = emit_pointer(e, e->string + (at - s));
		nul = memchr(at, 0, end - at);
		e->begun = nul == NULL;
		at = nul == NULL ? end : nul + 1;
		if (nul != NULL && --e->before_null == 0 && error == 0)
			error = emit_pointer(e, 0);
	}
	e->string += len;
	return error;
}

int
exec_args_emit(const struct exec_args *a, struct vmspace *vm, uaddr_t strings,
    uaddr_t pointers)
{
	struct emitter e = { .vm = vm, .string = strings };
	const struct exec_chunk *c;
	uint64_t skip = dropped(a), n;
	unsigned i;
	int error = 0;

	e.pointer = pointers;
	e.before_null = exec_args_argc(a);
	e.n = 0;
	for (i = 0; i < a->nprefix && error == 0; i++)
		error = emit_bytes(&e, a->prefix[i], strlen(a->prefix[i]) + 1);
	for (c = a->first; c != NULL && error == 0; c = c->next) {
		n = MIN(skip, c->used);
		skip -= n;
		if (c->used > n)
			error = emit_bytes(&e, c->bytes + n, c->used - n);
	}
	if (error == 0)
		error = emit_pointer(&e, 0);
	if (error == 0 && e.n > 0)
		error = flush_pointers(&e);
	return error;
}
