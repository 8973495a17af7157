/* SPDX-License-Identifier: ISC */
/*
 * elf_test.c - program headers, good and bad.  Each test breaks one field of a
 * program that is right.
 */
/* unit: kernel/linux/elf.c */
#include "linux/elf.h"
#include "x86/layout.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_SIZE 0x5000

static struct {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[40];
} file;
static struct elf_image img;

/* Text and data as ld lays them out, an interpreter, a stack. */
static int
good(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memcpy(file.eh.e_ident, ELFMAG, SELFMAG);
	file.eh.e_ident[EI_CLASS] = ELFCLASS64;
	file.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	file.eh.e_type = ET_EXEC;
	file.eh.e_machine = EM_X86_64;
	file.eh.e_entry = 0x401000;
	file.eh.e_phoff = sizeof(Elf64_Ehdr);
	file.eh.e_phentsize = sizeof(Elf64_Phdr);
	file.eh.e_phnum = 4;
	file.ph[0] = (Elf64_Phdr){ PT_INTERP, PF_R, 0x300, 0x400300, 0, 0x1c,
		0x1c, 1 };
	file.ph[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x1800,
		0x1800, 0x1000 };
	file.ph[2] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x2e00, 0x402e00, 0,
		0x300, 0x5000, 0x1000 };
	file.ph[3] = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0,
		0x10 };
	return 0;
}

/* Through a copy of exactly the header's bytes, so that ASan sees excess. */
static int
parse(void)
{
	size_t len = sizeof(Elf64_Ehdr) +
	    MIN(file.eh.e_phnum, 40u) * sizeof(Elf64_Phdr);
	void *copy = malloc(len);
	int error;

	memcpy(copy, &file, len);
	error = elf_parse(copy, len, FILE_SIZE, &img);
	free(copy);
	return error;
}

static void
usual(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_false(img.movable);
	assert_int_equal(img.entry, 0x401000);
	assert_int_equal(img.nsegments, 2);
	assert_int_equal(img.segment[0].vaddr, 0x400000);
	assert_true(img.segment[0].exec && img.segment[0].read);
	assert_false(img.segment[0].write);
	assert_int_equal(img.segment[1].vaddr, 0x402e00);
	assert_int_equal(img.segment[1].filesz, 0x300);
	assert_int_equal(img.segment[1].memsz, 0x5000);
	assert_int_equal(img.segment[1].offset, 0x2e00);
	assert_true(img.segment[1].write && !img.segment[1].exec);
	assert_int_equal(img.low, 0x400000);
	assert_int_equal(img.high, 0x408000);
	assert_int_equal(img.align, 0x1000);
	assert_int_equal(img.phdr, 0x400040);
	assert_int_equal(img.phnum, 4);
	assert_int_equal(img.interp_offset, 0x300);
	assert_int_equal(img.interp_size, 0x1c);
	assert_false(img.exec_stack);
}

static void
movable(void **state)
{
	(void)state;
	file.eh.e_type = ET_DYN;
	file.eh.e_entry = 0x1000;
	file.ph[1].p_vaddr = 0;
	file.ph[2].p_vaddr = 0x402e00;
	file.ph[2].p_align = 0x200000;
	assert_int_equal(parse(), 0);
	assert_true(img.movable);
	assert_int_equal(img.low, 0);
	assert_int_equal(img.align, 0x200000);
	assert_int_equal(img.phdr, 0x40);
}

static void
stack_wanted_executable(void **state)
{
	(void)state;
	file.ph[3].p_flags |= PF_X;
	assert_int_equal(parse(), 0);
	assert_true(img.exec_stack);
}

static void
segments_are_sorted(void **state)
{
	Elf64_Phdr first = file.ph[1];

	(void)state;
	file.ph[1] = file.ph[2];
	file.ph[2] = first;
	assert_int_equal(parse(), 0);
	assert_int_equal(img.segment[0].vaddr, 0x400000);
	assert_int_equal(img.segment[1].vaddr, 0x402e00);
	assert_int_equal(img.high, 0x408000);
}

static void
pages_may_be_shared(void **state)
{
	(void)state;
	file.ph[2].p_vaddr = 0x401800;
	file.ph[2].p_offset = 0x1800;
	assert_int_equal(parse(), 0);
}

static void
headers_not_loaded(void **state)
{
	(void)state;
	file.ph[1].p_offset = 0x1000;
	assert_int_equal(parse(), 0);
	assert_int_equal(img.phdr, 0);
}

static void
empty_load_is_skipped(void **state)
{
	(void)state;
	file.ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = ~0ull };
	assert_int_equal(parse(), 0);
	assert_int_equal(img.nsegments, 2);
	file.ph[0].p_filesz = 1;
	assert_int_equal(parse(), -EINVAL);
}

static void
not_a_program(void **state)
{
	size_t i;

	for (i = 0; i < 6; i++) {
		good(state);
		file.eh.e_ident[i] ^= 3;
		assert_int_equal(parse(), -ENOEXEC);
	}
	good(state);
	file.eh.e_machine = EM_AARCH64;
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.eh.e_ident[EI_CLASS] = ELFCLASS32;
	file.eh.e_machine = EM_386;
	assert_int_equal(parse(), -ENOEXEC);
	for (i = 0; i < 8; i++) {
		good(state);
		file.eh.e_type = i;
		assert_int_equal(parse(),
		    i == ET_EXEC || i == ET_DYN ? 0 : -ENOEXEC);
	}
}

