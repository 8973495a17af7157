/* SPDX-License-Identifier: ISC */
/*
 * core_file.c - the contents of a core: an ELF file of notes (registers of
 * each task, who it was, what files were mapped) and of the memory that a
 * debugger cannot find elsewhere.  core(5), elf(5); the layouts are those of
 * <sys/procfs.h>.
 */
#include "fs/file.h"
#include "fs/uio.h"
#include "fs/vfs.h"
#include "kern/kmem.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/vm.h"
#include "linux/core.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "x86/cpu.h"
#include "x86/trapframe.h"
#include <linux/elf.h>
#include <linux/errno.h>

#define SEGMENTS_MAX 65000u /* e_phnum has 16 bits */
#define FXSAVE_SIZE  512
#define XSTATE_SW    464 /* Linux tells XCR0 there */
#define BATCH        64  /* pages looked at together */

struct core_prstatus { /* elf_prstatus */
	int32_t signo, code, error;
	int16_t cursig;
	uint64_t sigpend, sighold;
	int32_t pid, ppid, pgrp, sid;
	uint64_t utime[2], stime[2], cutime[2], cstime[2];
	uint64_t regs[27]; /* user_regs_struct */
	int32_t fpvalid;
};
_Static_assert(sizeof(struct core_prstatus) == 336, "<sys/procfs.h>");

struct core_prpsinfo { /* elf_prpsinfo */
	char state, sname, zomb, nice;
	uint64_t flag;
	uint32_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char fname[16], args[80];
};
_Static_assert(sizeof(struct core_prpsinfo) == 136, "<sys/procfs.h>");

struct segment {
	uaddr_t start, end;
	uint64_t bytes; /* of them in the file */
	unsigned flags; /* VM_* */
	bool holes;     /* what is not in memory is zeros */
};

struct writer {
	struct file *file;
	uint64_t limit;
	struct vmspace *vm;
	struct sbuf notes, segments, names; /* names: of NT_FILE */
	struct sbuf files;                  /* its numbers */
	unsigned nsegments, nfiles;
	char *path;
	uint8_t *page;
};

/* ------------------------------------------------------------- notes -- */

static void
add_note(struct sbuf *sb, const char *name, unsigned type, const void *data,
    size_t len)
{
	static const char zeros[4];
	Elf64_Nhdr h = { (Elf64_Word)strlen(name) + 1, (Elf64_Word)len, type };

	sbuf_write(sb, &h, sizeof(h));
	sbuf_write(sb, name, h.n_namesz);
	sbuf_write(sb, zeros, -h.n_namesz & 3);
	sbuf_write(sb, data, len);
	sbuf_write(sb, zeros, -len & 3);
}

static void
add_status(struct sbuf *sb, struct process *p, const struct core_task *ct,
    const siginfo_t *info)
{
	struct core_prstatus s;
	struct signal_sets sets;

	memset(&s, 0, sizeof(s));
	signal_sets(p, ct->task, &sets);
	s.signo = s.cursig = (int16_t)info->si_signo;
	s.code = info->si_code;
	s.error = info->si_errno;
	s.sigpend = sets.pending;
	s.sighold = sets.blocked;
	s.pid = ct->task->tid;
	s.ppid = p->parent != NULL ? p->parent->pid : 0;
	s.pgrp = p->pgid;
	s.sid = p->sid;
	memcpy(s.regs, &tf_of(ct->task->thread)->r15, 21 * sizeof(uint64_t));
	s.regs[21] = ct->fsbase;
	s.regs[22] = ct->gsbase;
	s.fpvalid = 1;
	add_note(sb, "CORE", NT_PRSTATUS, &s, sizeof(s));
}

static void
add_fpu(struct sbuf *sb, const struct core_task *ct, uint8_t *page)
{
	size_t size = MIN(cpu_features()->fpu_size, (uint32_t)PAGE_SIZE);

	memcpy(page, ct->task->thread->fpu, size);
	add_note(sb, "CORE", NT_PRFPREG, page, FXSAVE_SIZE);
	if (!cpu_features()->xsave)
		return;
	memcpy(page + XSTATE_SW, &cpu_features()->xcr0, 8);
	add_note(sb, "LINUX", NT_X86_XSTATE, page, size);
}

static void
add_who(struct sbuf *sb, struct process *p, const struct vm_layout *l,
    struct vmspace *vm)
{
	struct core_prpsinfo w;
	size_t i, n;

	memset(&w, 0, sizeof(w));
	w.sname = 'R';
	w.nice = (char)task_self()->thread->nice;
	w.uid = creds_self()->uid;
	w.gid = creds_self()->gid;
	w.pid = p->pid;
	w.ppid = p->parent != NULL ? p->parent->pid : 0;
	w.pgrp = p->pgid;
	w.sid = p->sid;
	strlcpy(w.fname, p->comm, sizeof(w.fname));
	n = MIN(l->arg_end - l->arg_start, sizeof(w.args) - 1);
	n = vm_peek(vm, l->arg_start, w.args, n);
	for (i = 0; i + 1 < n; i++)
		if (w.args[i] == '\0')
			w.args[i] = ' ';
	add_note(sb, "CORE", NT_PRPSINFO, &w, sizeof(w));
}

