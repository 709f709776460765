/* SPDX-License-Identifier: ISC */
#include "common/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_NAME_LENGTH 253 /* RFC 1035 section 2.3.4, without the length bytes at both ends */
#define HOST_LABEL_LENGTH 63

char *
text_format(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&s, fmt, ap);
	va_end(ap);
	return len < 0 ? NULL : s;
}

int
text_copy(char *field, size_t size, const char *s, const char *what, struct err *e)
{
	size_t len = strlen(s);

	if (len >= size)
		return err_set(e, ERR_INPUT, "%s: expected at most %zu bytes, found %zu", what, size - 1, len);
	memcpy(field, s, len + 1);
	return 0;
}

int
text_number(const char *s, unsigned long min, unsigned long max, const char *what, unsigned long *ret, struct err *e)
{
	char shown[64], *end;
	unsigned long n = 0;
	bool good = s[0] >= '0' && s[0] <= '9';

	if (good) {
		errno = 0;
		n = strtoul(s, &end, 10);
		good = errno == 0 && *end == '\0' && n >= min && n <= max;
	}
	if (!good)
		return err_set(e, ERR_INPUT, "%s: expected a number from %lu to %lu, found \"%s\"", what, min, max,
		    text_printable(s, shown, sizeof(shown)));
	*ret = n;
	return 0;
}

static const struct {
	char letter;
	unsigned long seconds;
} units[] = { { 'd', 24UL * 3600 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
#define UNITS (sizeof(units) / sizeof(units[0]))

int
text_duration(const char *s, unsigned long max, const char *what, unsigned long *ret, struct err *e)
{
	char digits[24], shown[64];
	size_t len = strlen(s);
	unsigned long unit = 1, n;

	for (size_t i = 0; i < UNITS && len > 0; i++) {
		if (s[len - 1] == units[i].letter)
			unit = units[i].seconds;
	}
	if (len > 0 && (s[len - 1] < '0' || s[len - 1] > '9'))
		len--;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, s);
	if (len >= sizeof(digits) || (s[len] != '\0' && strchr("dhms", s[len]) == NULL) ||
	    text_number(digits, 0, max / unit, what, &n, NULL) != 0) {
		text_duration_text(max, digits);
		return err_set(e, ERR_INPUT,
		    "%s: expected a time such as 90s, 15m, 24h or 30d, of at most %s, found \"%s\"", what, digits,
		    text_printable(s, shown, sizeof(shown)));
	}
	*ret = n * unit;
	return 0;
}

void
text_duration_text(unsigned long seconds, char out[TEXT_DURATION_SIZE])
{
	size_t i = 0;

	while (i < UNITS - 1 && (seconds == 0 || seconds % units[i].seconds != 0))
		i++;
	(void)snprintf(out, TEXT_DURATION_SIZE, "%lu%c", seconds / units[i].seconds, units[i].letter);
}

void
text_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void
text_hex_number(const void *data, size_t len, char *out)
{
	const unsigned char *p = data;

	while (len > 1 && *p == 0) {
		p++;
		len--;
	}
	text_hex(p, len, out);
}

bool
text_unhex(const char *s, void *data, size_t len)
{
	unsigned char *p = data;

	if (strlen(s) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		p[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

bool
text_is_hex(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

void
text_time(time_t when, char out[TEXT_TIME_SIZE])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(out, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, TEXT_TIME_SIZE, "?");
}

int
text_time_parse(const char *s, const char *what, time_t *ret, struct err *e)
{
	char shown[64], again[TEXT_TIME_SIZE];
	struct tm tm = { 0 };
	const size_t date = strlen("YYYY-MM-DD");
	const char *end;
	time_t when;

	end = strptime(s, strlen(s) == date ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end != NULL && *end == '\0') {
		when = timegm(&tm);
		/* strptime() takes 31 February and 1:2:60: only what prints the same is a time. */
		text_time(when, again);
		if (strncmp(s, again, strlen(s) == date ? date : sizeof(again)) == 0) {
			*ret = when;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, "%s: expected YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, found \"%s\"", what,
	    text_printable(s, shown, sizeof(shown)));
}

void
text_percent_encode(struct buf *out, const char *s)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s != '\0'; s++) {
		if (strchr(unreserved, *s) != NULL)
			buf_add(out, s, 1);
		else
			buf_addf(out, "%%%02X", (unsigned char)*s);
	}
}

bool
text_percent_decode(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_value(s[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(s[i + 2]) : -1;

			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return false;
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		buf_add(out, &c, 1);
	}
	return true;
}

/* Bytes of the UTF-8 sequence at s that is shortest-form, no surrogate, in range and no control; 0 when there is none. */
static size_t
clean_sequence(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t rune;
	size_t n;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f ? 1 : 0;
	n = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc0 || s[0] >= 0xf8 || n > len)
		return 0;
	rune = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (s[i] & 0x3f);
	}
	if (rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff) || rune < 0xa0)
		return 0;
	return n;
}

const char *
text_printable(const char *s, char *out, size_t size)
{
	size_t used = 0, left = strlen(s);

	while (left > 0) {
		size_t n = clean_sequence((const unsigned char *)s, left);
		size_t take = n == 0 ? 1 : n;

		/* Unless all the rest fits, the dots have to. */
		if (used + left >= size && used + take + sizeof("...") > size) {
			if (used + sizeof("...") <= size)
				used += (size_t)snprintf(out + used, size - used, "...");
			break;
		}
		memcpy(out + used, n == 0 ? "?" : s, take);
		used += take;
		s += take;
		left -= take;
	}
	out[used] = '\0';
	return out;
}

bool
text_is_clean(const char *s, size_t len)
{
	while (len > 0) {
		size_t n = clean_sequence((const unsigned char *)s, len);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

bool
text_is_host_name(const char *s)
{
	static const char digits[] = "0123456789";
	static const char inner[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	if (strlen(s) > HOST_NAME_LENGTH)
		return false;
	for (;;) {
		size_t len = strcspn(s, ".");

		if (len == 0 || len > HOST_LABEL_LENGTH || s[0] == '-' || s[len - 1] == '-' || strspn(s, inner) < len)
			return false;
		if (s[len] == '\0')
			return strspn(s, digits) < len;
		s += len + 1;
	}
}
