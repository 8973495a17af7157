/* SPDX-License-Identifier: ISC */
/*
 * main.c - remora-cloud: what a machine does at its first start in a cloud,
 * before its program: reads what the cloud tells of it and does what its user
 * asks for.  The kernel starts it in the program's place where
 * remora.cloud= is given, and it becomes the program at its end.
 *
 * Nothing that fails here keeps the program from its start: it is told, in
 * the kernel's log, and left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/cloud/apply.h"
#include "guest/cloud/fetch.h"
#include "guest/cloud/imds.h"
#include "guest/cloud/netapply.h"
#include "guest/cloud/nocloud.h"
#include "guest/cloud/say.h"
#include "guest/cloud/script.h"
#include "guest/cloud/source.h"

static const char usage[] =
    "usage: remora-cloud ec2|nocloud|auto[,wait=SECONDS][,url=http://ADDRESS"
    "[:PORT]] [PROGRAM NAME [ARGUMENT]...]\n";

/* ---- the metadata service ---- */

struct service {
	struct fetch_service at;
	bool routed; /* a way to it was looked for */
};

static int
service_fetch(void *arg, const char *method, const char *path,
    const char *headers, int timeout_ms, struct http_answer *a)
{
	struct service *s = arg;
	const struct sockaddr_in *in = (const void *)&s->at.at;
	int error = fetch(&s->at, method, path, headers, timeout_ms, a);

	/* An address of the link needs no gateway, but a way. */
	if (error == -ENETUNREACH && !s->routed && in->sin_family == AF_INET) {
		s->routed = true;
		if (net_link_route(in->sin_addr) == 0) {
			http_fini(a);
			error = fetch(&s->at, method, path, headers, timeout_ms,
			    a);
		}
	}
	return error;
}

static int64_t
service_now(void *arg)
{
	(void)arg;
	return fetch_now_ms();
}

static void
service_pause(void *arg, int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	(void)arg;
	(void)nanosleep(&t, NULL);
}

static int
read_service(const struct source *from, struct seed *seed)
{
	struct service s = { .routed = false };
	struct imds_world w = { service_fetch, service_now, service_pause, &s };
	int error = fetch_parse(&s.at, from->url);

	if (error == 0 && !net_is_there()) {
		say_error("%s: there is no network card", from->url);
		return -ENODEV;
	}
	if (error == 0) {
		net_fallback();
		error = imds_read(&w, from->wait_s, seed);
	}
	if (error == -ETIMEDOUT && seed->instance_id == NULL)
		say_error("%s: no metadata service for %d s", from->url,
		    from->wait_s);
	else if (error == -ETIMEDOUT)
		say_error("%s: not all was read within %d s", from->url,
		    IMDS_READ_S);
	else if (error != 0)
		say_error("%s: what answers is no metadata service", from->url);
	/* What was read is of use without the rest. */
	return seed->instance_id != NULL ? 0 : error;
}

/* ---- a folder ---- */

static const char *const folders[] = { "/cidata", "/var/lib/cloud/seed/nocloud",
	"/var/lib/cloud/seed/nocloud-net" };

static int
read_folder(struct seed *seed)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (!nocloud_is(folders[i]))
			continue;
		say_info("from %s", folders[i]);
		nocloud_read(folders[i], seed);
		return 0;
	}
	return -ENOENT;
}

static void
configure_network(const struct seed *seed)
{
	struct net_config c;

	if (seed->network.len == 0) {
		net_fallback();
		return;
	}
	if (netconf_read(&c, seed->network.data, seed->network.len) == 0)
		net_apply(&c);
	netconf_fini(&c);
}

/* ---- all of it ---- */

static int
read_seed(const struct source *from, struct seed *seed)
{
	int error = -ENOENT;

	if (from->kind != SOURCE_EC2)
		error = read_folder(seed);
	if (error == 0) {
		configure_network(seed);
		return 0;
	}
	if (from->kind != SOURCE_NOCLOUD)
		return read_service(from, seed);
	say_error("nocloud: there is no /cidata with a meta-data or user-data; "
		  "disks called cidata cannot be read, as there is no file "
		  "system for them");
	return error;
}

static int
run(const struct source *from)
{
	struct seed seed = { 0 };
	int error = read_seed(from, &seed);

	if (error == 0)
		apply(&seed);
	seed_fini(&seed);
	script_reap();
	return error;
}

int
main(int argc, char **argv)
{
	int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC), status;
	struct source from;

	if (argc < 2 || argc == 3) {
		fputs(usage, stderr);
		return 2;
	}
	if (argc > 3)
		say_open(kmsg);
	if (source_parse(&from, argv[1]) == 0)
		status = run(&from) == 0 ? 0 : 1;
	else
		status = 2;
	if (status == 2)
		say_error("%s makes no sense, nothing is done", argv[1]);
	source_fini(&from);
	if (argc < 4)
		return status;
	execv(argv[2], argv + 3);
	status = errno == ENOENT ? 127 : 126;
	say_error("%s cannot be run: %s", argv[2], strerror(errno));
	fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
	return status;
}
