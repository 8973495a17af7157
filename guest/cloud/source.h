/* SPDX-License-Identifier: ISC */
/* source.h - where to look for what a cloud tells: remora.cloud=. */
#ifndef CLOUD_SOURCE_H
#define CLOUD_SOURCE_H

enum source_kind { SOURCE_EC2, SOURCE_NOCLOUD, SOURCE_AUTO };

struct source {
	enum source_kind kind;
	int wait_s; /* for a service that does not answer */
	char *url;  /* the service's */
};

/*
 * "ec2|nocloud|auto[,wait=SECONDS][,url=http://ADDRESS[:PORT]]".  -EINVAL;
 * source_fini() is due in any case.
 */
int source_parse(struct source *s, const char *text);
void source_fini(struct source *s);

#endif
