/* SPDX-License-Identifier: ISC */
/* help.h - what --help prints. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

/* What `remora --help` and `remora run --help` print. */
void help_remora(FILE *to);
void help_run(FILE *to);

#endif
