/* SPDX-License-Identifier: ISC */
/* deps.c - what a program needs to start.  execve(2), ld.so(8). */
#include "cli/deps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/walk.h"

#define DEPS_SCRIPT_LINE  256 /* what Linux reads of a script */
#define DEPS_SCRIPT_DEPTH 5   /* scripts that interpret scripts */

void
deps_init(struct deps *deps, const struct fill *fill,
    const char *ld_library_path, const char *path, struct trouble *t)
{
	memset(deps, 0, sizeof(*deps));
	deps->fill = *fill;
	deps->path = path;
	deps->trouble = t;
	lib_search_init(&deps->search, fill->root, ld_library_path);
}

void
deps_fini(struct deps *deps)
{
	lib_search_fini(&deps->search);
	free(deps->env_dir);
}

/* The program and its libraries, in the order in which ld.so loads them. */
struct deps_list {
	struct lib_object **object;
	size_t count;
	struct strings names; /* DT_NEEDED that were dealt with */
};

static char *
deps_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return mem_string("/");
	return mem_format("%.*s", (int)(slash - path), path);
}

/* Takes the search paths out of `elf`. */
static struct lib_object *
deps_list_add(struct deps_list *list, const char *path, struct elf_file *elf,
    const struct lib_object *loader)
{
	struct lib_object *o = mem_zero(sizeof(*o));

	o->path = mem_string(path);
	o->origin = deps_folder(path);
	o->rpath = elf->rpath;
	o->runpath = elf->runpath;
	elf->rpath = elf->runpath = NULL;
	o->nodeflib = elf->nodeflib;
	o->loader = loader;
	list->object = mem_resize(list->object, list->count + 1,
	    sizeof(struct lib_object *));
	list->object[list->count++] = o;
	return o;
}

static void
deps_list_fini(struct deps_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->object[i]->path);
		free(list->object[i]->origin);
		free(list->object[i]->rpath);
		free(list->object[i]->runpath);
		free(list->object[i]);
	}
	free(list->object);
	strings_fini(&list->names);
}

static bool
deps_list_has(const struct deps_list *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->object[i]->path, path) == 0)
			return true;
	return false;
}

/* Whether ld.so has this one already when it comes to load libraries. */
static bool
deps_is_known(struct deps *deps, struct deps_list *list, const char *name,
    const char *interp)
{
	static const char *const musl_own[] = { "c", "pthread", "rt", "m", "dl",
		"util", "xnet" };
	const char *base = interp == NULL ? NULL : strrchr(interp, '/');

	for (size_t i = 0; i < list->names.count; i++)
		if (strcmp(list->names.item[i], name) == 0)
			return true;
	strings_add(&list->names, mem_string(name));
	if (base != NULL && strcmp(base + 1, name) == 0)
		return true;
	if (!deps->search.musl || strncmp(name, "lib", 3) != 0)
		return false;
	for (size_t i = 0; i < sizeof(musl_own) / sizeof(*musl_own); i++) {
		size_t n = strlen(musl_own[i]);

		if (strncmp(name + 3, musl_own[i], n) == 0 &&
		    name[3 + n] == '.')
			return true;
	}
	return false;
}

static int
deps_missing_library(struct deps *deps, const char *name,
    const struct lib_object *by, const struct lib_found *found, int error)
{
	if (error == -EBADMSG)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: the library %s that it needs (%s) %s", by->path, name,
		    found->path, found->bad_why);
	if (found->bad[0] != '\0')
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: the library %s that it needs is missing; %s %s; "
		    "searched in %s",
		    by->path, name, found->bad, found->bad_why,
		    found->tried.text);
	return trouble_set(deps->trouble, STATUS_NOEXEC,
	    "%s: the library %s that it needs is missing; searched in %s",
	    by->path, name,
	    found->tried.text != NULL ? found->tried.text : "no folder");
}

/*
 * Reads the ELF file `path` and adds it to the list; the names that it needs
 * go to *needed.
 */
static int
deps_read_library(struct deps *deps, const char *path,
    const struct lib_object *loader, struct deps_list *list,
    struct strings *needed, struct lib_object **object)
{
	char resolved[PATH_MAX];
	struct elf_file elf;
	struct stat st;
	int error, fd = walk_open(deps->fill.root, path, resolved, &st);

	if (fd < 0)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: cannot be read: %s", path, strerror(-fd));
	error = elf_read(&elf, fd);
	close(fd);
	if (error != 0) {
		trouble_set(deps->trouble, STATUS_NOEXEC, "%s %s", path,
		    elf.why);
	} else {
		*object = deps_list_add(list, path, &elf, loader);
		*needed = elf.needed;
		memset(&elf.needed, 0, sizeof(elf.needed));
	}
	elf_fini(&elf);
	return error;
}

