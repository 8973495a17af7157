/* SPDX-License-Identifier: ISC */
/* config_impl.h - shared by the files that read a cloud-config. */
#ifndef CLOUD_CONFIG_IMPL_H
#define CLOUD_CONFIG_IMPL_H

#include "guest/cloud/config.h"
#include "guest/cloud/yaml.h"

/* Sets *to to the map's text of that key, if there is one. */
void config_set_text(char **to, const struct yaml_node *map, const char *key);
/* Adds texts of a list; or words, of "a, b" too. */
void config_add_texts(struct strings *to, const struct yaml_node *node);
void config_add_words(struct strings *to, const struct yaml_node *node);

/* The values of write_files, users and groups; NULL: not given. */
void config_files(struct config *c, const struct yaml_node *list);
void config_users(struct config *c, const struct yaml_node *list);
void config_groups(struct config *c, const struct yaml_node *list);

#endif
