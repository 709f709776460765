/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A growing byte string with a hard maximum. Adding never fails at the place of the call: a buffer that ran over its
 * maximum or out of memory stays broken, and buf_check() says so once at the end. Memory is cleansed before it is
 * freed, so a buffer may hold a secret. data is NUL-terminated behind len, and NULL only in an unused buffer.
 */
struct buf {
	unsigned char *data;
	size_t len;
	size_t size;
	size_t max;
	bool broken;
};

#define BUF_INIT(maximum) { .max = (maximum) }

void buf_add(struct buf *b, const void *data, size_t len);

/* Make room for len more bytes at once, which saves moving and cleansing what is there time and again. */
void buf_reserve(struct buf *b, size_t len);

void buf_add_string(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0, or -1 with the reason (over the maximum, no memory); what names the content in the text. */
int buf_check(const struct buf *b, const char *what, struct err *e);

/* The content as a string, "" when nothing was added. Borrowed: valid until the next change. */
const char *buf_string(const struct buf *b);

/* Take away, and cleanse, what stands behind the first len bytes. */
void buf_cut(struct buf *b, size_t len);

/* Empty it and keep the memory, cleansed. */
void buf_clear(struct buf *b);

/* Cleanse and free the memory; the buffer may be used again. */
void buf_release(struct buf *b);

/* Hand the content of one buffer to another, whose former content is released. */
void buf_move(struct buf *to, struct buf *from);

#endif
