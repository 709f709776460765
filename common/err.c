/* SPDX-License-Identifier: ISC */
#include "common/err.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int exit_status;
	unsigned int http_status;
	const char *name;
} codes[] = {
	[ERR_NONE] = { 0, 200, "none" },
	[ERR_FAILED] = { 1, 500, "failed" },
	[ERR_INPUT] = { 1, 400, "input" },
	[ERR_USAGE] = { 2, 400, "usage" },
	[ERR_NOT_FOUND] = { 3, 404, "not_found" },
	[ERR_DENIED] = { 1, 403, "denied" },
	[ERR_CONFLICT] = { 4, 409, "conflict" },
	[ERR_INTEGRITY] = { 5, 500, "integrity" },
};

/* Append to the text, silently cut at its end: a message is worth more short than not at all. */
__attribute__((format(printf, 2, 0))) static void
text_append(struct err *e, const char *fmt, va_list ap)
{
	size_t used = strlen(e->text);

	(void)vsnprintf(e->text + used, sizeof(e->text) - used, fmt, ap);
}

__attribute__((format(printf, 3, 0))) static void
fill(struct err *e, enum err_code code, const char *fmt, va_list ap)
{
	e->code = code;
	e->text[0] = '\0';
	text_append(e, fmt, ap);
}

__attribute__((format(printf, 2, 3))) static void
text_appendf(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_append(e, fmt, ap);
	va_end(ap);
}

int
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_errno(struct err *e, enum err_code code, int errnum, const char *fmt, ...)
{
	va_list ap;
	char reason[128];

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	text_appendf(e, ": %s", strerror_r(errnum, reason, sizeof(reason)));
	return -1;
}

int
err_openssl(struct err *e, enum err_code code, const char *fmt, ...)
{
	unsigned long queued;
	va_list ap;

	if (e == NULL) {
		ERR_clear_error();
		return -1;
	}
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	while ((queued = ERR_get_error()) != 0) {
		const char *reason = ERR_reason_error_string(queued);

		if (reason != NULL)
			text_appendf(e, ": %s", reason);
		else
			text_appendf(e, ": OpenSSL error %lx", queued);
	}
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char rest[ERR_TEXT_MAX];
	va_list ap;

	if (e == NULL)
		return -1;
	memcpy(rest, e->text, sizeof(rest));
	va_start(ap, fmt);
	fill(e, e->code, fmt, ap);
	va_end(ap);
	text_appendf(e, ": %s", rest);
	return -1;
}

int
err_usage(struct err *e)
{
	if (e != NULL)
		e->code = ERR_USAGE;
	return -1;
}

int
err_exit_status(enum err_code code)
{
	return codes[code].exit_status;
}

unsigned int
err_http_status(enum err_code code)
{
	return codes[code].http_status;
}

const char *
err_name(enum err_code code)
{
	return codes[code].name;
}