static void
short_files(void **state)
{
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr); len++)
		assert_int_equal(elf_parse(&file, len, len, &img), -ENOEXEC);
	assert_int_equal(elf_parse(&file, sizeof(file), 0x100, &img), -ENOEXEC);
	/* Headers whole, but not the data they speak of. */
	for (len = sizeof(file); len < 0x3100; len += 7)
		assert_int_equal(elf_parse(&file, sizeof(file), len, &img),
		    -ENOEXEC);
	assert_int_equal(elf_parse(&file, sizeof(file), 0x3100, &img), 0);
}

static void
program_headers(void **state)
{
	(void)state;
	file.eh.e_phentsize = 32;
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.eh.e_phnum = 0;
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.eh.e_phnum = 65535;
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.eh.e_phoff = ~0ull - 16;
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.eh.e_phoff = FILE_SIZE - 4 * sizeof(Elf64_Phdr) + 1;
	assert_int_equal(parse(), -ENOEXEC);
}

static void
program_headers_elsewhere(void **state)
{
	(void)state;
	file.eh.e_phoff = FILE_SIZE - 4 * sizeof(Elf64_Phdr);
	assert_int_equal(parse(), -ENODATA);
	assert_int_equal(img.phdr_offset, file.eh.e_phoff);
	assert_int_equal(img.phdr_size, 4 * sizeof(Elf64_Phdr));
	assert_int_equal(elf_segments(file.ph, FILE_SIZE, &img), 0);
	assert_int_equal(img.nsegments, 2);
	assert_int_equal(img.phdr, 0);
}

static void
bad_segments(void **state)
{
	(void)state;
	file.ph[2].p_filesz = 0x5001; /* more than in memory */
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_offset = 0x2e01; /* not congruent */
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_offset = ~0ull - 0x1ff; /* wraps in the file */
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.ph[2].p_memsz = ~0ull;
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_vaddr = ~0ull - 0x1ff; /* wraps in memory */
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_vaddr = USER_END - 0x200; /* leaves the user's half */
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_align = 1ull << 40;
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_align = 3; /* does not count */
	assert_int_equal(parse(), 0);
	good(state);
	file.eh.e_entry = USER_END;
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[1].p_type = file.ph[2].p_type = PT_NULL;
	assert_int_equal(parse(), -ENOEXEC); /* nothing to load */
}

static void
overlaps(void **state)
{
	(void)state;
	file.ph[2].p_vaddr = 0x400e00;
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2].p_vaddr = 0x3fee00; /* below, reaching in */
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[2] = file.ph[1];
	assert_int_equal(parse(), -EINVAL);
	good(state);
	file.ph[1].p_memsz = 0x10000; /* the first over the second */
	assert_int_equal(parse(), -EINVAL);
}

static void
many_segments(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 33; i++)
		file.ph[i] = (Elf64_Phdr){ PT_LOAD, PF_R, 0,
			0x900000 - 0x1000 * i, 0, 0x10, 0x20, 0x1000 };
	file.eh.e_phnum = 32;
	assert_int_equal(parse(), 0);
	assert_int_equal(img.nsegments, 32);
	for (i = 1; i < 32; i++)
		assert_true(img.segment[i - 1].vaddr < img.segment[i].vaddr);
	file.eh.e_phnum = 33;
	assert_int_equal(parse(), -ENOEXEC);
}

static void
interpreters(void **state)
{
	(void)state;
	file.ph[0].p_filesz = 1;
	assert_int_equal(parse(), -ENOEXEC);
	file.ph[0].p_filesz = ELF_INTERP_MAX + 1;
	assert_int_equal(parse(), -ENOEXEC);
	file.ph[0].p_filesz = ELF_INTERP_MAX;
	assert_int_equal(parse(), 0);
	file.ph[0].p_offset = FILE_SIZE - 0x1b;
	file.ph[0].p_filesz = 0x1c;
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.ph[3] = file.ph[0];
	assert_int_equal(parse(), -ENOEXEC);
	good(state);
	file.ph[0].p_type = PT_NULL;
	assert_int_equal(parse(), 0);
	assert_int_equal(img.interp_size, 0);

	assert_true(elf_interp_valid("/ld", 4));
	assert_false(elf_interp_valid("/ldx", 4));
	assert_false(elf_interp_valid("", 1));
	assert_false(elf_interp_valid("\0x", 3));
}

/* The test program itself is a program. */
static void
this_program(void **state)
{
	char head[4096];
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(read(fd, head, sizeof(head)), sizeof(head));
	close(fd);
	assert_int_equal(elf_parse(head, sizeof(head), st.st_size, &img), 0);
	assert_true(img.nsegments >= 2);
	assert_true(img.interp_size > 0);
	assert_int_equal(img.phdr, 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(usual, good),
		cmocka_unit_test_setup(movable, good),
		cmocka_unit_test_setup(stack_wanted_executable, good),
		cmocka_unit_test_setup(segments_are_sorted, good),
		cmocka_unit_test_setup(pages_may_be_shared, good),
		cmocka_unit_test_setup(headers_not_loaded, good),
		cmocka_unit_test_setup(empty_load_is_skipped, good),
		cmocka_unit_test_setup(not_a_program, good),
		cmocka_unit_test_setup(short_files, good),
		cmocka_unit_test_setup(program_headers, good),
		cmocka_unit_test_setup(program_headers_elsewhere, good),
		cmocka_unit_test_setup(bad_segments, good),
		cmocka_unit_test_setup(overlaps, good),
		cmocka_unit_test_setup(many_segments, good),
		cmocka_unit_test_setup(interpreters, good),
		cmocka_unit_test_setup(this_program, good),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
