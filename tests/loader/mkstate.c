/* SPDX-License-Identifier: ISC */
/*
 * mkstate.c - writes Firecracker's memory as a container for the loader.
 */
#include "container.h"
#include "state.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
write_all(FILE *f, const void *data, size_t size, const char *path)
{
	if (size != 0 && fwrite(data, size, 1, f) != 1)
		err(1, "%s", path);
}

int
main(int argc, char **argv)
{
	struct fc_options opt;
	struct fc_state st;
	struct container head = { .magic = CONTAINER_MAGIC };
	struct container_piece piece;
	const char *path;
	size_t offset;
	FILE *f;

	fc_parse(argc, argv, &opt, &path);
	fc_build(&opt, &st);
	if (path == NULL)
		errx(2, "--output is needed");
	f = fopen(path, "wb");
	if (f == NULL)
		err(1, "%s", path);
	head.count = st.count;
	head.pvh = st.layout == FC_PVH;
	head.entry = st.entry;
	head.cr0 = head.pvh ? FC_CR0_PVH : FC_CR0;
	write_all(f, &head, sizeof(head), path);
	offset = sizeof(head) + st.count * sizeof(piece);
	for (unsigned i = 0; i < st.count; i++) {
		piece = (struct container_piece){ .paddr = st.piece[i].paddr,
			.size = st.piece[i].size,
			.data_size = st.piece[i].data_size,
			.offset = offset };
		write_all(f, &piece, sizeof(piece), path);
		offset += piece.data_size;
	}
	for (unsigned i = 0; i < st.count; i++)
		write_all(f, st.piece[i].data, st.piece[i].data_size, path);
	if (fclose(f) != 0)
		err(1, "%s", path);
	return 0;
}