static void
add_files(struct writer *w)
{
	uint64_t head[2] = { w->nfiles, PAGE_SIZE };
	struct sbuf all;

	sbuf_init(&all);
	sbuf_write(&all, head, sizeof(head));
	sbuf_write(&all, w->files.buf, w->files.len);
	sbuf_write(&all, w->names.buf, w->names.len);
	if (all.error == 0)
		add_note(&w->notes, "CORE", NT_FILE, all.buf, all.len);
	else
		w->notes.error = all.error;
	sbuf_fini(&all);
}

static void
add_notes(struct writer *w, struct process *p, struct core *core)
{
	const struct vm_layout *l = vmspace_layout(w->vm);
	struct core_task *ct;
	siginfo_t info = *core->info;
	bool first = true;
	size_t n = 0;

	while (n + 2 < ARRAY_SIZE(l->auxv) && l->auxv[n] != 0)
		n += 2;
	TAILQ_FOREACH (ct, &core->tasks, link) {
		add_status(&w->notes, p, ct, &info);
		if (first) {
			add_who(&w->notes, p, l, w->vm);
			add_note(&w->notes, "CORE", NT_SIGINFO, &info,
			    sizeof(info));
			add_note(&w->notes, "CORE", NT_AUXV, l->auxv,
			    (n + 2) * sizeof(l->auxv[0]));
			add_files(w);
		}
		first = false;
		add_fpu(&w->notes, ct, w->page);
	}
}

/* ------------------------------------------------------------ memory -- */

static bool
is_elf(struct writer *w, uaddr_t at)
{
	return vm_peek(w->vm, at, w->page, SELFMAG) == SELFMAG &&
	    memcmp(w->page, ELFMAG, SELFMAG) == 0;
}

/*
 * How much of a mapping goes into the file, Linux' coredump_filter 0x33: what
 * was written, shared memory without a name, and of programs and libraries
 * that were not changed the first page, which tells which they were.
 */
static void
choose_bytes(struct writer *w, const struct vm_info *info, struct segment *s)
{
	struct vm_usage usage;
	size_t len = strlen(w->path);

	s->bytes = 0;
	s->holes = info->object == NULL;
	if ((info->flags & VM_DONTDUMP) != 0)
		return;
	if ((info->flags & VM_FRAMES) != 0) {
		if ((info->flags & VM_EXEC) != 0) /* the vDSO */
			s->bytes = s->end - s->start;
		s->holes = false;
		return;
	}
	memset(&usage, 0, sizeof(usage));
	vm_usage(w->vm, s->start, s->end, &usage);
	if (usage.private_pages != 0)
		s->bytes = s->end - s->start;
	else if ((info->flags & VM_SHARED) != 0 && len > 10 &&
	    strcmp(w->path + len - 10, " (deleted)") == 0)
		s->bytes = s->end - s->start;
	else if (info->object != NULL && info->offset == 0 &&
	    (info->flags & VM_READ) != 0 && is_elf(w, s->start))
		s->bytes = PAGE_SIZE;
}

static void
note_file(struct writer *w, const struct vm_info *info)
{
	uint64_t row[3] = { info->start, info->end, info->offset / PAGE_SIZE };

	if (w->path[0] != '/')
		return;
	sbuf_write(&w->files, row, sizeof(row));
	sbuf_write(&w->names, w->path, strlen(w->path) + 1);
	w->nfiles++;
}

static int
find_segments(struct writer *w)
{
	struct vm_info info;
	struct segment s;
	uaddr_t after = 0;
	uint64_t dev, ino;

	while (vmspace_info(w->vm, after, &info)) {
		w->path[0] = '\0';
		if (info.object != NULL && info.object->ops->describe != NULL)
			info.object->ops->describe(info.object, w->path,
			    VFS_PATH_MAX, &dev, &ino);
		memset(&s, 0, sizeof(s));
		s.start = info.start;
		s.end = info.end;
		s.flags = info.flags;
		choose_bytes(w, &info, &s);
		note_file(w, &info);
		if (info.object != NULL)
			vm_object_put(info.object);
		sbuf_write(&w->segments, &s, sizeof(s));
		if (++w->nsegments > SEGMENTS_MAX)
			return -E2BIG;
		after = info.end;
	}
	return 0;
}

/* ---------------------------------------------------------- the file -- */

/* -EFBIG: the limit is reached. */
static int
put_at(struct writer *w, uint64_t at, const void *bytes, size_t len)
{
	int64_t pos = (int64_t)at;
	struct uio_vec vec;
	struct uio u;
	long n;

	while (len > 0) {
		if (at >= w->limit)
			return -EFBIG;
		uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)bytes,
		    MIN(len, w->limit - at));
		n = file_write(w->file, &u, &pos);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		bytes = (const char *)bytes + n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int
