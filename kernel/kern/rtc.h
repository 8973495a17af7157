/* SPDX-License-Identifier: ISC */
/* rtc.h - the board's clock, which knows the date when nobody else does. */
#ifndef KERN_RTC_H
#define KERN_RTC_H

#include "kern/types.h"

/* Seconds since 1970, UTC; 0 if there is no clock.  Waits for nothing. */
int64_t rtc_read_sec(void);

/* From the clock's fields; months and days begin at 1.  Pure. */
int64_t rtc_date_to_sec(unsigned year, unsigned month, unsigned day,
    unsigned hour, unsigned min, unsigned sec);

#endif
