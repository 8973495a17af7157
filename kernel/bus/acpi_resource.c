/* SPDX-License-Identifier: ISC */
/* acpi_resource.c - resource buffers: interrupts and memory.  ACPI 6.4, 6.4. */
#include "bus/acpi_resource.h"

#include "bus/acpi_route.h"
#include "bus/platform.h"
#include "kern/string.h"
#include <linux/errno.h>

/* Small items: the type stands in bits 6:3; 6.4.2 */
#define SMALL_IRQ 0x04
#define SMALL_END 0x0f

/* Large items, 6.4.3 */
#define LARGE_MEMORY32       0x05
#define LARGE_FIXED_MEMORY32 0x06
#define LARGE_DWORD          0x07
#define LARGE_IRQ            0x09
#define LARGE_QWORD          0x0a

#define IRQ_EDGE    0x01 /* small: bits of byte 3 */
#define IRQ_LOW     0x08
#define EXT_EDGE    0x02 /* large: bits of byte 3 */
#define EXT_LOW     0x04
#define SPACE_MEM   0 /* address spaces: memory */
#define END_TAG     0x79
#define NSMALL_IRQS 16

static void
small_irq(const uint8_t *b, unsigned len, struct acpi_resources *out)
{
	uint16_t mask = get16(b);
	unsigned i;

	if (out->nirqs != 0)
		return;
	out->irq_is_small = true;
	out->irq_byte = len > 2 ? b[2] : IRQ_EDGE;
	out->irq_flags = acpi_route_flags((out->irq_byte & IRQ_EDGE) != 0,
	    (out->irq_byte & IRQ_LOW) != 0);
	for (i = 0; i < NSMALL_IRQS; i++)
		if ((mask >> i & 1) != 0)
			out->irq[out->nirqs++] = i;
}

static int
large_irq(const uint8_t *b, unsigned len, struct acpi_resources *out)
{
	unsigned i, n = b[1];

	if (len < 2 + 4 * n)
		return -EINVAL;
	if (out->nirqs != 0)
		return 0;
	out->irq_is_small = false;
	out->irq_byte = b[0];
	out->irq_flags = acpi_route_flags((b[0] & EXT_EDGE) != 0,
	    (b[0] & EXT_LOW) != 0);
	for (i = 0; i < n && i < ACPI_RES_NIRQS; i++)
		out->irq[out->nirqs++] = get32(b + 2 + 4 * i);
	return 0;
}

static void
memory(struct acpi_resources *out, uint64_t base, uint64_t size)
{
	if (out->size != 0)
		return;
	out->base = base;
	out->size = size;
}

/* Which are understood have a least length; others are passed over. */
static int
large(unsigned type, const uint8_t *b, unsigned len, struct acpi_resources *out)
{
	static const uint8_t least[] = {
		[LARGE_MEMORY32] = 17,
		[LARGE_FIXED_MEMORY32] = 9,
		[LARGE_DWORD] = 23,
		[LARGE_IRQ] = 2,
		[LARGE_QWORD] = 43,
	};

	if (type < sizeof(least) && len < least[type])
		return -EINVAL;
	switch (type) {
	case LARGE_MEMORY32: memory(out, get32(b + 1), get32(b + 13)); break;
	case LARGE_FIXED_MEMORY32:
		memory(out, get32(b + 1), get32(b + 5));
		break;
	case LARGE_DWORD:
		if (b[0] == SPACE_MEM)
			memory(out, get32(b + 7), get32(b + 19));
		break;
	case LARGE_QWORD:
		if (b[0] == SPACE_MEM)
			memory(out, get64(b + 11), get64(b + 35));
		break;
	case LARGE_IRQ: return large_irq(b, len, out);
	}
	return 0;
}

int
acpi_resource_parse(const uint8_t *b, size_t len, struct acpi_resources *out)
{
	unsigned head, n, type;
	int error = 0;

	memset(out, 0, sizeof(*out));
	for (; len > 0 && error == 0; b += head + n, len -= head + n) {
		head = (b[0] & 0x80) != 0 ? 3 : 1;
		if (len < head)
			return -EINVAL;
		n = head == 3 ? get16(b + 1) : b[0] & 7;
		type = head == 3 ? b[0] & 0x7f : b[0] >> 3;
		if (n > len - head)
			return -EINVAL;
		if (head == 3)
			error = large(type, b + head, n, out);
		else if (type == SMALL_END)
			return 0;
		else if (type == SMALL_IRQ && n < 2)
			return -EINVAL;
		else if (type == SMALL_IRQ)
			small_irq(b + head, n, out);
	}
	return error;
}

unsigned
acpi_resource_srs(const struct acpi_resources *r, uint32_t irq,
    uint8_t buf[ACPI_SRS_SIZE])
{
	unsigned i, n = 0;

	if (r->irq_is_small) {
		if (irq >= NSMALL_IRQS)
			return 0;
		buf[n++] = SMALL_IRQ << 3 | 3;
		buf[n++] = 1u << irq;
		buf[n++] = 1u << irq >> 8;
		buf[n++] = r->irq_byte;
	} else {
		buf[n++] = 0x80 | LARGE_IRQ;
		buf[n++] = 6;
		buf[n++] = 0;
		buf[n++] = r->irq_byte;
		buf[n++] = 1;
		for (i = 0; i < 4; i++)
			buf[n++] = irq >> 8 * i;
	}
	buf[n++] = END_TAG;
	buf[n++] = 0; /* a sum of 0 is not looked at */
	return n;
}
