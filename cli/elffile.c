/* SPDX-License-Identifier: ISC */
/* elffile.c - reading ELF64 files.  System V ABI, 4 and 5, and x86-64's. */
#include "cli/elffile.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ELF_PHDRS_MAX   (65536 / sizeof(Elf64_Phdr)) /* Linux's limit too */
#define ELF_DYNAMIC_MAX 65536                        /* entries */
#define ELF_NOTES_MAX   65536                        /* bytes a segment */

static int elf_error(struct elf_file *elf, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
elf_error(struct elf_file *elf, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(elf->why, sizeof(elf->why), format, ap);
	va_end(ap);
	return error;
}

/* Reads exactly `size` bytes at `offset`; the caller checked the range. */
static int
elf_pread(struct elf_file *elf, void *buf, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(elf->fd, (char *)buf + done, size - done,
		    (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return elf_error(elf, -errno, "cannot be read: %s",
			    strerror(errno));
		if (n == 0)
			return elf_error(elf, -EBADMSG,
			    "became shorter while it was being read");
		done += (size_t)n;
	}
	return 0;
}

static bool
elf_in_file(const struct elf_file *elf, uint64_t offset, uint64_t size)
{
	return offset <= elf->size && size <= elf->size - offset;
}

static const char *
elf_machine_name(unsigned machine)
{
	switch (machine) {
	case EM_386: return "i386";
	case EM_ARM: return "ARM";
	case EM_AARCH64: return "AArch64";
	case EM_RISCV: return "RISC-V";
	case EM_PPC64: return "PowerPC64";
	case EM_S390: return "S/390";
	case EM_MIPS: return "MIPS";
	default: return "an unknown one";
	}
}

static int
elf_check_ident(struct elf_file *elf)
{
	const Elf64_Ehdr *eh = &elf->ehdr;

	if (eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return elf_error(elf, -ENOEXEC,
		    "is for another processor: it is not little-endian");
	if (eh->e_machine != EM_X86_64 && eh->e_machine != EM_386)
		return elf_error(elf, -ENOEXEC,
		    "is for another processor: %s (ELF machine %u)",
		    elf_machine_name(eh->e_machine), eh->e_machine);
	if (eh->e_ident[EI_CLASS] != ELFCLASS64)
		return elf_error(elf, -ENOEXEC,
		    "is a 32-bit program; only 64-bit ones can be run");
	if (eh->e_machine != EM_X86_64)
		return elf_error(elf, -ENOEXEC,
		    "is for another processor: i386 (ELF machine 3)");
	if (eh->e_ident[EI_VERSION] != EV_CURRENT ||
	    eh->e_version != EV_CURRENT)
		return elf_error(elf, -ENOEXEC, "has unknown ELF version %u",
		    eh->e_version);
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return elf_error(elf, -ENOEXEC, "is %s, not a program",
		    eh->e_type == ET_REL      ? "an object file" :
			eh->e_type == ET_CORE ? "a core file" :
						"an ELF file of unknown type");
	return 0;
}

static int
elf_read_ehdr(struct elf_file *elf)
{
	size_t part = elf->size < sizeof(elf->ehdr) ? (size_t)elf->size :
						      sizeof(elf->ehdr);
	int error;

	if (elf->size == 0)
		return elf_error(elf, -ENOEXEC, "is empty");
	error = elf_pread(elf, &elf->ehdr, part, 0);
	if (error != 0)
		return error;
	if (part < SELFMAG || memcmp(elf->ehdr.e_ident, ELFMAG, SELFMAG) != 0)
		return elf_error(elf, -ENOEXEC, "is not an ELF file");
	/* A whole 32-bit header is shorter than a 64-bit one. */
	if (part < sizeof(Elf32_Ehdr) ||
	    (part < sizeof(elf->ehdr) &&
		elf->ehdr.e_ident[EI_CLASS] == ELFCLASS64))
		return elf_error(elf, -EBADMSG,
		    "is truncated: its ELF header ends after %zu bytes", part);
	return elf_check_ident(elf);
}

static int
elf_check_load(struct elf_file *elf, unsigned i)
{
	const Elf64_Phdr *ph = &elf->phdr[i];

	if (!elf_in_file(elf, ph->p_offset, ph->p_filesz))
		return elf_error(elf, -EBADMSG,
		    "is truncated: segment %u wants %llu bytes at %llu of "
		    "%llu",
		    i, (unsigned long long)ph->p_filesz,
		    (unsigned long long)ph->p_offset,
		    (unsigned long long)elf->size);
	if (ph->p_filesz > ph->p_memsz)
		return elf_error(elf, -EBADMSG,
		    "is damaged: segment %u is larger in the file than in "
		    "memory",
		    i);
	if (ph->p_vaddr + ph->p_memsz < ph->p_vaddr)
		return elf_error(elf, -EBADMSG,
		    "is damaged: segment %u wraps around", i);
	return 0;
}

static int
elf_read_phdrs(struct elf_file *elf)
{
	const Elf64_Ehdr *eh = &elf->ehdr;
	size_t size = (size_t)eh->e_phnum * sizeof(Elf64_Phdr);
	unsigned nload = 0;
	int error;

	if (eh->e_phnum == 0)
		return elf_error(elf, -EBADMSG,
		    "is damaged: it has no program headers");
	if (eh->e_phentsize != sizeof(Elf64_Phdr) ||
	    eh->e_phnum > ELF_PHDRS_MAX)
		return elf_error(elf, -EBADMSG,
		    "is damaged: %u program headers of %u bytes", eh->e_phnum,
		    eh->e_phentsize);
	if (!elf_in_file(elf, eh->e_phoff, size))
		return elf_error(elf, -EBADMSG,
		    "is truncated: its program headers lie beyond its end");
	elf->phdr = mem_zero(size);
	error = elf_pread(elf, elf->phdr, size, eh->e_phoff);
	for (unsigned i = 0; error == 0 && i < eh->e_phnum; i++) {
		if (elf->phdr[i].p_type != PT_LOAD)
			continue;
		nload++;
		error = elf_check_load(elf, i);
	}
	if (error == 0 && nload == 0)
		return elf_error(elf, -EBADMSG,
		    "is damaged: it has no loadable segment");
	return error;
}

int
elf_read_headers(struct elf_file *elf, int fd)
{
	struct stat st;
	int error;

	memset(elf, 0, sizeof(*elf));
	elf->fd = fd;
	if (fstat(fd, &st) < 0)
		return elf_error(elf, -errno, "cannot be read: %s",
		    strerror(errno));
	if (S_ISDIR(st.st_mode))
		return elf_error(elf, -EISDIR, "is a directory");
	elf->size = (uint64_t)st.st_size;
	error = elf_read_ehdr(elf);
	return error != 0 ? error : elf_read_phdrs(elf);
}

/* A string of the file that must end before `end`. */
static int
elf_read_string(struct elf_file *elf, uint64_t offset, uint64_t end, char **s)
{
	char buf[PATH_MAX];
	size_t size = sizeof(buf);
	int error;

	if (offset >= end)
		return elf_error(elf, -EBADMSG,
		    "is damaged: a name lies outside its string table");
	if (size > end - offset)
		size = (size_t)(end - offset);
	error = elf_pread(elf, buf, size, offset);
	if (error != 0)
		return error;
	if (memchr(buf, '\0', size) == NULL)
		return elf_error(elf, -EBADMSG, "is damaged: endless name");
	free(*s);
	*s = mem_string(buf);
	return 0;
}

static int
elf_read_interp(struct elf_file *elf, const Elf64_Phdr *ph)
{
	int error;

	if (!elf_in_file(elf, ph->p_offset, ph->p_filesz))
		return elf_error(elf, -EBADMSG,
		    "is truncated: the name of its interpreter is missing");
	if (ph->p_filesz < 2 || ph->p_filesz > PATH_MAX)
		return elf_error(elf, -EBADMSG,
		    "is damaged: the name of its interpreter has %llu bytes",
		    (unsigned long long)ph->p_filesz);
	error = elf_read_string(elf, ph->p_offset, ph->p_offset + ph->p_filesz,
	    &elf->interp);
	if (error == 0 && elf->interp[0] == '\0')
		return elf_error(elf, -EBADMSG,
		    "is damaged: the name of its interpreter is empty");
	return error;
}

/* Where the bytes of a virtual address lie in the file. */
static int
elf_offset_of(struct elf_file *elf, uint64_t vaddr, uint64_t size,
    uint64_t *offset)
{
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type != PT_LOAD || vaddr < ph->p_vaddr ||
		    vaddr - ph->p_vaddr > ph->p_filesz ||
		    size > ph->p_filesz - (vaddr - ph->p_vaddr))
			continue;
		*offset = ph->p_offset + (vaddr - ph->p_vaddr);
		return 0;
	}
	return elf_error(elf, -EBADMSG,
	    "is damaged: its string table lies in no segment");
}

static int
elf_read_names(struct elf_file *elf, const Elf64_Dyn *dyn, size_t count,
    uint64_t strtab, uint64_t end)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < count; i++) {
		uint64_t offset = strtab + dyn[i].d_un.d_val;
		char *name = NULL;

		if (dyn[i].d_tag != DT_NEEDED && dyn[i].d_tag != DT_RPATH &&
		    dyn[i].d_tag != DT_RUNPATH)
			continue;
		if (offset < strtab)
			offset = end; /* wrapped: refused below */
		if (dyn[i].d_tag == DT_RPATH)
			error = elf_read_string(elf, offset, end, &elf->rpath);
		else if (dyn[i].d_tag == DT_RUNPATH)
			error = elf_read_string(elf, offset, end,
			    &elf->runpath);
		else
			error = elf_read_string(elf, offset, end, &name);
		if (name != NULL)
			strings_add(&elf->needed, name);
	}
	return error;
}

