/* SPDX-License-Identifier: ISC */
/*
 * apply.c - does what a seed asks for, in cloud-init's order: bootcmd, files,
 * host name, groups, users, keys, the files that wait for users, scripts.
 * What is done once an instance has cloud-init's names in /var/lib/cloud.
 */
#include "guest/cloud/apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/cloud/accounts.h"
#include "guest/cloud/config.h"
#include "guest/cloud/files.h"
#include "guest/cloud/instance.h"
#include "guest/cloud/say.h"
#include "guest/cloud/script.h"
#include "guest/cloud/userdata.h"

struct applying {
	const struct seed *seed;
	struct instance instance;
	struct config config;
	struct buf *script; /* those of #!, in their order */
	size_t nscripts;
	struct buf *hook; /* and of #cloud-boothook */
	size_t nhooks;
};

/* ---- user data ---- */

static void
apply_keep(struct buf **list, size_t *count, const char *data, size_t n)
{
	*list = mem_resize(*list, *count + 1, sizeof(**list));
	(*list)[*count] = (struct buf){ 0 };
	buf_add(&(*list)[(*count)++], data, n);
}

/* A hook's first line is followed by the program. */
static void
apply_keep_hook(struct applying *a, const struct buf *data)
{
	const char *nl = strchr(data->data, '\n');

	if (nl != NULL)
		apply_keep(&a->hook, &a->nhooks, nl + 1,
		    data->len - (size_t)(nl + 1 - data->data));
}

static void
apply_piece(void *arg, enum userdata_kind kind, const struct buf *data)
{
	struct applying *a = arg;

	switch (kind) {
	case USERDATA_CONFIG:
		config_read(&a->config, data->data, data->len);
		break;
	case USERDATA_SCRIPT:
		apply_keep(&a->script, &a->nscripts, data->data, data->len);
		break;
	case USERDATA_BOOTHOOK: apply_keep_hook(a, data); break;
	}
}

/* ---- host name ---- */

static void
apply_hostname(const struct applying *a)
{
	const struct config *c = &a->config;
	const char *name = c->prefer_fqdn && c->fqdn != NULL ? c->fqdn :
	    c->hostname != NULL                              ? c->hostname :
	    c->fqdn != NULL                                  ? c->fqdn :
							       a->seed->hostname;
	char *copy, *line;
	int error;

	if (name == NULL || c->keep_hostname)
		return;
	copy = mem_string(name);
	if (!c->prefer_fqdn)
		copy[strcspn(copy, ".")] = '\0';
	line = mem_format("%s\n", copy);
	if (sethostname(copy, strlen(copy)) < 0)
		say_error("host name %s: %s", copy, strerror(errno));
	else
		say_info("host name %s", copy);
	error = file_write("/etc/hostname", line, strlen(line), 0644, false);
	if (error != 0)
		say_error("/etc/hostname: %s", strerror(-error));
	free(line);
	free(copy);
}

/* ---- files ---- */

/* "user:group", "user" or ":group"; -ENOENT. */
static int
apply_owner(const char *owner, uid_t *uid, gid_t *gid)
{
	char *user = mem_bytes(owner, strcspn(owner, ":"));
	const char *group = strchr(owner, ':');
	struct account a = { 0 };
	int error = 0;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (user[0] != '\0' && strspn(user, "0123456789") == strlen(user)) {
		*uid = (uid_t)strtoul(user, NULL, 10);
	} else if (user[0] != '\0') {
		error = account_find("", user, &a);
		if (error == 0)
			*uid = a.uid;
	}
	if (error == 0 && group != NULL && group[1] != '\0')
		error = group_find("", group + 1, gid);
	account_fini(&a);
	free(user);
	return error;
}

static void
apply_file(const struct config_file *f)
{
	const char *owner = f->owner == NULL ? "root:root" : f->owner;
	uid_t uid;
	gid_t gid;
	int error = file_make_parents(f->path), unknown;

	if (error == 0)
		error = file_write(f->path, buf_text(&f->data), f->data.len,
		    f->mode, f->append);
	if (error != 0) {
		say_error("write_files: %s: %s", f->path, strerror(-error));
		return;
	}
	unknown = apply_owner(owner, &uid, &gid);
	if (unknown != 0)
		say_error("write_files: %s: there is no %s yet "
			  "(defer: true waits for users)",
		    f->path, owner);
	else if (chown(f->path, uid, gid) < 0 || chmod(f->path, f->mode) < 0)
		say_error("write_files: %s: %s", f->path, strerror(errno));
}

static void
apply_files(const struct applying *a, bool late)
{
	bool any = false;

	for (size_t i = 0; i < a->config.nfiles; i++)
		any = any || a->config.file[i].late == late;
	if (!any ||
	    !instance_once(&a->instance,
		late ? "config_write_files_deferred" : "config_write_files"))
		return;
	for (size_t i = 0; i < a->config.nfiles; i++)
		if (a->config.file[i].late == late)
			apply_file(&a->config.file[i]);
}

/* ---- users and keys ---- */

/* What distributions call theirs; os-release(5). */
static const char *const default_users[][2] = { { "debian", "debian" },
	{ "ubuntu", "ubuntu" }, { "alpine", "alpine" }, { "amzn", "ec2-user" },
	{ "arch", "arch" }, { "fedora", "fedora" }, { "rocky", "rocky" },
	{ "almalinux", "almalinux" }, { "centos", "cloud-user" },
	{ "rhel", "cloud-user" } };

