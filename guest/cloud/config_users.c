/* SPDX-License-Identifier: ISC */
/* config_users.c - users and groups of a cloud-config. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/config_impl.h"
#include "guest/cloud/say.h"
#include "guest/cloud/seed.h"

/* A name that /etc/passwd may have: its separators are not in it. */
static bool
users_is_name(const char *s)
{
	if (s == NULL || s[0] == '\0' || s[0] == '-' || strlen(s) > 32)
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("-_.$", *s) == NULL)
			return false;
	return true;
}

/* A field of /etc/passwd: one line, no colon. */
static bool
users_is_field(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if (*s == ':' || (unsigned char)*s < ' ')
			return false;
	return true;
}

/* Words that must be names; others are told and taken out. */
static void
users_names(struct strings *list, const char *of)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (users_is_name(list->item[i])) {
			list->item[n++] = list->item[i];
			continue;
		}
		say_error("cloud-config: %s: %s is no name, left out", of,
		    list->item[i]);
		free(list->item[i]);
	}
	list->count = n;
}

static void
users_password(struct config_user *u, const struct yaml_node *node)
{
	config_set_text(&u->hash, node, "passwd");
	config_set_text(&u->hash, node, "hashed_passwd");
	if (yaml_get(node, "plain_text_passwd") != NULL)
		say_warning("cloud-config: users: %s: plain_text_passwd is not "
			    "done here, hashed_passwd is",
		    u->name);
	u->unlocked = !yaml_bool(yaml_get(node, "lock_passwd"), true);
}

static void
users_sudo(struct config_user *u, const struct yaml_node *node)
{
	/* "false" is how nothing is asked for. */
	if (yaml_bool(node, true))
		config_add_texts(&u->sudo, node);
	for (size_t i = 0; i < u->sudo.count; i++)
		u->sudo.item[i][strcspn(u->sudo.item[i], "\r\n")] = '\0';
}

static int
users_uid(struct config_user *u, const char *text)
{
	char *end;

	u->uid = -1;
	if (text == NULL)
		return 0;
	u->uid = strtol(text, &end, 10);
	return text[0] < '0' || text[0] > '9' || *end != '\0' ||
		u->uid > 0x7ffffffe ?
	    -EINVAL :
	    0;
}

static int
users_map(struct config_user *u, const struct yaml_node *node)
{
	const struct yaml_node *item, *keys;
	const char *name = yaml_text(yaml_get(node, "name"));

	if (!users_is_name(name) ||
	    users_uid(u, yaml_text(yaml_get(node, "uid"))) != 0)
		return -EINVAL;
	u->name = mem_string(name);
	config_set_text(&u->gecos, node, "gecos");
	config_set_text(&u->home, node, "homedir");
	config_set_text(&u->shell, node, "shell");
	config_set_text(&u->primary_group, node, "primary_group");
	config_add_words(&u->groups, yaml_get(node, "groups"));
	users_names(&u->groups, "groups");
	users_password(u, node);
	users_sudo(u, yaml_get(node, "sudo"));
	u->system = yaml_bool(yaml_get(node, "system"), false);
	u->no_home = yaml_bool(yaml_get(node, "no_create_home"), false);
	keys = yaml_get(node, "ssh_authorized_keys");
	for (size_t i = 0; (item = yaml_nth(keys, i)) != NULL; i++)
		if (yaml_text(item) != NULL)
			seed_add_keys(&u->keys, yaml_text(item));
	if (!users_is_field(u->gecos) || !users_is_field(u->home) ||
	    !users_is_field(u->shell) || !users_is_field(u->hash) ||
	    (u->home != NULL && u->home[0] != '/') ||
	    (u->primary_group != NULL && !users_is_name(u->primary_group)))
		return -EINVAL;
	return 0;
}

static void
users_push(struct config *c, struct config_user u)
{
	c->user = mem_resize(c->user, c->nusers + 1, sizeof(u));
	c->user[c->nusers++] = u;
}

static void
users_fini(struct config_user *u)
{
	struct config one = { .user = mem_zero(sizeof(*u)), .nusers = 1 };

	one.user[0] = *u;
	config_fini(&one);
}

static void
users_one(struct config *c, const struct yaml_node *node)
{
	const char *text = yaml_text(node);
	struct config_user u = { .uid = -1 };

	if (text != NULL && strcmp(text, "default") == 0) {
		c->default_user = true;
		return;
	}
	if (node->kind == YAML_MAP && users_map(&u, node) == 0) {
		users_push(c, u);
	} else if (users_is_name(text)) {
		u.name = mem_string(text);
		users_push(c, u);
	} else {
		say_error("cloud-config: users: %s: a name, uid or field that "
			  "cannot be, left out",
		    u.name != NULL   ? u.name :
			text != NULL ? text :
				       "?");
		users_fini(&u);
	}
}

/* A list of maps or names, "a,b", or a map of names and maps. */
void
config_users(struct config *c, const struct yaml_node *list)
{
	const struct yaml_node *node;
	struct strings words = { 0 };

	if (list == NULL)
		return;
	c->users_given = true;
	if (yaml_text(list) != NULL)
		config_add_words(&words, list);
	for (size_t i = 0; i < words.count; i++) {
		struct yaml_node word = { .kind = YAML_TEXT,
			.text = words.item[i],
			.len = strlen(words.item[i]) };

		users_one(c, &word);
	}
	strings_fini(&words);
	for (size_t i = 0;
	     list->kind == YAML_LIST && (node = yaml_nth(list, i)) != NULL; i++)
		users_one(c, node);
	if (list->kind == YAML_MAP)
		say_error("cloud-config: users is no list, left out");
}

static void
groups_one(struct config *c, const char *name, const struct yaml_node *members)
{
	struct config_group g = { 0 };

	if (!users_is_name(name)) {
		say_error("cloud-config: groups: %s is no name, left out",
		    name == NULL ? "?" : name);
		return;
	}
	g.name = mem_string(name);
	config_add_words(&g.members, members);
	users_names(&g.members, name);
	c->group = mem_resize(c->group, c->ngroups + 1, sizeof(g));
	c->group[c->ngroups++] = g;
}

/* Texts, or maps of a name and its members. */
void
config_groups(struct config *c, const struct yaml_node *list)
{
	const struct yaml_node *node;
	struct strings words = { 0 };

	for (size_t i = 0; (node = yaml_nth(list, i)) != NULL; i++) {
		if (node->kind == YAML_TEXT)
			config_add_words(&words, node);
		for (size_t j = 0; node->kind == YAML_MAP && j < node->count;
		     j += 2)
			groups_one(c, yaml_text(node->item[j]),
			    node->item[j + 1]);
	}
	for (size_t i = 0; i < words.count; i++)
		groups_one(c, words.item[i], NULL);
	strings_fini(&words);
}