put_pages(struct writer *w, const struct segment *s, uint64_t at)
{
	uint64_t map[BATCH], i, n, left = s->bytes / PAGE_SIZE;
	uaddr_t va = s->start;
	int error = 0;

	for (; left > 0 && error == 0; left -= n) {
		if (process_self()->signals->killed)
			return -EINTR;
		n = MIN(left, (uint64_t)BATCH);
		vm_pagemap(w->vm, va, (unsigned)n, map);
		for (i = 0; i < n && error == 0; i++) {
			if ((!s->holes || map[i] != 0) &&
			    vm_peek(w->vm, va, w->page, PAGE_SIZE) == PAGE_SIZE)
				error = put_at(w, at, w->page, PAGE_SIZE);
			va += PAGE_SIZE;
			at += PAGE_SIZE;
		}
	}
	return error;
}

static void
fill_header(const struct writer *w, Elf64_Ehdr *eh)
{
	memset(eh, 0, sizeof(*eh));
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_CORE;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_phoff = sizeof(*eh);
	eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(Elf64_Phdr);
	eh->e_phnum = (Elf64_Half)(w->nsegments + 1);
}

static unsigned
elf_flags(unsigned flags)
{
	return ((flags & VM_READ) != 0 ? PF_R : 0) |
	    ((flags & VM_WRITE) != 0 ? PF_W : 0) |
	    ((flags & VM_EXEC) != 0 ? PF_X : 0);
}

/* Header, program headers, notes; *data is where memory begins. */
static int
put_headers(struct writer *w, uint64_t *data)
{
	const struct segment *s = (const void *)w->segments.buf;
	uint64_t at = sizeof(Elf64_Ehdr), notes;
	Elf64_Phdr ph = { .p_type = PT_NOTE, .p_align = 4 };
	Elf64_Ehdr eh;
	unsigned i;
	int error;

	fill_header(w, &eh);
	error = put_at(w, 0, &eh, sizeof(eh));
	notes = at + (w->nsegments + 1) * sizeof(ph);
	ph.p_offset = notes;
	ph.p_filesz = w->notes.len;
	if (error == 0)
		error = put_at(w, at, &ph, sizeof(ph));
	*data = ROUND_UP(notes + w->notes.len, PAGE_SIZE);
	ph.p_offset = *data;
	for (i = 0; i < w->nsegments && error == 0; i++, s++) {
		at += sizeof(ph);
		ph.p_type = PT_LOAD;
		ph.p_flags = elf_flags(s->flags);
		ph.p_vaddr = s->start;
		ph.p_filesz = s->bytes;
		ph.p_memsz = s->end - s->start;
		ph.p_align = PAGE_SIZE;
		error = put_at(w, at, &ph, sizeof(ph));
		ph.p_offset += s->bytes;
	}
	return error == 0 ? put_at(w, notes, w->notes.buf, w->notes.len) :
			    error;
}

/* Ends with a byte, so that a hole at the end is in the file. */
static int
put_memory(struct writer *w, uint64_t at)
{
	const struct segment *s = (const void *)w->segments.buf;
	uint64_t end = at;
	unsigned i;
	int error = 0;

	for (i = 0; i < w->nsegments; i++)
		end += s[i].bytes;
	if (end > at && end <= w->limit)
		error = put_at(w, end - 1, "", 1);
	for (i = 0; i < w->nsegments && error == 0; i++, s++) {
		error = put_pages(w, s, at);
		at += s->bytes;
	}
	return error;
}

static int
write_all(struct writer *w, struct process *p, struct core *core)
{
	uint64_t data;
	int error = find_segments(w);

	if (error != 0)
		return error;
	add_notes(w, p, core);
	if (w->notes.error != 0 || w->segments.error != 0)
		return -ENOMEM;
	error = put_headers(w, &data);
	return error == 0 ? put_memory(w, data) : error;
}

int
core_write(struct file *file, struct process *p, struct core *core,
    uint64_t limit)
{
	struct writer w = { .file = file, .limit = limit, .vm = p->vm };
	int error = -ENOMEM;

	sbuf_init(&w.notes);
	sbuf_init(&w.segments);
	sbuf_init(&w.names);
	sbuf_init(&w.files);
	w.path = kmalloc(VFS_PATH_MAX);
	w.page = kmalloc(PAGE_SIZE);
	if (w.path != NULL && w.page != NULL)
		error = write_all(&w, p, core);
	kfree(w.path);
	kfree(w.page);
	sbuf_fini(&w.notes);
	sbuf_fini(&w.segments);
	sbuf_fini(&w.names);
	sbuf_fini(&w.files);
	return error == -EFBIG ? 0 : error; /* what there is, is there */
}