/* The name of the default user, or NULL; to be freed. */
static char *
apply_default_name(const struct config *c)
{
	struct buf text = { 0 };
	char *name = mem_string(c->default_name);
	int error = file_read("/etc/os-release", 65536, &text);

	for (size_t i = 0; name == NULL && error == 0 &&
	     i < sizeof(default_users) / sizeof(default_users[0]);
	     i++) {
		char *line = mem_format("\nID=%s\n", default_users[i][0]);

		if (strstr(text.data == NULL ? "" : text.data, line) != NULL)
			name = mem_string(default_users[i][1]);
		free(line);
	}
	buf_fini(&text);
	return name;
}

/* As cloud-init's default_user of these distributions. */
static void
apply_make_default(const char *name)
{
	char *groups[] = { "adm", "audio", "cdrom", "dialout", "dip", "floppy",
		"netdev", "plugdev", "sudo", "video" };
	char *sudo[] = { "ALL=(ALL) NOPASSWD:ALL" };
	struct config_user u = { .name = (char *)name,
		.gecos = (char *)name,
		.uid = -1,
		.groups = { groups, sizeof(groups) / sizeof(groups[0]) },
		.sudo = { sudo, 1 } };

	(void)account_add("", &u);
}

static void
apply_users(const struct applying *a, const char *name)
{
	const struct config *c = &a->config;

	if (!instance_once(&a->instance, "config_users_groups"))
		return;
	for (size_t i = 0; i < c->ngroups; i++)
		if (group_add("", c->group[i].name, NULL) != 0)
			say_error("group %s was not made", c->group[i].name);
	if (name != NULL)
		apply_make_default(name);
	for (size_t i = 0; i < c->nusers; i++)
		if (account_add("", &c->user[i]) == 0)
			(void)keys_add("", c->user[i].name, &c->user[i].keys,
			    "");
	for (size_t i = 0; i < c->ngroups; i++)
		if (c->group[i].members.count > 0)
			(void)group_add("", c->group[i].name,
			    &c->group[i].members);
}

/* The cloud's keys and the user's: for the default user, and for root. */
static void
apply_keys(const struct applying *a, const char *name)
{
	const struct strings *lists[] = { &a->seed->keys, &a->config.keys };
	char *prefix;

	if (!instance_once(&a->instance, "config_ssh"))
		return;
	/* cloud-init's own words. */
	prefix = !a->config.no_root_login || name == NULL ?
	    mem_string("") :
	    mem_format("no-port-forwarding,no-agent-forwarding,"
		       "no-X11-forwarding,command=\"echo 'Please login as the "
		       "user \\\"%s\\\" rather than the user \\\"root\\\".';"
		       "echo;sleep 10;exit 142\" ",
		name);
	for (unsigned i = 0; i < 2; i++) {
		if (name != NULL)
			(void)keys_add("", name, lists[i], "");
		(void)keys_add("", "root", lists[i], prefix);
	}
	say_info("%zu keys for logging in",
	    a->seed->keys.count + a->config.keys.count);
	free(prefix);
}

static void
apply_accounts(const struct applying *a)
{
	const struct config *c = &a->config;
	/* Without a list of users, the default one is meant. */
	char *name = !c->users_given || c->default_user ?
	    apply_default_name(c) :
	    NULL;

	if (name != NULL || c->nusers > 0 || c->ngroups > 0)
		apply_users(a, name);
	if (a->seed->keys.count > 0 || c->keys.count > 0)
		apply_keys(a, name);
	free(name);
}

/* ---- scripts ---- */

static void
apply_run(const struct applying *a, const char *name, const struct buf *text)
{
	char *path = instance_script(&a->instance, name, text);

	if (path != NULL) {
		say_info("runs %s", path);
		(void)script_run(path);
	}
	free(path);
}

/* At every start. */
static void
apply_early(const struct applying *a)
{
	char name[32];

	for (size_t i = 0; i < a->nhooks; i++) {
		snprintf(name, sizeof(name), "boothook-%03zu", i + 1);
		apply_run(a, name, &a->hook[i]);
	}
	if (a->config.bootcmd.len > 0)
		apply_run(a, "bootcmd", &a->config.bootcmd);
}

static void
apply_scripts(const struct applying *a)
{
	char name[32];

	if (a->nscripts == 0 && a->config.runcmd.len == 0)
		return;
	if (!instance_once(&a->instance, "config_scripts_user"))
		return;
	for (size_t i = 0; i < a->nscripts; i++) {
		snprintf(name, sizeof(name), "part-%03zu", i + 1);
		apply_run(a, name, &a->script[i]);
	}
	if (a->config.runcmd.len > 0)
		apply_run(a, "runcmd", &a->config.runcmd);
}

static void
apply_finished(const struct applying *a)
{
	char *path = mem_format("%s/boot-finished", a->instance.folder);
	int error = file_write(path, "\n", 1, 0644, false);

	if (error != 0)
		say_error("%s: %s", path, strerror(-error));
	free(path);
}

static void
apply_fini(struct applying *a)
{
	for (size_t i = 0; i < a->nscripts; i++)
		buf_fini(&a->script[i]);
	for (size_t i = 0; i < a->nhooks; i++)
		buf_fini(&a->hook[i]);
	free(a->script);
	free(a->hook);
	config_fini(&a->config);
	instance_fini(&a->instance);
}

void
apply(const struct seed *seed)
{
	struct applying a = { .seed = seed };

	say_info("instance %s", seed->instance_id);
	instance_open(&a.instance, "", seed);
	userdata_split(buf_text(&seed->user_data), seed->user_data.len,
	    apply_piece, &a);
	apply_early(&a);
	apply_files(&a, false);
	apply_hostname(&a);
	apply_accounts(&a);
	apply_files(&a, true);
	apply_scripts(&a);
	apply_finished(&a);
	apply_fini(&a);
}
