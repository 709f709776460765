/* SPDX-License-Identifier: ISC */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define TEXT_TIME_SIZE 21 /* "2026-11-23T21:44:39Z" and NUL */

/* printf into new memory that the caller frees; NULL when there is none. */
char *text_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Copy s into a field of size bytes. -1 with ERR_INPUT when it does not fit; nothing is cut. what names the field.
 */
int text_copy(char *field, size_t size, const char *s, const char *what, struct err *e);

/*
 * A decimal number without sign, blanks or anything behind it, from min to max. what names it in the text; the code
 * is ERR_INPUT.
 */
int text_number(const char *s, unsigned long min, unsigned long max, const char *what, unsigned long *ret,
    struct err *e);

/* Seconds, as a number and s, m, h or d; a number alone counts seconds. From 0 to max; else as text_number(). */
int text_duration(const char *s, unsigned long max, const char *what, unsigned long *ret, struct err *e);

/* The shortest of that: "90m", "1d". */
#define TEXT_DURATION_SIZE 24
void text_duration_text(unsigned long seconds, char out[TEXT_DURATION_SIZE]);

/* Lower-case hex, two digits a byte, and NUL: out holds 2 * len + 1 bytes. */
void text_hex(const void *data, size_t len, char *out);

/* The same for a big-endian number: without the zero bytes in front of it, but for the last. */
void text_hex_number(const void *data, size_t len, char *out);

/* The reverse of text_hex(), exact: s has 2 * len hex digits of either case. False when it has not. */
bool text_unhex(const char *s, void *data, size_t len);

/* s is exactly len lower-case hex digits. */
bool text_is_hex(const char *s, size_t len);

/* UTC, RFC 3339 with seconds. */
void text_time(time_t when, char out[TEXT_TIME_SIZE]);

/* "YYYY-MM-DD" or RFC 3339 in UTC ("...Z"). ERR_INPUT otherwise; what names it. */
int text_time_parse(const char *s, const char *what, time_t *ret, struct err *e);

/* Append s with all but RFC 3986 section 2.3's unreserved characters percent-encoded. */
void text_percent_encode(struct buf *out, const char *s);

/*
 * Decode RFC 3986 percent-encoding of s (len bytes) onto out. False on a broken escape or an encoded NUL.
 */
bool text_percent_decode(struct buf *out, const char *s, size_t len);

/*
 * s fit for a message on a terminal: control characters and broken UTF-8 become '?', and it is cut, with "...",
 * where out is full. Returns out.
 */
const char *text_printable(const char *s, char *out, size_t size);

/*
 * s is a host name: RFC 1123 section 2.1, letters, digits and inner hyphens, labels of 1 to 63, at most 253; the last
 * label is no number, or it would be an address.
 */
bool text_is_host_name(const char *s);

/* s is UTF-8 (RFC 3629) without control characters (C0, DEL, C1). */
bool text_is_clean(const char *s, size_t len);

#endif
