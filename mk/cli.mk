# SPDX-License-Identifier: ISC
# cli.mk - the `remora` command, which runs on the host.

.PHONY: command
command:
