/* SPDX-License-Identifier: ISC */
/*
 * procfs_vm.c - what lies in a process's address space: maps, cmdline,
 * environ, auxv.  proc(5).
 */
#include "fs/vfs.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/procfs_pid.h"
#include <linux/errno.h>

#define NAME_COLUMN 73

void
proc_print_mapping(struct sbuf *sb, const struct vm_info *info, char *path)
{
	uint64_t dev = 0, ino = 0;
	size_t start = sb->len;

	path[0] = '\0';
	if (info->object != NULL && info->object->ops->describe != NULL)
		info->object->ops->describe(info->object, path, VFS_PATH_MAX,
		    &dev, &ino);
	sbuf_printf(sb, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ",
	    info->start, info->end, (info->flags & VM_READ) != 0 ? 'r' : '-',
	    (info->flags & VM_WRITE) != 0 ? 'w' : '-',
	    (info->flags & VM_EXEC) != 0 ? 'x' : '-',
	    (info->flags & VM_SHARED) != 0 ? 's' : 'p', info->offset,
	    dev_major(dev), dev_minor(dev), ino);
	if (info->name != NULL)
		strlcpy(path, info->name, VFS_PATH_MAX);
	if (path[0] != '\0') {
		while (sb->error == 0 && sb->len - start < NAME_COLUMN)
			sbuf_puts(sb, " ");
		sbuf_puts(sb, path);
	}
	sbuf_puts(sb, "\n");
}

int
proc_show_maps(const struct pseudo_id *id, struct sbuf *sb)
{
	struct vm_info info;
	struct vmspace *vm;
	uaddr_t after = 0;
	char *path;
	int error = proc_vm(id, &vm);

	if (error != 0 || vm == NULL)
		return error;
	path = kmalloc(VFS_PATH_MAX);
	if (path == NULL)
		error = -ENOMEM;
	while (error == 0 && vmspace_info(vm, after, &info)) {
		proc_print_mapping(sb, &info, path);
		if (info.object != NULL)
			vm_object_put(info.object);
		after = info.end;
	}
	kfree(path);
	vmspace_put(vm);
	return error;
}

/* Bytes [from, end) of the address space, as far as they are there. */
static void
print_bytes(struct sbuf *sb, struct vmspace *vm, uaddr_t from, uaddr_t end)
{
	char buf[256];
	size_t n, want;

	while (from < end && sb->error == 0) {
		want = MIN(end - from, sizeof(buf));
		n = vm_peek(vm, from, buf, want);
		sbuf_write(sb, buf, n);
		if (n < want)
			break;
		from += n;
	}
}

/*
 * A program may overwrite its arguments, and go on into its environment
 * (setproctitle): then the text ends at its first NUL.
 */
int
proc_show_pid_cmdline(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct vmspace *vm;
	struct vm_layout *l;
	struct task *t;
	int error = proc_lock(id, &p, &t);
	char last = '\0';

	if (error != 0)
		return error;
	vm = p->vm;
	if (vm != NULL)
		vmspace_get(vm);
	proc_unlock();
	if (vm == NULL)
		return 0;
	l = vmspace_layout(vm);
	if (l->arg_end > l->arg_start)
		vm_peek(vm, l->arg_end - 1, &last, 1);
	print_bytes(sb, vm, l->arg_start,
	    last != '\0' ? l->env_end : l->arg_end);
	if (last != '\0' && sb->len > 0)
		sb->len = strnlen(sb->buf, sb->len);
	vmspace_put(vm);
	return 0;
}

int
proc_show_environ(const struct pseudo_id *id, struct sbuf *sb)
{
	struct vmspace *vm;
	struct vm_layout *l;
	int error = proc_vm(id, &vm);

	if (error != 0 || vm == NULL)
		return error;
	l = vmspace_layout(vm);
	print_bytes(sb, vm, l->env_start, l->env_end);
	vmspace_put(vm);
	return 0;
}

int
proc_show_auxv(const struct pseudo_id *id, struct sbuf *sb)
{
	struct vmspace *vm;
	struct vm_layout *l;
	unsigned n = 0;
	int error = proc_vm(id, &vm);

	if (error != 0 || vm == NULL)
		return error;
	l = vmspace_layout(vm);
	while (n + 2 < ARRAY_SIZE(l->auxv) && l->auxv[n] != 0)
		n += 2;
	sbuf_write(sb, l->auxv, (n + 2) * sizeof(l->auxv[0]));
	vmspace_put(vm);
	return 0;
}