/* The libraries that list->object[i] names go to the list's end. */
static int
deps_add_libraries(struct deps *deps, struct deps_list *list,
    const struct lib_object *by, const struct strings *needed,
    const char *interp, struct strings *found_paths)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < needed->count; i++) {
		const char *name = needed->item[i];
		struct lib_found found;
		char resolved[PATH_MAX];
		struct stat st;

		if (deps_is_known(deps, list, name, interp))
			continue;
		error = lib_search_find(&deps->search, name, by,
		    list->object[0], &found);
		if (error != 0) {
			deps_missing_library(deps, name, by, &found, error);
		} else {
			fill_path(&deps->fill, found.path, resolved, &st);
			strings_add(found_paths, mem_string(found.path));
		}
		lib_found_fini(&found);
	}
	return error;
}

/* All libraries of list->object[0], breadth first as ld.so. */
static int
deps_close(struct deps *deps, struct deps_list *list,
    const struct strings *needed, const char *interp)
{
	struct strings paths = { 0 }, more;
	struct lib_object *by = list->object[0], *o;
	size_t *loader = NULL, done = 0;
	int error;

	error = deps_add_libraries(deps, list, by, needed, interp, &paths);
	loader = mem_resize(NULL, paths.count + 1, sizeof(*loader));
	memset(loader, 0, (paths.count + 1) * sizeof(*loader));
	for (; error == 0 && done < paths.count; done++) {
		size_t before = paths.count, at = list->count;

		if (deps_list_has(list, paths.item[done]))
			continue;
		memset(&more, 0, sizeof(more));
		error = deps_read_library(deps, paths.item[done],
		    list->object[loader[done]], list, &more, &o);
		if (error == 0)
			error = deps_add_libraries(deps, list, o, &more, interp,
			    &paths);
		strings_fini(&more);
		loader = mem_resize(loader, paths.count + 1, sizeof(*loader));
		for (size_t i = before; i < paths.count; i++)
			loader[i] = at;
	}
	free(loader);
	strings_fini(&paths);
	return error;
}

static int
deps_add_interp(struct deps *deps, const char *path, const char *interp)
{
	char resolved[PATH_MAX];
	struct elf_file elf;
	struct stat st;
	int error, fd;

	if (interp[0] != '/')
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: its interpreter %s is not an absolute path", path,
		    interp);
	error = fill_path(&deps->fill, interp, resolved, &st);
	fd = error != 0 ? error :
			  walk_open(deps->fill.root, interp, resolved, &st);
	if (fd < 0)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: its interpreter %s is missing: %s", path, interp,
		    strerror(-fd));
	error = elf_read_headers(&elf, fd);
	close(fd);
	if (error != 0)
		trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: its interpreter %s %s", path, interp, elf.why);
	elf_fini(&elf);
	if (error == 0)
		lib_search_set_interp(&deps->search, interp);
	return error;
}

/* An ELF program or library, with its descriptor open. */
static int
deps_add_elf(struct deps *deps, const char *path, const char *resolved, int fd)
{
	struct deps_list list = { 0 };
	struct elf_file elf;
	int error = elf_read(&elf, fd);

	if (error != 0)
		trouble_set(deps->trouble, STATUS_NOEXEC, "%s %s", path,
		    elf.why);
	if (error == 0 && elf.interp != NULL)
		error = deps_add_interp(deps, path, elf.interp);
	if (error == 0) {
		deps_list_add(&list, resolved, &elf, NULL);
		error = deps_close(deps, &list, &elf.needed, elf.interp);
	}
	deps_list_fini(&list);
	elf_fini(&elf);
	return error;
}

