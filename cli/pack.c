/* SPDX-License-Identifier: ISC */
/* pack.c - chooses what the machine finds in its root. */
#include "cli/pack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/deps.h"
#include "cli/fill.h"
#include "cli/kernelfile.h"
#include "cli/walk.h"

#define PACK_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What is carried through the packing. */
struct packing {
	struct pack *pack;
	const struct run_options *o;
	struct fill host;       /* from the host's own root */
	struct deps deps;       /* for --add: from the host's root */
	struct trouble missing; /* what added files lack; only told */
	struct trouble *trouble;
};

void
pack_set_env(struct pack *pack, const char *env)
{
	size_t n = strcspn(env, "=") + 1;

	for (size_t i = 0; i < pack->env.count; i++) {
		if (strncmp(pack->env.item[i], env, n) != 0)
			continue;
		free(pack->env.item[i]);
		pack->env.item[i] = mem_string(env);
		return;
	}
	strings_add(&pack->env, mem_string(env));
}

/* "a:/b::c", seen from here, as "CWD/a:/b:CWD:CWD/c"; NULL stays NULL. */
static char *
pack_absolute_list(const char *list)
{
	char cwd[PATH_MAX];
	struct text out = { 0 };

	if (list == NULL || list[0] == '\0' || getcwd(cwd, sizeof(cwd)) == NULL)
		return NULL;
	for (;;) {
		size_t n = strcspn(list, ":");

		if (out.length > 0)
			text_add(&out, ":");
		if (list[0] == '/')
			text_add(&out, "%.*s", (int)n, list);
		else
			text_add(&out, "%s%s%.*s", cwd, n > 0 ? "/" : "",
			    (int)n, list);
		if (list[n] == '\0')
			return out.text;
		list += n + 1;
	}
}

/* The machine's dynamic linker must find what ours found. */
static void
pack_keep_search(struct pack *pack, const struct deps *deps,
    const struct fill *fill)
{
	char resolved[PATH_MAX], *env;
	struct stat st;

	if (deps->search.used_cache)
		fill_path(fill, "/etc/ld.so.cache", resolved, &st);
	if (deps->search.used_musl_path)
		fill_path(fill, "/etc/ld-musl-x86_64.path", resolved, &st);
	if (deps->search.used_library_path) {
		env = mem_format("LD_LIBRARY_PATH=%s",
		    deps->search.ld_library_path);
		pack_set_env(pack, env);
		free(env);
	}
	/* env(1) without $PATH looks in these two only. */
	if (deps->env_dir != NULL && strcmp(deps->env_dir, "/bin") != 0 &&
	    strcmp(deps->env_dir, "/usr/bin") != 0) {
		env = mem_format("PATH=%s:%s", deps->env_dir, PACK_PATH);
		pack_set_env(pack, env);
		free(env);
	}
}

