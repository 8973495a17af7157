/* SPDX-License-Identifier: ISC */
/* elffile_test.c - ELF files: good, cut off anywhere, damaged, hostile. */
/* unit: cli/elffile.c cli/mem.c cli/trouble.c cli/testelf.c */
#include "cli/elffile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/testelf.h"

static struct test_elf_file file;
static struct elf_file elf;

static const struct test_elf whole = {
	.interp = "/lib64/ld-linux-x86-64.so.2",
	.needed = { "liba.so.1", "libc.so.6" },
	.runpath = "$ORIGIN/../lib",
};

static int
read_bytes(const void *data, size_t size)
{
	int error, fd = memfd_create("elf", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	error = elf_read(&elf, fd);
	close(fd);
	return error;
}

static void
refuses(int wanted, const char *why)
{
	int error = read_bytes(&file, sizeof(file));

	assert_string_equal(elf.why, why);
	assert_int_equal(error, wanted);
	elf_fini(&elf);
	test_elf_make(&file, &whole);
}

static void
reads_a_good_one(void **state)
{
	(void)state;
	assert_int_equal(read_bytes(&file, sizeof(file)), 0);
	assert_string_equal(elf.interp, whole.interp);
	assert_int_equal(elf.needed.count, 2);
	assert_string_equal(elf.needed.item[0], "liba.so.1");
	assert_string_equal(elf.needed.item[1], "libc.so.6");
	assert_string_equal(elf.runpath, "$ORIGIN/../lib");
	assert_null(elf.rpath);
	elf_fini(&elf);
}

/* However long the part is that remains: a message, and no harm. */
static void
refuses_every_part_of_it(void **state)
{
	int error;

	(void)state;
	for (size_t size = 0; size < sizeof(file); size++) {
		error = read_bytes(&file, size);
		assert_true(error == -ENOEXEC || error == -EBADMSG);
		if (size >= sizeof(Elf32_Ehdr))
			assert_memory_equal(elf.why, "is truncated: ", 14);
		elf_fini(&elf);
	}
	assert_int_equal(read_bytes(&file, 0), -ENOEXEC);
	assert_string_equal(elf.why, "is empty");
	elf_fini(&elf);
	assert_int_equal(read_bytes(&file, 20), -EBADMSG);
	assert_string_equal(elf.why,
	    "is truncated: its ELF header ends after 20 bytes");
	elf_fini(&elf);
}

static void
refuses_other_machines(void **state)
{
	(void)state;
	file.ehdr.e_ident[0] = 'M';
	refuses(-ENOEXEC, "is not an ELF file");
	file.ehdr.e_machine = EM_AARCH64;
	refuses(-ENOEXEC,
	    "is for another processor: AArch64 (ELF machine 183)");
	file.ehdr.e_machine = EM_386;
	file.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	refuses(-ENOEXEC, "is a 32-bit program; only 64-bit ones can be run");
	file.ehdr.e_ident[EI_CLASS] = ELFCLASS32; /* x32 */
	refuses(-ENOEXEC, "is a 32-bit program; only 64-bit ones can be run");
	file.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	refuses(-ENOEXEC, "is for another processor: it is not little-endian");
	file.ehdr.e_type = ET_REL;
	refuses(-ENOEXEC, "is an object file, not a program");
	file.ehdr.e_type = ET_CORE;
	refuses(-ENOEXEC, "is a core file, not a program");
	file.ehdr.e_version = 2;
	refuses(-ENOEXEC, "has unknown ELF version 2");
}

static void
refuses_bad_headers(void **state)
{
	(void)state;
	file.ehdr.e_phnum = 0;
	refuses(-EBADMSG, "is damaged: it has no program headers");
	file.ehdr.e_phnum = 65535;
	refuses(-EBADMSG, "is damaged: 65535 program headers of 56 bytes");
	file.ehdr.e_phentsize = 32;
	refuses(-EBADMSG, "is damaged: 4 program headers of 32 bytes");
	file.ehdr.e_phoff = UINT64_MAX - 8;
	refuses(-EBADMSG,
	    "is truncated: its program headers lie beyond its end");
	file.phdr[0].p_type = PT_NULL;
	refuses(-EBADMSG, "is damaged: it has no loadable segment");
	file.phdr[0].p_memsz = 1;
	refuses(-EBADMSG,
	    "is damaged: segment 0 is larger in the file than "
	    "in memory");
	file.phdr[0].p_vaddr = UINT64_MAX - 16;
	refuses(-EBADMSG, "is damaged: segment 0 wraps around");
	file.phdr[0].p_offset = UINT64_MAX;
	refuses(-EBADMSG,
	    "is truncated: segment 0 wants 1112 bytes at "
	    "18446744073709551615 of 1112");
}

static void
refuses_bad_names(void **state)
{
	(void)state;
	file.phdr[1].p_filesz = 1;
	refuses(-EBADMSG,
	    "is damaged: the name of its interpreter has 1 bytes");
	file.phdr[1].p_filesz = 5;
	refuses(-EBADMSG, "is damaged: endless name");
	file.interp[0] = '\0';
	refuses(-EBADMSG, "is damaged: the name of its interpreter is empty");
	file.phdr[1].p_offset = sizeof(file);
	refuses(-EBADMSG,
	    "is truncated: the name of its interpreter is missing");
	file.dyn[0].d_un.d_val = UINT64_MAX - 4;
	refuses(-EBADMSG, "is damaged: a name lies outside its string table");
	file.dyn[0].d_un.d_val = sizeof(file.strings);
	refuses(-EBADMSG, "is damaged: a name lies outside its string table");
	file.dyn[3].d_un.d_ptr = 0x1234;
	refuses(-EBADMSG, "is damaged: its string table lies in no segment");
	memset(file.strings, 'x', sizeof(file.strings));
	refuses(-EBADMSG, "is damaged: endless name");
	file.phdr[2].p_filesz = sizeof(file);
	refuses(-EBADMSG, "is truncated: its dynamic section is missing");
}

static bool
is_ours(const char *name, uint32_t type)
{
	return strcmp(name, "Remora") == 0 && type == 1;
}

static bool
finds_note(void)
{
	int fd = memfd_create("elf", 0);
	bool found;

	assert_int_equal(write(fd, &file, sizeof(file)), sizeof(file));
	assert_int_equal(elf_read_headers(&elf, fd), 0);
	found = elf_each_note(&elf, is_ours);
	elf_fini(&elf);
	close(fd);
	return found;
}

static void
walks_notes(void **state)
{
	(void)state;
	assert_true(finds_note());
	file.nhdr.n_type = 2;
	assert_false(finds_note());
	file.nhdr.n_type = 1;
	file.nhdr.n_namesz = 0xffffffff;
	assert_false(finds_note());
	file.nhdr.n_namesz = 7;
	file.nhdr.n_descsz = 0xfffffffe;
	assert_false(finds_note());
	file.nhdr.n_descsz = 0;
	file.phdr[3].p_filesz = 11;
	assert_false(finds_note());
	file.phdr[3].p_filesz = UINT64_MAX;
	assert_false(finds_note());
}

static int
make(void **state)
{
	(void)state;
	test_elf_make(&file, &whole);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_a_good_one, make),
		cmocka_unit_test_setup(refuses_every_part_of_it, make),
		cmocka_unit_test_setup(refuses_other_machines, make),
		cmocka_unit_test_setup(refuses_bad_headers, make),
		cmocka_unit_test_setup(refuses_bad_names, make),
		cmocka_unit_test_setup(walks_notes, make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