int
deps_find_program(const char *root, const char *path, const char *name,
    char found[PATH_MAX], struct trouble *t)
{
	char resolved[PATH_MAX], host[2 * PATH_MAX];
	bool denied = false;
	struct stat st;

	for (const char *p = path; strchr(name, '/') == NULL && p != NULL;) {
		size_t length = strcspn(p, ":");
		int n = snprintf(found, PATH_MAX, "%.*s/%s", (int)length, p,
		    name);

		p = p[length] == ':' ? p + length + 1 : NULL;
		if (n >= PATH_MAX || found[0] != '/' ||
		    walk(root, found, resolved, &st, NULL, NULL) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (access(walk_host_path(root, resolved, host), X_OK) == 0 ||
		    (root[0] != '\0' && (st.st_mode & 0111) != 0))
			return 0;
		denied = true;
	}
	if (denied)
		return trouble_set(t, STATUS_NOEXEC,
		    "%s: it is found, but not executable", name);
	return trouble_set(t, STATUS_NOTFOUND, "%s: not found in %s", name,
	    path);
}

static int deps_add_checked(struct deps *deps, const char *path, unsigned depth,
    const char *by);

/* `#!/usr/bin/env prog`: prog is needed as well; `rest` follows env. */
static int
deps_add_env(struct deps *deps, char *rest, unsigned depth, const char *by)
{
	char found[PATH_MAX], *word, *save;

	for (word = strtok_r(rest, " \t", &save); word != NULL;
	     word = strtok_r(NULL, " \t", &save))
		if (word[0] != '-' && strchr(word, '=') == NULL)
			break;
	if (word == NULL)
		return 0;
	if (strchr(word, '/') != NULL)
		return deps_add_checked(deps, word, depth + 1, by);
	if (deps_find_program(deps->fill.root, deps->path, word, found,
		deps->trouble) != 0)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: the program %s that interprets it is not found in %s",
		    by, word, deps->path);
	free(deps->env_dir);
	deps->env_dir = deps_folder(found);
	return deps_add_checked(deps, found, depth + 1, by);
}

/* A script; `line` is what follows "#!". */
static int
deps_add_script(struct deps *deps, const char *path, char *line, unsigned depth)
{
	char *interp = line + strspn(line, " \t"), *rest;
	const char *base;
	int error;

	line[strcspn(line, "\n")] = '\0';
	rest = interp + strcspn(interp, " \t");
	if (*rest != '\0')
		*rest++ = '\0';
	if (interp[0] == '\0')
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: a script that names no interpreter", path);
	if (depth >= DEPS_SCRIPT_DEPTH)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: too many scripts interpret each other", path);
	if (interp[0] != '/')
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: its interpreter %s is not an absolute path", path,
		    interp);
	error = deps_add_checked(deps, interp, depth + 1, path);
	base = strrchr(interp, '/') + 1;
	if (error == 0 && strcmp(base, "env") == 0)
		error = deps_add_env(deps, rest, depth + 1, path);
	return error;
}

static int
deps_add_opened(struct deps *deps, const char *path, const char *resolved,
    int fd, unsigned depth)
{
	char head[DEPS_SCRIPT_LINE + 1];
	ssize_t n = pread(fd, head, DEPS_SCRIPT_LINE, 0);

	if (n < 0)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: cannot be read: %s", path, strerror(errno));
	head[n] = '\0';
	if (n >= 2 && head[0] == '#' && head[1] == '!')
		return deps_add_script(deps, path, head + 2, depth);
	if (n > 0 && (n < 4 || memcmp(head, ELFMAG, SELFMAG) != 0))
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s is neither an ELF program nor a script", path);
	return deps_add_elf(deps, path, resolved, fd);
}

/* Adds a program; `by` is the script that names it as interpreter, or NULL. */
static int
deps_add_checked(struct deps *deps, const char *path, unsigned depth,
    const char *by)
{
	char resolved[PATH_MAX], host[2 * PATH_MAX];
	struct stat st;
	int fd, error = fill_path(&deps->fill, path, resolved, &st);

	if (error != 0 && by != NULL)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: its interpreter %s is missing: %s", by, path,
		    strerror(-error));
	if (error != 0)
		return trouble_set(deps->trouble,
		    error == -ENOENT || error == -ENOTDIR ? STATUS_NOTFOUND :
							    STATUS_NOEXEC,
		    "%s: %s", path, strerror(-error));
	if (!S_ISREG(st.st_mode))
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: it is not a regular file", path);
	if ((st.st_mode & 0111) == 0)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: it is not executable", path);
	fd = open(walk_host_path(deps->fill.root, resolved, host),
	    O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return trouble_set(deps->trouble, STATUS_NOEXEC,
		    "%s: cannot be read: %s", path, strerror(errno));
	error = deps_add_opened(deps, path, resolved, fd, depth);
	close(fd);
	return error;
}

int
deps_add_program(struct deps *deps, const char *path)
{
	return deps_add_checked(deps, path, 0, NULL);
}

int
deps_add_needs(struct deps *deps, const char *path)
{
	char resolved[PATH_MAX], magic[SELFMAG];
	struct stat st;
	int error = 0, fd = walk_open(deps->fill.root, path, resolved, &st);

	if (fd < 0)
		return 0;
	if (S_ISREG(st.st_mode) &&
	    pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    memcmp(magic, ELFMAG, SELFMAG) == 0)
		error = deps_add_elf(deps, path, resolved, fd);
	close(fd);
	return error;
}
