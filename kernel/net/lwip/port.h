/* SPDX-License-Identifier: ISC */
/* port.h - lwIP's port: what cc.h and hooks.h declare for lwIP's sources. */
#ifndef NET_LWIP_PORT_H
#define NET_LWIP_PORT_H

#include <lwip/opt.h>
#include "hooks.h"

#endif
