/* SPDX-License-Identifier: ISC */
/* rtc.c - the MC146818 and its heirs.  Motorola's data sheet; ports 70, 71. */
#include "kern/rtc.h"
#include "x86/io.h"

#define RTC_INDEX 0x70
#define RTC_DATA  0x71

enum {
	RTC_SEC = 0,
	RTC_MIN = 2,
	RTC_HOUR = 4,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_B = 11,
	RTC_CENTURY = 0x32
};
#define B_24_HOURS 0x02
#define B_BINARY   0x04

struct rtc_fields {
	uint8_t sec, min, hour, day, month, year, century, b;
};

static uint8_t
rtc_get(uint8_t reg)
{
	outb(RTC_INDEX, reg);
	return inb(RTC_DATA);
}

static void
rtc_get_all(struct rtc_fields *f)
{
	f->sec = rtc_get(RTC_SEC);
	f->min = rtc_get(RTC_MIN);
	f->hour = rtc_get(RTC_HOUR);
	f->day = rtc_get(RTC_DAY);
	f->month = rtc_get(RTC_MONTH);
	f->year = rtc_get(RTC_YEAR);
	f->century = rtc_get(RTC_CENTURY);
	f->b = rtc_get(RTC_B);
}

int64_t
rtc_date_to_sec(unsigned year, unsigned month, unsigned day, unsigned hour,
    unsigned min, unsigned sec)
{
	/* Years from March on: the leap day is their last. */
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 +
	    day - 1 - 719468;

	return ((days * 24 + hour) * 60 + min) * 60 + sec;
}

static unsigned
decode(uint8_t v, uint8_t b)
{
	return (b & B_BINARY) != 0 ? v : (v >> 4) * 10 + (v & 15);
}

static bool
same(const struct rtc_fields *a, const struct rtc_fields *b)
{
	return a->sec == b->sec && a->min == b->min && a->hour == b->hour &&
	    a->day == b->day && a->month == b->month && a->year == b->year;
}

int64_t
rtc_read_sec(void)
{
	struct rtc_fields f, again;
	unsigned hour, year, tries;

	rtc_get_all(&f);
	for (tries = 0; tries < 4; tries++) { /* equal twice: no update hit */
		rtc_get_all(&again);
		if (same(&f, &again))
			break;
		f = again;
	}
	if (decode(f.month, f.b) < 1 || decode(f.month, f.b) > 12 ||
	    decode(f.day, f.b) < 1 || decode(f.day, f.b) > 31)
		return 0;
	hour = decode(f.hour & 0x7f, f.b);
	if ((f.b & B_24_HOURS) == 0)
		hour = hour % 12 + ((f.hour & 0x80) != 0 ? 12 : 0);
	year = decode(f.year, f.b);
	year += f.century >= 0x19 && f.century <= 0x99 ?
	    decode(f.century, f.b) * 100 :
	    2000;
	return rtc_date_to_sec(year, decode(f.month, f.b), decode(f.day, f.b),
	    hour, decode(f.min, f.b), decode(f.sec, f.b));
}