static int
elf_parse_dynamic(struct elf_file *elf, const Elf64_Dyn *dyn, size_t count)
{
	uint64_t strtab = 0, strsz = 0, offset = 0;
	bool wanted = false;
	size_t n;
	int error;

	for (n = 0; n < count && dyn[n].d_tag != DT_NULL; n++) {
		if (dyn[n].d_tag == DT_STRTAB)
			strtab = dyn[n].d_un.d_ptr;
		else if (dyn[n].d_tag == DT_STRSZ)
			strsz = dyn[n].d_un.d_val;
		else if (dyn[n].d_tag == DT_FLAGS_1)
			elf->nodeflib = dyn[n].d_un.d_val & DF_1_NODEFLIB;
		else if (dyn[n].d_tag == DT_NEEDED ||
		    dyn[n].d_tag == DT_RPATH || dyn[n].d_tag == DT_RUNPATH)
			wanted = true;
	}
	if (!wanted)
		return 0;
	error = elf_offset_of(elf, strtab, strsz, &offset);
	if (error != 0)
		return error;
	return elf_read_names(elf, dyn, n, offset, offset + strsz);
}

static int
elf_read_dynamic(struct elf_file *elf, const Elf64_Phdr *ph)
{
	size_t count = (size_t)(ph->p_filesz / sizeof(Elf64_Dyn));
	Elf64_Dyn *dyn;
	int error;

	if (!elf_in_file(elf, ph->p_offset, ph->p_filesz))
		return elf_error(elf, -EBADMSG,
		    "is truncated: its dynamic section is missing");
	if (count > ELF_DYNAMIC_MAX)
		return elf_error(elf, -EBADMSG,
		    "is damaged: %zu dynamic entries", count);
	if (count == 0)
		return 0;
	dyn = mem_zero(count * sizeof(*dyn));
	error = elf_pread(elf, dyn, count * sizeof(*dyn), ph->p_offset);
	if (error == 0)
		error = elf_parse_dynamic(elf, dyn, count);
	free(dyn);
	return error;
}

