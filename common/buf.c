/* SPDX-License-Identifier: ISC */
#include "common/buf.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256

/* realloc() would leave a copy of a secret behind, so: a new block, a copy, and the old one cleansed. */
static bool
grow(struct buf *b, size_t more, bool exact)
{
	size_t need, size;
	unsigned char *data;

	if (b->broken)
		return false;
	if (more > b->max - b->len) {
		b->broken = true;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->size)
		return true;
	size = exact ? need : b->size == 0 ? FIRST_SIZE : b->size;
	while (size < need)
		size *= 2;
	data = malloc(size);
	if (data == NULL) {
		b->broken = true;
		return false;
	}
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	OPENSSL_cleanse(b->data, b->len);
	free(b->data);
	b->data = data;
	b->size = size;
	return true;
}

void
buf_reserve(struct buf *b, size_t len)
{
	(void)grow(b, len, true);
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (!grow(b, len, false))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_add_string(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0 || !grow(b, (size_t)len, false)) {
		b->broken = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)len;
}

int
buf_check(const struct buf *b, const char *what, struct err *e)
{
	if (b->broken)
		return err_set(e, ERR_FAILED, "%s: expected at most %zu bytes, found more (or no memory is left)", what,
		    b->max);
	return 0;
}

const char *
buf_string(const struct buf *b)
{
	return b->data == NULL ? "" : (const char *)b->data;
}

void
buf_cut(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	OPENSSL_cleanse(b->data + len, b->len - len);
	b->len = len;
}

void
buf_clear(struct buf *b)
{
	OPENSSL_cleanse(b->data, b->len); /* behind it nothing was ever written */
	b->len = 0;
	b->broken = false;
}

void
buf_release(struct buf *b)
{
	buf_clear(b);
	free(b->data);
	b->data = NULL;
	b->size = 0;
}

void
buf_move(struct buf *to, struct buf *from)
{
	buf_release(to);
	*to = *from;
	*from = (struct buf)BUF_INIT(to->max);
}
