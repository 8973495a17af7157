/* SPDX-License-Identifier: ISC */
/* accounts.c - users and groups, in /etc's files. */
#include "guest/cloud/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest/cloud/files.h"
#include "guest/cloud/say.h"

#define ACCOUNTS_MAX   (8u << 20) /* bytes of /etc/passwd and the like */
#define ACCOUNTS_FIRST 1000       /* first user's number; Debian's adduser */
#define ACCOUNTS_LAST  59999
#define SYSTEM_FIRST   100
#define SYSTEM_LAST    999

/* Reads PATH below root; one that is not there is empty. */
static int
accounts_read(const char *root, const char *path, struct buf *out)
{
	char *full = mem_format("%s%s", root, path);
	int error = file_read(full, ACCOUNTS_MAX, out);

	free(full);
	return error == -ENOENT ? 0 : error;
}

static int
accounts_write(const char *root, const char *path, const struct buf *data,
    mode_t mode)
{
	char *full = mem_format("%s%s", root, path);
	struct stat st;
	int error = file_make_parents(full);

	if (error == 0 && stat(full, &st) == 0)
		mode = st.st_mode & 07777;
	if (error == 0)
		error = file_replace(full, buf_text(data), data->len, mode);
	if (error != 0)
		say_error("%s: %s", full, strerror(-error));
	free(full);
	return error;
}

/* The i-th field of a line; NULL: it has not so many. */
static char *
line_field(const char *line, unsigned i)
{
	size_t n = strcspn(line, "\n");
	const char *end = line + n;

	for (; i > 0; i--) {
		line = memchr(line, ':', (size_t)(end - line));
		if (line == NULL)
			return NULL;
		line++;
	}
	n = strcspn(line, ":\n");
	return mem_bytes(line, n);
}

