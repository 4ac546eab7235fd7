/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define UUID_TEXT 36
#define DAY 86400
#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* "01234567-89ab-cdef-0123-456789abcdef" to 16 bytes. */
static enum cluster_err parse_uuid(const char *text, struct cluster_id *ret)
{
	struct cluster_id id;
	size_t at = 0;

	for (size_t i = 0; i < ID_SIZE; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
			return CLUSTER_EFORMAT;
		high = hex_digit(text[at++]);
		low = high < 0 ? -1 : hex_digit(text[at++]);
		if (low < 0)
			return CLUSTER_EFORMAT;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	*ret = id;
	return CLUSTER_OK;
}

static enum cluster_err read_boot_id(struct cluster_id *ret)
{
	char text[UUID_TEXT + 1] = "";
	ssize_t n;
	int saved, fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return CLUSTER_ESYSTEM;
	do
		n = read(fd, text, UUID_TEXT);
	while (n < 0 && errno == EINTR);
	saved = n < 0 ? errno : EIO;
	close(fd);
	if (n != UUID_TEXT || parse_uuid(text, ret) != CLUSTER_OK) {
		errno = saved;
		return CLUSTER_ESYSTEM;
	}
	return CLUSTER_OK;
}

enum cluster_err moment_now(struct moment *ret)
{
	struct timespec wall, boot;
	struct moment m;
	enum cluster_err e;

	if (clock_gettime(CLOCK_REALTIME, &wall) != 0 || clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
		return CLUSTER_ESYSTEM;
	if ((e = read_boot_id(&m.boot_id)) != CLUSTER_OK)
		return e;
	m.wall = wall.tv_sec;
	m.boot = boot.tv_sec;
	*ret = m;
	return CLUSTER_OK;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first day of `year`. */
static int64_t days_before_year(int64_t year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

void moment_text(int64_t wall, char dst[MOMENT_TEXT])
{
	int64_t days, seconds, year, month = 1;

	if (wall < 0 || wall > LAST_SECOND) {
		memcpy(dst, "-", 2);
		return;
	}
	days = wall / DAY;
	seconds = wall % DAY;
	year = 1970 + days / 366;
	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	for (; days >= days_in_month(year, month); month++)
		days -= days_in_month(year, month);
	snprintf(dst, MOMENT_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)(days + 1) % 100,
		(unsigned)(seconds / 3600) % 100, (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
}

/* The `n` digits at `p` as a number in [min, max], or -1. */
static int64_t field(const char *p, size_t n, int64_t min, int64_t max)
{
	int64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v < min || v > max ? -1 : v;
}

enum cluster_err moment_parse(const char *text, int64_t *ret)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	int64_t year, month, day, hour, minute, second, days;

	if (!text || strnlen(text, MOMENT_TEXT) != MOMENT_TEXT - 1)
		return CLUSTER_EFORMAT;
	for (size_t i = 0; i < MOMENT_TEXT - 1; i++)
		if (shape[i] != 'd' && text[i] != shape[i])
			return CLUSTER_EFORMAT;
	year = field(text, 4, 1970, 9999);
	month = field(text + 5, 2, 1, 12);
	if (year < 0 || month < 0)
		return CLUSTER_EFORMAT;
	day = field(text + 8, 2, 1, days_in_month(year, month));
	hour = field(text + 11, 2, 0, 23);
	minute = field(text + 14, 2, 0, 59);
	second = field(text + 17, 2, 0, 59);
	if (day < 0 || hour < 0 || minute < 0 || second < 0)
		return CLUSTER_EFORMAT;
	days = days_before_year(year) + day - 1;
	for (int64_t m = 1; m < month; m++)
		days += days_in_month(year, m);
	*ret = days * DAY + hour * 3600 + minute * 60 + second;
	return CLUSTER_OK;
}

int64_t moment_ms(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) == 0 ? (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 : 0;
}

void moment_span(int64_t seconds, char *dst, size_t size)
{
	const char *sign = seconds < 0 ? "-" : "";
	uint64_t s = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;

	if (s < 60)
		snprintf(dst, size, "%s%" PRIu64 "s", sign, s);
	else if (s < 3600)
		snprintf(dst, size, "%s%" PRIu64 "m %" PRIu64 "s", sign, s / 60, s % 60);
	else if (s < DAY)
		snprintf(dst, size, "%s%" PRIu64 "h %" PRIu64 "m", sign, s / 3600, s % 3600 / 60);
	else
		snprintf(dst, size, "%s%" PRIu64 "d %" PRIu64 "h", sign, s / DAY, s % DAY / 3600);
}
