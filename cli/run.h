/* SPDX-License-Identifier: ISC */
/* run.h - `remora run`. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

/* argv[0] is "run".  Returns the command's exit status. */
int run_command(int argc, char **argv);

#endif
