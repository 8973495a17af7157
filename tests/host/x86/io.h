/* SPDX-License-Identifier: ISC */
/* io.h - stands in for kernel/x86/io.h: the test plays the ports. */
#ifndef X86_IO_H
#define X86_IO_H

#include <stdint.h>

/* `width` is in bytes. */
uint32_t host_port_read(uint16_t port, unsigned width);
void host_port_write(uint16_t port, unsigned width, uint32_t value);

#define outb(port, v) host_port_write(port, 1, v)
#define outw(port, v) host_port_write(port, 2, v)
#define outl(port, v) host_port_write(port, 4, v)
#define inb(port)     host_port_read(port, 1)
#define inw(port)     host_port_read(port, 2)
#define inl(port)     host_port_read(port, 4)

#endif
