/* SPDX-License-Identifier: ISC */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include "common/buf.h"
#include "common/err.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The call succeeds; if not, its error text is printed. */
#define assert_ok(call, e) support_assert_ok((call) == 0, &(e), #call, __FILE__, __LINE__)

/* The call fails with that code, and its text contains part. The error is emptied for the next call. */
#define assert_fails(call, e, expected, part) \
	support_assert_fails((call) != 0, &(e), expected, part, #call, __FILE__, __LINE__)

void support_assert_ok(bool good, const struct err *e, const char *call, const char *file, int line);
void support_assert_fails(bool failed, struct err *e, enum err_code expected, const char *part, const char *call,
    const char *file, int line);

/* A new folder under $TMPDIR that support_remove() deletes with all that is in it. The caller frees the name. */
char *support_folder(void);
void support_remove(char *folder);

/* Write a file for a test; the name is folder/name. Returns the path, which the caller frees. */
char *support_file(const char *folder, const char *name, const void *data, size_t len);

/*
 * What a shell command prints, as another program's opinion. input (may be NULL) is its standard input. Fails the test
 * unless it exits with 0.
 */
void support_shell(struct buf *out, const struct buf *input, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