/* Makes a name absolute; "." and ".." stay for the walk to resolve. */
static int
pack_absolute(const char *name, char path[PATH_MAX], struct trouble *t)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (name[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return trouble_set(t, STATUS_MACHINE, "working directory: %s",
		    strerror(errno));
	n = snprintf(path, PATH_MAX, "%s%s%s", cwd, cwd[0] != '\0' ? "/" : "",
	    name);
	if (n >= PATH_MAX)
		return trouble_set(t, STATUS_NOTFOUND, "%s: %s", name,
		    strerror(ENAMETOOLONG));
	return 0;
}

/* Takes "/./", "//" and "/x/../" out: the name that the machine is told. */
static void
pack_tidy(char *path)
{
	char *out = path, *in = path;

	while (*in != '\0') {
		size_t skip = strspn(in, "/"), n = strcspn(in + skip, "/");
		char *name = in + skip;

		in = name + n;
		if (n == 0 || (n == 1 && name[0] == '.'))
			continue;
		*out++ = '/';
		memmove(out, name, n);
		out += n;
	}
	*out = '\0';
}

static int
pack_program(struct packing *p)
{
	const char *name = p->o->argv[0], *path = getenv("PATH");
	char *libraries = pack_absolute_list(getenv("LD_LIBRARY_PATH"));
	struct pack *pack = p->pack;
	struct deps deps;
	int error;

	if (path == NULL)
		path = PACK_PATH;
	deps_init(&deps, &p->host, libraries, path, p->trouble);
	if (strchr(name, '/') == NULL)
		error = deps_find_program("", path, name, pack->program,
		    p->trouble);
	else
		error = pack_absolute(name, pack->program, p->trouble);
	if (error == 0) {
		pack_tidy(pack->program);
		error = deps_add_program(&deps, pack->program);
	}
	if (error == 0)
		pack_keep_search(pack, &deps, &p->host);
	deps_fini(&deps);
	free(libraries);
	return error;
}

/* The program of a whole root is only examined: it is there already. */
static int
pack_check_program(struct packing *p, const char *root)
{
	const char *name = p->o->argv[0];
	struct fill look = { .root = root };
	struct pack *pack = p->pack;
	struct deps deps;
	int error = 0;

	deps_init(&deps, &look, NULL, PACK_PATH, p->trouble);
	if (strchr(name, '/') == NULL)
		error = deps_find_program(root, PACK_PATH, name, pack->program,
		    p->trouble);
	else if (snprintf(pack->program, sizeof(pack->program), "/%s", name) >=
	    (int)sizeof(pack->program))
		error = trouble_set(p->trouble, STATUS_NOTFOUND, "%s: %s", name,
		    strerror(ENAMETOOLONG));
	if (error == 0) {
		pack_tidy(pack->program);
		error = deps_add_program(&deps, pack->program);
	}
	deps_fini(&deps);
	return error;
}

/* A folder that is the root while the machine runs: nothing is packed. */
static int
pack_shared_root(struct packing *p, const char *root)
{
	if (p->o->rootfs != NULL || p->o->nadd > 0)
		return trouble_set(p->trouble, STATUS_MACHINE,
		    "--share %s:/ is the whole root: --rootfs and --add have "
		    "no place in it",
		    root);
	return pack_check_program(p, root[1] == '\0' ? "" : root);
}

static int
pack_rootfs(struct packing *p)
{
	struct fill fill = { .root = "",
		.tree = &p->pack->tree,
		.owners = true };
	char root[PATH_MAX];
	struct stat st;
	int error;

	if (realpath(p->o->rootfs, root) == NULL)
		return trouble_set(p->trouble, STATUS_MACHINE,
		    "--rootfs %s: %s", p->o->rootfs, strerror(errno));
	if (stat(root, &st) < 0 || !S_ISDIR(st.st_mode))
		return trouble_set(p->trouble, STATUS_MACHINE,
		    "--rootfs %s: it is not a directory", p->o->rootfs);
	/* "" is how the walk calls the host's own root. */
	error = pack_check_program(p, root[1] == '\0' ? "" : root);
	if (error == 0)
		error = fill_recursive(&fill, root, "/", NULL, NULL,
		    p->trouble);
	return error;
}

/* What an added program or library needs comes with it, if it is there. */
static void
pack_added_file(void *arg, const char *guest)
{
	struct packing *p = arg;
	struct tree_node *node = tree_find(&p->pack->tree, guest);

	if (node == NULL || node->source == NULL)
		return;
	if (deps_add_needs(&p->deps, node->source) != 0 && p->o->verbose)
		say("%s", p->missing.text);
}

/* --add PATH: under its own name, with the links on the way. */
static int
pack_add_as_is(struct packing *p, const char *path)
{
	char resolved[PATH_MAX];
	struct stat st;
	int error = fill_path(&p->host, path, resolved, &st);

	if (error != 0)
		return trouble_set(p->trouble, STATUS_MACHINE, "--add %s: %s",
		    path, strerror(-error));
	return fill_recursive(&p->host, resolved, resolved, pack_added_file, p,
	    p->trouble);
}

/* Symbolic links of added folders bring the files that they point at. */
static void
pack_add_targets(struct packing *p, size_t from)
{
	for (size_t i = from; i < p->pack->tree.count; i++) {
		const struct tree_node *node = p->pack->tree.node[i];
		char resolved[PATH_MAX], *path;
		struct stat st;

		if (!S_ISLNK(node->mode))
			continue;
		path = mem_string(node->path);
		fill_path(&p->host, path, resolved, &st);
		free(path);
	}
}

static int
pack_add_one(struct packing *p, const char *add)
{
	const char *colon = strchr(add, ':');
	size_t before = p->pack->tree.count;
	char host[PATH_MAX], guest[PATH_MAX], *name;
	int error;

	name = colon == NULL ? mem_string(add) :
			       mem_format("%.*s", (int)(colon - add), add);
	error = name[0] == '\0' || (colon != NULL && colon[1] != '/') ?
	    trouble_set(p->trouble, STATUS_MACHINE,
		"--add %s: PATH or PATH:/GUESTPATH is expected", add) :
	    pack_absolute(name, host, p->trouble);
	free(name);
	if (error != 0)
		return error;
	if (colon == NULL) {
		error = pack_add_as_is(p, host);
		if (error == 0)
			pack_add_targets(p, before);
		return error;
	}
	if (strlen(colon + 1) >= sizeof(guest))
		return trouble_set(p->trouble, STATUS_MACHINE, "--add %s: %s",
		    add, strerror(ENAMETOOLONG));
	strcpy(guest, colon + 1);
	pack_tidy(guest);
	if (guest[0] == '\0')
		strcpy(guest, "/");
	name = tree_resolve(&p->pack->tree, guest);
	tree_add_parents(&p->pack->tree, name);
	error = fill_recursive(&p->host, host, name, pack_added_file, p,
	    p->trouble);
	free(name);
	return error;
}

static int
pack_add_tools(struct packing *p)
{
	char path[PATH_MAX], *add;
	int error = installed_file_find(path, "devctl", "", p->trouble);

	if (error != 0)
		return error;
	add = mem_format("%s:/sbin/devctl", path);
	error = pack_add_one(p, add);
	free(add);
	return error;
}

static int
pack_add(struct packing *p)
{
	char *libraries = pack_absolute_list(getenv("LD_LIBRARY_PATH"));
	int error = 0;

	deps_init(&p->deps, &p->host, libraries, PACK_PATH, &p->missing);
	for (size_t i = 0; error == 0 && i < p->o->nadd; i++)
		error = pack_add_one(p, p->o->add[i]);
	if (error == 0 && p->o->tools)
		error = pack_add_tools(p);
	if (error == 0)
		pack_keep_search(p->pack, &p->deps, &p->host);
	deps_fini(&p->deps);
	free(libraries);
	return error;
}

int
pack_make(struct pack *pack, const struct run_options *o, struct trouble *t)
{
	struct packing p = { .pack = pack, .o = o, .trouble = t };
	const char *shared = shares_root(o->share, o->nshares);
	int error;

	memset(pack, 0, sizeof(*pack));
	p.host = (struct fill){ .root = "",
		.tree = &pack->tree,
		.owners = true };
	if (shared != NULL)
		error = pack_shared_root(&p, shared);
	else
		error = o->rootfs != NULL ? pack_rootfs(&p) : pack_program(&p);
	if (error == 0 && (o->nadd > 0 || o->tools))
		error = pack_add(&p);
	for (size_t i = 0; i < o->nenv; i++)
		pack_set_env(pack, o->env[i]);
	if (error == 0 && shared == NULL)
		error = cloud_pack(&o->cloud, &pack->tree, t);
	if (error == 0) {
		fill_basics(&pack->tree);
		tree_sort(&pack->tree);
	}
	return error;
}

void
pack_fini(struct pack *pack)
{
	tree_fini(&pack->tree);
	strings_fini(&pack->env);
}