/* The line whose field `i` is `value`, or NULL. */
static const char *
line_find(const char *text, unsigned i, const char *value)
{
	while (*text != '\0') {
		char *field = line_field(text, i);
		bool same = field != NULL && strcmp(field, value) == 0;

		free(field);
		if (same)
			return text;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

static bool
is_number(const char *s)
{
	return s != NULL && s[0] != '\0' &&
	    strspn(s, "0123456789") == strlen(s) && strlen(s) < 10;
}

int
account_find(const char *root, const char *name, struct account *a)
{
	struct buf text = { 0 };
	int error = accounts_read(root, "/etc/passwd", &text);
	const char *line = line_find(buf_text(&text), 0, name);
	char *uid = NULL, *gid = NULL;

	*a = (struct account){ 0 };
	if (error == 0 && line == NULL && strcmp(name, "root") == 0)
		line = "root:x:0:0:root:/root:/bin/sh";
	if (error == 0 && line == NULL)
		error = -ENOENT;
	if (error == 0) {
		uid = line_field(line, 2);
		gid = line_field(line, 3);
		a->home = line_field(line, 5);
		if (!is_number(uid) || !is_number(gid) || a->home == NULL ||
		    a->home[0] != '/')
			error = -EINVAL;
	}
	if (error == 0) {
		a->uid = (uid_t)strtoul(uid, NULL, 10);
		a->gid = (gid_t)strtoul(gid, NULL, 10);
	}
	free(uid);
	free(gid);
	buf_fini(&text);
	return error;
}

void
account_fini(struct account *a)
{
	free(a->home);
	a->home = NULL;
}

int
group_find(const char *root, const char *name, gid_t *gid)
{
	struct buf text = { 0 };
	int error = accounts_read(root, "/etc/group", &text);
	const char *line = line_find(buf_text(&text), 0, name);
	char *field = line == NULL ? NULL : line_field(line, 2);

	if (error == 0 && is_number(field))
		*gid = (gid_t)strtoul(field, NULL, 10);
	else if (error == 0 && is_number(name))
		*gid = (gid_t)strtoul(name, NULL, 10);
	else if (error == 0 && strcmp(name, "root") == 0)
		*gid = 0;
	else if (error == 0)
		error = -ENOENT;
	free(field);
	buf_fini(&text);
	return error;
}

/* The first number in the range that stands in field 2 of no line. */
static int
free_number(const char *passwd, const char *group, unsigned long first,
    unsigned long last)
{
	for (unsigned long v = first; v <= last; v++) {
		char text[24];

		snprintf(text, sizeof(text), "%lu", v);
		if (line_find(passwd, 2, text) == NULL &&
		    line_find(group, 2, text) == NULL)
			return (int)v;
	}
	return -ENOSPC;
}

static void
end_line(struct buf *b)
{
	if (b->len > 0 && b->data[b->len - 1] != '\n')
		buf_add(b, "\n", 1);
}

/* ---- groups ---- */

/* Whether "a,b,c" up to the line's end names one. */
static bool
is_member(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (*list != '\0' && *list != '\n') {
		size_t len = strcspn(list, ",\n");

		if (len == n && strncmp(list, name, n) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

/* The group's line with one more member, in a new text. */
static void
add_member(struct buf *text, const char *group, const char *name)
{
	const char *line = line_find(buf_text(text), 0, group), *list, *end;
	struct buf out = { 0 };
	unsigned colons = 0;

	if (line == NULL)
		return;
	for (list = line; *list != '\0' && *list != '\n' && colons < 3; list++)
		colons += *list == ':';
	end = list + strcspn(list, "\n");
	if (colons < 3 || is_member(list, name))
		return;
	buf_add(&out, text->data, (size_t)(end - text->data));
	buf_format(&out, "%s%s", end > list ? "," : "", name);
	buf_add(&out, end, text->len - (size_t)(end - text->data));
	buf_fini(text);
	*text = out;
}

static int
group_make(const char *root, struct buf *group, const char *name, long gid)
{
	struct buf passwd = { 0 };
	int error = 0;

	if (line_find(buf_text(group), 0, name) != NULL)
		return 0;
	if (gid < 0) {
		error = accounts_read(root, "/etc/passwd", &passwd);
		if (error == 0)
			error = free_number(buf_text(&passwd), buf_text(group),
			    ACCOUNTS_FIRST, ACCOUNTS_LAST);
		gid = error;
		buf_fini(&passwd);
	}
	if (gid < 0)
		return error;
	if (group->len == 0)
		buf_format(group, "root:x:0:\n");
	end_line(group);
	buf_format(group, "%s:x:%ld:\n", name, gid);
	return 0;
}

int
group_add(const char *root, const char *name, const struct strings *members)
{
	struct buf group = { 0 };
	int error = accounts_read(root, "/etc/group", &group);

	if (error == 0)
		error = group_make(root, &group, name, -1);
	for (size_t i = 0; error == 0 && members != NULL && i < members->count;
	     i++)
		add_member(&group, name, members->item[i]);
	if (error == 0)
		error = accounts_write(root, "/etc/group", &group, 0644);
	buf_fini(&group);
	return error;
}

/* ---- users ---- */

struct making {
	const char *root;
	const struct config_user *u;
	struct buf passwd, group, shadow;
	long uid;
	gid_t gid;
	char *home;
};

static int
making_read(struct making *m)
{
	int error = accounts_read(m->root, "/etc/passwd", &m->passwd);

	if (error == 0)
		error = accounts_read(m->root, "/etc/group", &m->group);
	if (error == 0)
		error = accounts_read(m->root, "/etc/shadow", &m->shadow);
	if (error == 0 && m->passwd.len == 0)
		buf_format(&m->passwd, "root:x:0:0:root:/root:/bin/sh\n");
	if (error == 0 && m->group.len == 0)
		buf_format(&m->group, "root:x:0:\n");
	if (error == 0 && m->shadow.len == 0)
		buf_format(&m->shadow, "root:*:1:0:99999:7:::\n");
	return error;
}

static int
making_numbers(struct making *m)
{
	const struct config_user *u = m->u;
	char text[24];
	int error = 0;

	m->uid = u->uid;
	snprintf(text, sizeof(text), "%ld", m->uid);
	if (m->uid >= 0 && line_find(buf_text(&m->passwd), 2, text) != NULL)
		return -EEXIST;
	if (m->uid < 0)
		m->uid = free_number(buf_text(&m->passwd), buf_text(&m->group),
		    u->system ? SYSTEM_FIRST : ACCOUNTS_FIRST,
		    u->system ? SYSTEM_LAST : ACCOUNTS_LAST);
	if (m->uid < 0)
		return (int)m->uid;
	if (u->primary_group != NULL)
		return group_find(m->root, u->primary_group, &m->gid);
	/* His own, of the same number where that is free. */
	snprintf(text, sizeof(text), "%ld", m->uid);
	error = group_make(m->root, &m->group, u->name,
	    line_find(buf_text(&m->group), 2, text) == NULL ? m->uid : -1);
	if (error == 0) {
		char *field = line_field(line_find(buf_text(&m->group), 0,
					     u->name),
		    2);

		m->gid = is_number(field) ? (gid_t)strtoul(field, NULL, 10) :
					    (gid_t)m->uid;
		free(field);
	}
	return error;
}

static const char *
making_shell(const struct making *m)
{
	char *bash = mem_format("%s/bin/bash", m->root);
	bool there = access(bash, X_OK) == 0;

	free(bash);
	return m->u->shell != NULL ? m->u->shell :
	    there                  ? "/bin/bash" :
				     "/bin/sh";
}

static int
making_lines(struct making *m)
{
	const struct config_user *u = m->u;
	const char *hash = u->hash == NULL ? "*" : u->hash;
	int error = 0;

	end_line(&m->passwd);
	buf_format(&m->passwd, "%s:x:%ld:%lu:%s:%s:%s\n", u->name, m->uid,
	    (unsigned long)m->gid, u->gecos == NULL ? "" : u->gecos, m->home,
	    making_shell(m));
	end_line(&m->shadow);
	buf_format(&m->shadow, "%s:%s%s:%ld:0:99999:7:::\n", u->name,
	    u->hash != NULL && !u->unlocked ? "!" : "", hash,
	    (long)(time(NULL) / 86400));
	for (size_t i = 0; error == 0 && i < u->groups.count; i++) {
		error = group_make(m->root, &m->group, u->groups.item[i], -1);
		add_member(&m->group, u->groups.item[i], u->name);
	}
	return error;
}

static int
making_home(struct making *m)
{
	char *full = mem_format("%s%s", m->root, m->home);
	struct stat st;
	int error = 0;

	/* A home that is there may be another's. */
	if (!m->u->no_home && lstat(full, &st) < 0) {
		error = file_make_folder(full, 0755);
		if (error == 0 && lchown(full, (uid_t)m->uid, m->gid) < 0)
			error = -errno;
	}
	if (error != 0)
		say_error("%s: %s", full, strerror(-error));
	free(full);
	return error;
}

static int
making_sudo(const struct making *m)
{
	char *path = mem_format("%s/etc/sudoers.d/90-cloud-init-users",
	    m->root);
	struct buf rules = { 0 };
	int error = 0;

	for (size_t i = 0; i < m->u->sudo.count; i++)
		buf_format(&rules, "%s %s\n", m->u->name, m->u->sudo.item[i]);
	if (rules.len > 0)
		error = file_make_parents(path);
	if (error == 0 && rules.len > 0)
		error = file_write(path, rules.data, rules.len, 0440, true);
	if (error != 0)
		say_error("%s: %s", path, strerror(-error));
	buf_fini(&rules);
	free(path);
	return error;
}

/* Names first, as others look there last; the home when he is known. */
static int
making_write(struct making *m)
{
	int error = accounts_write(m->root, "/etc/group", &m->group, 0644);

	if (error == 0)
		error = accounts_write(m->root, "/etc/shadow", &m->shadow,
		    0600);
	if (error == 0)
		error = accounts_write(m->root, "/etc/passwd", &m->passwd,
		    0644);
	if (error == 0)
		error = making_home(m);
	if (error == 0)
		error = making_sudo(m);
	return error;
}

/* One that was there: only what he shall have more. */
static int
account_extend(struct making *m)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < m->u->groups.count; i++) {
		struct strings who = { (char *[]){ m->u->name }, 1 };

		error = group_add(m->root, m->u->groups.item[i], &who);
	}
	return error != 0 ? error : making_sudo(m);
}

int
account_add(const char *root, const struct config_user *u)
{
	struct making m = { .root = root, .u = u };
	int error = making_read(&m);

	m.home = u->home != NULL ? mem_string(u->home) :
				   mem_format("/home/%s", u->name);
	if (error == 0 && line_find(buf_text(&m.passwd), 0, u->name) != NULL) {
		error = account_extend(&m);
	} else if (error == 0) {
		error = making_numbers(&m);
		if (error == 0)
			error = making_lines(&m);
		if (error == 0)
			error = making_write(&m);
	}
	if (error != 0)
		say_error("user %s: %s", u->name, strerror(-error));
	buf_fini(&m.passwd);
	buf_fini(&m.group);
	buf_fini(&m.shadow);
	free(m.home);
	return error;
}
