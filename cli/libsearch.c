/* SPDX-License-Identifier: ISC */
/* libsearch.c - where shared libraries are found.  ld.so(8). */
#include "cli/libsearch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/walk.h"

#define LIB_MUSL_FILE    "/etc/ld-musl-x86_64.path"
#define LIB_MUSL_DEFAULT "/lib:/usr/local/lib:/usr/lib"

/* Debian's places first, then those of other distributions. */
static const char lib_glibc_default[] =
    "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib:/usr/lib:"
    "/lib64:/usr/lib64";

void
lib_search_init(struct lib_search *search, const char *root,
    const char *ld_library_path)
{
	memset(search, 0, sizeof(*search));
	search->root = root;
	search->ld_library_path = ld_library_path;
}

void
lib_search_fini(struct lib_search *search)
{
	ld_cache_fini(&search->cache);
	free(search->musl_path);
}

void
lib_found_fini(struct lib_found *found)
{
	free(found->tried.text);
}

/* The folders of ld-musl's path file, one a line or separated by colons. */
static char *
lib_read_musl_path(const char *root)
{
	char resolved[PATH_MAX], buf[8192];
	struct stat st;
	ssize_t n;
	int fd = walk_open(root, LIB_MUSL_FILE, resolved, &st);

	if (fd < 0)
		return NULL;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return NULL;
	buf[n] = '\0';
	for (char *p = buf; *p != '\0'; p++)
		if (*p == '\n')
			*p = ':';
	return mem_string(buf);
}

void
lib_search_set_interp(struct lib_search *search, const char *interp)
{
	const char *base = strrchr(interp, '/');

	base = base == NULL ? interp : base + 1;
	search->musl = strncmp(base, "ld-musl-", 8) == 0;
	if (search->musl && search->musl_path == NULL)
		search->musl_path = lib_read_musl_path(search->root);
}

/* Whether `s` begins with $WORD or ${WORD}; *skip is its length. */
static bool
lib_is_token(const char *s, size_t length, const char *word, size_t *skip)
{
	size_t n = strlen(word);

	if (length >= n + 3 && s[1] == '{' && strncmp(s + 2, word, n) == 0 &&
	    s[n + 2] == '}') {
		*skip = n + 3;
		return true;
	}
	if (length >= n + 1 && strncmp(s + 1, word, n) == 0) {
		*skip = n + 1;
		return true;
	}
	return false;
}

char *
lib_expand(const char *dir, size_t length, const char *origin)
{
	struct text out = { 0 };
	size_t skip;

	text_add(&out, "%s", "");
	for (size_t i = 0; i < length; i += skip) {
		const char *s = dir + i;
		size_t left = length - i;

		if (*s == '$' && lib_is_token(s, left, "ORIGIN", &skip)) {
			text_add(&out, "%s", origin);
		} else if (*s == '$' && lib_is_token(s, left, "LIB", &skip)) {
			text_add(&out, "lib/x86_64-linux-gnu");
		} else if (*s == '$' &&
		    lib_is_token(s, left, "PLATFORM", &skip)) {
			text_add(&out, "x86_64");
		} else {
			text_add(&out, "%c", *s);
			skip = 1;
		}
	}
	return out.text;
}

/*
 * Tries one file.  0: it is the library.  -ENOENT: go on; one that is for
 * another kind of machine is remembered.  -EBADMSG: it is damaged.
 */
static int
lib_try_file(struct lib_search *search, const char *path,
    struct lib_found *found)
{
	char resolved[PATH_MAX];
	struct elf_file elf;
	struct stat st;
	int error, fd = walk_open(search->root, path, resolved, &st);

	if (fd < 0 || strlen(path) >= sizeof(found->path)) {
		if (fd >= 0)
			close(fd);
		return -ENOENT;
	}
	error = elf_read_headers(&elf, fd);
	close(fd);
	if (error != 0) {
		memcpy(found->bad_why, elf.why, sizeof(found->bad_why));
		snprintf(found->bad, sizeof(found->bad), "%s", path);
	}
	elf_fini(&elf);
	if (error != 0 && error != -EBADMSG)
		return -ENOENT;
	memcpy(found->path, path, strlen(path) + 1);
	return error;
}

static int
lib_try_dir(struct lib_search *search, const char *dir, const char *name,
    struct lib_found *found)
{
	char *path;
	int error;

	/* The machine starts in its root: nothing else is relative to it. */
	if (dir[0] != '/')
		return -ENOENT;
	text_add(&found->tried, "%s%s", found->tried.length > 0 ? ", " : "",
	    dir);
	path = mem_format("%s%s%s", dir, dir[1] == '\0' ? "" : "/", name);
	error = lib_try_file(search, path, found);
	free(path);
	return error;
}

