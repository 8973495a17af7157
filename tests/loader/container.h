/* SPDX-License-Identifier: ISC */
/*
 * container.h - how mkstate hands pieces of memory to the loader: this header,
 * the pieces, then their data, as the one module of a PVH start.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#define CONTAINER_MAGIC 0x4c52544d /* "MTRL" */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct container {
	uint32_t magic, count;
	uint32_t pvh; /* enter by PVH, not in long mode */
	uint32_t entry;
	uint32_t cr0, reserved[3];
};

struct container_piece {
	uint32_t paddr, size, data_size;
	uint32_t offset; /* of the data, from the container's start */
};
#endif

#endif
