/* SPDX-License-Identifier: ISC */
#include "dseries/firmware.h"

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PARTS_MIN 2
#define PARTS_WRITTEN 3 /* "2_7_0": the vendor never writes fewer */
#define PART_DIGITS 5   /* "57389", the longest seen; five such parts fit into FIRMWARE_SIZE */

/* One number of at most PART_DIGITS digits at *s, which moves behind it. */
static bool
part_parse(const char **s, unsigned int *ret)
{
	size_t len = strspn(*s, "0123456789");
	unsigned int n = 0;

	if (len == 0 || len > PART_DIGITS)
		return false;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (unsigned int)((*s)[i] - '0');
	*s += len;
	*ret = n;
	return true;
}

static bool
parts_parse(const char *s, struct firmware *f)
{
	char separator = '\0';
	size_t count = 0;

	while (part_parse(&s, &f->part[count])) {
		count++;
		if (*s == '\0')
			return count >= PARTS_MIN;
		if (separator == '\0' && (*s == '_' || *s == '.'))
			separator = *s;
		if (*s++ != separator || count == FIRMWARE_PARTS)
			return false;
	}
	return false;
}

int
firmware_parse(const char *s, struct firmware *ret, struct err *e)
{
	struct firmware f = { { 0 } };
	char shown[64];

	if (!parts_parse(s, &f))
		return err_set(e, ERR_INPUT,
		    "firmware: expected two to five numbers joined by '_' or by '.', as in 2_7_0, found \"%s\"",
		    text_printable(s, shown, sizeof(shown)));
	*ret = f;
	return 0;
}

int
firmware_compare(const struct firmware *a, const struct firmware *b)
{
	for (size_t i = 0; i < FIRMWARE_PARTS; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

void
firmware_format(const struct firmware *f, char out[FIRMWARE_SIZE])
{
	size_t count = FIRMWARE_PARTS, used = 0;

	while (count > PARTS_WRITTEN && f->part[count - 1] == 0)
		count--;
	for (size_t i = 0; i < count && used < FIRMWARE_SIZE; i++)
		used += (size_t)snprintf(out + used, FIRMWARE_SIZE - used, i == 0 ? "%u" : "_%u", f->part[i]);
}
