/* SPDX-License-Identifier: ISC */
/*
 * say.h - what remora-cloud tells: a line a message, in the kernel's log, so
 * that the console shows it as it shows the kernel's own.
 */
#ifndef CLOUD_SAY_H
#define CLOUD_SAY_H

/* Lines go to this descriptor, a /dev/kmsg; before, to standard error. */
void say_open(int kmsg);

/* As printf(3), without a line end; what is no text is shown as '?'. */
void say_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
