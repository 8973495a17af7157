/* SPDX-License-Identifier: ISC */
/* script.h - runs the programs that user data bring. */
#ifndef CLOUD_SCRIPT_H
#define CLOUD_SCRIPT_H

#include "guest/cloud/mem.h"

#define SCRIPT_OUTPUT "/var/log/cloud-init-output.log"

/*
 * Runs a program and waits for its end, not for those it leaves behind; what
 * it writes goes to SCRIPT_OUTPUT.  How it fails is told.  0, -1
 */
int script_run(const char *path);

/* Puts away what has ended and belongs to nobody else. */
void script_reap(void);

#endif