/* Tries a list of folders, separated by colons. */
static int
lib_try_list(struct lib_search *search, const char *list, const char *origin,
    const char *name, struct lib_found *found)
{
	int error = -ENOENT;

	while (list != NULL && error == -ENOENT) {
		size_t length = strcspn(list, ":");
		char *dir = lib_expand(list, length, origin);

		if (length > 0)
			error = lib_try_dir(search, dir, name, found);
		free(dir);
		list = list[length] == ':' ? list + length + 1 : NULL;
	}
	return error;
}

static bool
lib_in_default(const char *path)
{
	size_t length = (size_t)(strrchr(path, '/') - path);
	const char *list = lib_glibc_default;

	for (;;) {
		size_t n = strcspn(list, ":");

		if (n == length && strncmp(list, path, n) == 0)
			return true;
		if (list[n] == '\0')
			return false;
		list += n + 1;
	}
}

static int
lib_try_cache(struct lib_search *search, const char *name, bool nodeflib,
    struct lib_found *found)
{
	char host[2 * PATH_MAX];
	const char *path;
	int error = -ENOENT;

	if (!search->cache_tried) {
		search->cache_tried = true;
		ld_cache_read(&search->cache,
		    walk_host_path(search->root, "/etc/ld.so.cache", host));
	}
	if (search->cache.count == 0)
		return -ENOENT;
	text_add(&found->tried, "%s/etc/ld.so.cache",
	    found->tried.length > 0 ? ", " : "");
	for (unsigned n = 0; error == -ENOENT; n++) {
		path = ld_cache_find(&search->cache, name, n);
		if (path == NULL)
			return -ENOENT;
		if (nodeflib && lib_in_default(path))
			continue;
		error = lib_try_file(search, path, found);
		if (error == 0 && !lib_in_default(path))
			search->used_cache = true;
	}
	return error;
}

/* DT_RPATH of the one who asks, of its loaders, and of the program. */
static int
lib_try_rpaths(struct lib_search *search, const char *name,
    const struct lib_object *by, const struct lib_object *program,
    struct lib_found *found)
{
	bool program_seen = false;
	int error = -ENOENT;

	for (const struct lib_object *o = by; o != NULL && error == -ENOENT;
	     o = o->loader) {
		program_seen |= o == program;
		if (o->runpath == NULL)
			error = lib_try_list(search, o->rpath, o->origin, name,
			    found);
	}
	if (error == -ENOENT && !program_seen && program != NULL &&
	    program->runpath == NULL)
		error = lib_try_list(search, program->rpath, program->origin,
		    name, found);
	return error;
}

static int
lib_find_glibc(struct lib_search *search, const char *name,
    const struct lib_object *by, const struct lib_object *program,
    struct lib_found *found)
{
	int error = -ENOENT;

	if (by->runpath == NULL)
		error = lib_try_rpaths(search, name, by, program, found);
	if (error == -ENOENT && search->ld_library_path != NULL) {
		error = lib_try_list(search, search->ld_library_path,
		    by->origin, name, found);
		if (error == 0)
			search->used_library_path = true;
	}
	if (error == -ENOENT && by->runpath != NULL)
		error = lib_try_list(search, by->runpath, by->origin, name,
		    found);
	if (error == -ENOENT)
		error = lib_try_cache(search, name, by->nodeflib, found);
	if (error == -ENOENT && !by->nodeflib)
		error = lib_try_list(search, lib_glibc_default, "", name,
		    found);
	return error;
}

/* musl, ldso/dynlink.c: it makes no difference between the two paths. */
static int
lib_find_musl(struct lib_search *search, const char *name,
    const struct lib_object *by, struct lib_found *found)
{
	const char *system = search->musl_path;
	int error = -ENOENT;

	if (search->ld_library_path != NULL) {
		error = lib_try_list(search, search->ld_library_path, "", name,
		    found);
		if (error == 0)
			search->used_library_path = true;
	}
	for (; by != NULL && error == -ENOENT; by = by->loader)
		error = lib_try_list(search,
		    by->runpath != NULL ? by->runpath : by->rpath, by->origin,
		    name, found);
	if (error != -ENOENT)
		return error;
	error = lib_try_list(search, system != NULL ? system : LIB_MUSL_DEFAULT,
	    "", name, found);
	if (error == 0 && system != NULL)
		search->used_musl_path = true;
	return error;
}

int
lib_search_find(struct lib_search *search, const char *name,
    const struct lib_object *by, const struct lib_object *program,
    struct lib_found *found)
{
	memset(found, 0, sizeof(*found));
	if (strchr(name, '/') != NULL) {
		char *path = lib_expand(name, strlen(name), by->origin);
		int error = -ENOENT;

		text_add(&found->tried, "%s", path);
		if (path[0] == '/')
			error = lib_try_file(search, path, found);
		free(path);
		return error;
	}
	if (search->musl)
		return lib_find_musl(search, name, by, found);
	return lib_find_glibc(search, name, by, program, found);
}