int
elf_read(struct elf_file *elf, int fd)
{
	int error = elf_read_headers(elf, fd);
	bool dynamic = false;

	for (unsigned i = 0; error == 0 && i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type == PT_INTERP && elf->interp == NULL) {
			error = elf_read_interp(elf, ph);
		} else if (ph->p_type == PT_DYNAMIC && !dynamic) {
			dynamic = true;
			error = elf_read_dynamic(elf, ph);
		}
	}
	return error;
}

void
elf_fini(struct elf_file *elf)
{
	free(elf->phdr);
	free(elf->interp);
	free(elf->rpath);
	free(elf->runpath);
	strings_fini(&elf->needed);
	elf->phdr = NULL;
	elf->interp = elf->rpath = elf->runpath = NULL;
}

/* One segment of notes: header, name, descriptor, each padded to 4 bytes. */
static bool
elf_walk_notes(const char *buf, size_t size, bool (*fn)(const char *, uint32_t))
{
	size_t at = 0;
	Elf64_Nhdr nh;

	while (size - at >= sizeof(nh)) {
		const char *name = buf + at + sizeof(nh);
		size_t rest;

		memcpy(&nh, buf + at, sizeof(nh));
		at += sizeof(nh);
		rest = size - at;
		if (nh.n_namesz > rest || nh.n_descsz > rest)
			return false;
		if (nh.n_namesz > 0 && name[nh.n_namesz - 1] == '\0' &&
		    fn(name, nh.n_type))
			return true;
		at += (nh.n_namesz + 3) / 4 * 4 + (nh.n_descsz + 3) / 4 * 4;
		if (at > size)
			return false;
	}
	return false;
}

bool
elf_each_note(struct elf_file *elf, bool (*fn)(const char *name, uint32_t type))
{
	bool found = false;

	for (unsigned i = 0; !found && i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];
		char *buf;

		if (ph->p_type != PT_NOTE || ph->p_filesz > ELF_NOTES_MAX ||
		    !elf_in_file(elf, ph->p_offset, ph->p_filesz))
			continue;
		buf = mem_zero((size_t)ph->p_filesz + 1);
		if (elf_pread(elf, buf, (size_t)ph->p_filesz, ph->p_offset) ==
		    0)
			found = elf_walk_notes(buf, (size_t)ph->p_filesz, fn);
		free(buf);
	}
	return found;
}
