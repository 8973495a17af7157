/* SPDX-License-Identifier: ISC */
/* nvme_dev.h - NVMe controllers as programs see them: /dev/nvme0, /sys. */
#ifndef LINUX_NVME_DEV_H
#define LINUX_NVME_DEV_H

/* Once, at boot, before drivers attach. */
void nvme_dev_init(void);

#endif
