/* SPDX-License-Identifier: ISC */
/*
 * userdata_fuzz.c - user data of any kind, and what its cloud-configs ask
 * for; the same bytes as meta-data and as network-config.
 */
/* unit: guest/cloud/userdata.c guest/cloud/mime.c guest/cloud/config.c guest/cloud/config_files.c guest/cloud/config_users.c guest/cloud/yaml.c guest/cloud/codec.c guest/cloud/seed.c guest/cloud/netconf.c guest/cloud/nocloud.c guest/cloud/files.c guest/cloud/mem.c guest/cloud/say.c inflate yaml */
#include "guest/cloud/userdata.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/config.h"
#include "guest/cloud/netconf.h"
#include "guest/cloud/nocloud.h"
#include "guest/cloud/say.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No field may bring a line or field of its own into /etc/passwd. */
static void
check_users(const struct config *c)
{
	for (size_t i = 0; i < c->nusers; i++) {
		const struct config_user *u = &c->user[i];
		const char *fields[] = { u->name, u->gecos, u->home, u->shell,
			u->hash };

		for (unsigned j = 0; j < 5; j++)
			if (fields[j] != NULL &&
			    strpbrk(fields[j], ":\r\n") != NULL)
				abort();
	}
}

static void
piece(void *arg, enum userdata_kind kind, const struct buf *data)
{
	struct config *c = arg;

	if (kind == USERDATA_CONFIG)
		config_read(c, buf_text(data), data->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	static int null = -1;
	struct net_config n;
	struct config c = { 0 };
	struct seed seed = { 0 };

	if (null < 0)
		say_open(null = open("/dev/null", O_WRONLY | O_CLOEXEC));
	userdata_split(text, size, piece, &c);
	check_users(&c);
	config_fini(&c);
	(void)netconf_read(&n, text, size);
	netconf_fini(&n);
	nocloud_meta_data(text, size, &seed);
	if (seed.instance_id == NULL || strchr(seed.instance_id, '/') != NULL ||
	    seed.instance_id[0] == '.')
		abort();
	seed_fini(&seed);
	return 0;
}
