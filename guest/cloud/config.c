/* SPDX-License-Identifier: ISC */
/* config.c - reads a #cloud-config. */
#include "guest/cloud/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/config_impl.h"
#include "guest/cloud/say.h"
#include "guest/cloud/seed.h"
#include "guest/cloud/yaml.h"

/* ---- single values ---- */

void
config_set_text(char **to, const struct yaml_node *map, const char *key)
{
	const char *text = yaml_text(yaml_get(map, key));

	if (text == NULL)
		return;
	free(*to);
	*to = mem_string(text);
}

static void
config_set_bool(bool *to, const struct yaml_node *map, const char *key)
{
	*to = yaml_bool(yaml_get(map, key), *to);
}

static void
config_set_host(char **to, const struct yaml_node *map, const char *key)
{
	const char *text = yaml_text(yaml_get(map, key));
	char *name = text == NULL ? NULL : seed_hostname(text);

	if (text != NULL && name == NULL)
		say_error("cloud-config: %s: %s is no host's name", key, text);
	if (name == NULL)
		return;
	free(*to);
	*to = name;
}

void
config_add_texts(struct strings *to, const struct yaml_node *node)
{
	const struct yaml_node *item;

	for (size_t i = 0; (item = yaml_nth(node, i)) != NULL; i++)
		if (yaml_text(item) != NULL)
			strings_add(to, mem_string(yaml_text(item)));
}

void
config_add_words(struct strings *to, const struct yaml_node *node)
{
	const struct yaml_node *item;

	for (size_t i = 0; (item = yaml_nth(node, i)) != NULL; i++) {
		const char *s = yaml_text(item);

		while (s != NULL && *s != '\0') {
			size_t n = strcspn(s, ", \t");

			if (n > 0)
				strings_add(to, mem_bytes(s, n));
			s += n + strspn(s + n, ", \t");
		}
	}
}

/* ---- commands ---- */

/* 'a word', so that a shell leaves it as it is. */
static void
config_quote(struct buf *script, const char *word)
{
	buf_add(script, "'", 1);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_format(script, "'\\''");
		else
			buf_add(script, word, 1);
	}
	buf_add(script, "'", 1);
}

static void
config_command(struct buf *script, const char *key,
    const struct yaml_node *command)
{
	size_t before = script->len;

	if (command->kind == YAML_TEXT && yaml_text(command) != NULL) {
		buf_format(script, "%s\n", yaml_text(command));
		return;
	}
	for (size_t i = 0; command->kind == YAML_LIST && i < command->count;
	     i++) {
		const char *word = command->item[i]->len == 0 ?
		    command->item[i]->text :
		    yaml_text(command->item[i]);

		if (word == NULL)
			continue;
		if (script->len > before)
			buf_add(script, " ", 1);
		config_quote(script, word);
	}
	if (script->len > before)
		buf_add(script, "\n", 1);
	else
		say_error("cloud-config: %s: a command that is neither text "
			  "nor a list of texts, left out",
		    key);
}

/* As cloud-init's shellify(): one script of all commands. */
static void
config_commands(struct buf *script, const struct yaml_node *map,
    const char *key)
{
	const struct yaml_node *list = yaml_get(map, key);

	if (list == NULL || yaml_nth(list, 0) == NULL)
		return;
	if (list->kind != YAML_LIST) {
		say_error("cloud-config: %s is no list, left out", key);
		return;
	}
	if (script->len == 0)
		buf_format(script, "#!/bin/sh\n");
	for (size_t i = 0; i < list->count; i++)
		config_command(script, key, list->item[i]);
}

/* ---- all of it ---- */

static const char *const config_known[] = { "hostname", "fqdn",
	"preserve_hostname", "prefer_fqdn_over_hostname", "disable_root",
	"write_files", "users", "user", "groups", "ssh_authorized_keys",
	"bootcmd", "runcmd", "system_info" };

static void
config_tell_unknown(const struct yaml_node *root)
{
	for (size_t i = 0; i + 1 < root->count; i += 2) {
		const char *key = yaml_text(root->item[i]);
		bool done = false;

		for (size_t j = 0; key != NULL && !done &&
		     j < sizeof(config_known) / sizeof(config_known[0]);
		     j++)
			done = strcmp(config_known[j], key) == 0;
		if (!done)
			say_warning("cloud-config: %s is not done here",
			    key == NULL ? "a key that is no text" : key);
	}
}

/* "user: NAME", or system_info: default_user: name: NAME. */
static void
config_default_user(struct config *c, const struct yaml_node *root)
{
	const struct yaml_node *user = yaml_get(root, "user");
	const struct yaml_node *from = yaml_get(yaml_get(root, "system_info"),
	    "default_user");

	config_set_text(&c->default_name, from, "name");
	if (user != NULL && user->kind == YAML_MAP)
		config_set_text(&c->default_name, user, "name");
	else
		config_set_text(&c->default_name, root, "user");
}

static void
config_take(struct config *c, const struct yaml_node *root)
{
	const struct yaml_node *keys = yaml_get(root, "ssh_authorized_keys");
	const struct yaml_node *item;

	config_set_host(&c->hostname, root, "hostname");
	config_set_host(&c->fqdn, root, "fqdn");
	config_set_bool(&c->keep_hostname, root, "preserve_hostname");
	config_set_bool(&c->prefer_fqdn, root, "prefer_fqdn_over_hostname");
	config_set_bool(&c->no_root_login, root, "disable_root");
	config_default_user(c, root);
	for (size_t i = 0; (item = yaml_nth(keys, i)) != NULL; i++)
		if (yaml_text(item) != NULL)
			seed_add_keys(&c->keys, yaml_text(item));
	config_commands(&c->bootcmd, root, "bootcmd");
	config_commands(&c->runcmd, root, "runcmd");
	config_files(c, yaml_get(root, "write_files"));
	config_groups(c, yaml_get(root, "groups"));
	config_users(c, yaml_get(root, "users"));
	config_tell_unknown(root);
}

void
config_read(struct config *c, const char *data, size_t n)
{
	struct yaml y;

	if (yaml_read(&y, data, n) != 0)
		say_error("cloud-config: %s", y.why);
	else if (y.root != NULL && y.root->kind == YAML_MAP)
		config_take(c, y.root);
	else if (y.root != NULL && yaml_nth(y.root, 0) != NULL)
		say_error("cloud-config: no keys with values");
	yaml_fini(&y);
}

static void
config_user_fini(struct config_user *u)
{
	free(u->name);
	free(u->gecos);
	free(u->home);
	free(u->primary_group);
	free(u->shell);
	free(u->hash);
	strings_fini(&u->groups);
	strings_fini(&u->keys);
	strings_fini(&u->sudo);
}

void
config_fini(struct config *c)
{
	for (size_t i = 0; i < c->nfiles; i++) {
		free(c->file[i].path);
		free(c->file[i].owner);
		buf_fini(&c->file[i].data);
	}
	for (size_t i = 0; i < c->nusers; i++)
		config_user_fini(&c->user[i]);
	for (size_t i = 0; i < c->ngroups; i++) {
		free(c->group[i].name);
		strings_fini(&c->group[i].members);
	}
	free(c->file);
	free(c->user);
	free(c->group);
	free(c->hostname);
	free(c->fqdn);
	free(c->default_name);
	strings_fini(&c->keys);
	buf_fini(&c->bootcmd);
	buf_fini(&c->runcmd);
	memset(c, 0, sizeof(*c));
}
