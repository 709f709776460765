/* SPDX-License-Identifier: ISC */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/* What went wrong, for the caller to act on. err_exit_status() and its neighbours map it outwards. */
enum err_code {
	ERR_NONE = 0,
	ERR_FAILED,	/* the work could not be done: system, network, memory */
	ERR_INPUT,	/* a file or a message holds what it must not hold */
	ERR_USAGE,	/* the command line is wrong */
	ERR_NOT_FOUND,	/* the named thing does not exist */
	ERR_DENIED,	/* it is there, and the login to it was refused */
	ERR_CONFLICT,	/* it exists already, is locked, or belongs to another version */
	ERR_INTEGRITY,	/* a key, hash or signature does not fit: do not trust what was read */
};

#define ERR_TEXT_MAX 1024

/*
 * One error. A function that fails fills it once and returns -1 or NULL; on success it is not touched.
 * The text names the object, what was expected and what was found; it never holds a secret.
 */
struct err {
	enum err_code code;
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT { .code = ERR_NONE }

/* Fill e (which may be NULL); the text is cut at ERR_TEXT_MAX - 1 bytes. Always returns -1. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of errnum behind. ENOENT and EEXIST keep the given code. */
int err_errno(struct err *e, enum err_code code, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, with OpenSSL's queued reasons behind; the queue is empty afterwards. */
int err_openssl(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "context: " before the text that is already there. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What was filled in came from the command line: make its code ERR_USAGE. Always returns -1. */
int err_usage(struct err *e);

/* Exit status of both programs: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 integrity. */
int err_exit_status(enum err_code code);

/* HTTP status, RFC 9110 section 15. */
unsigned int err_http_status(enum err_code code);

/* Stable name for scripts ("not_found"). */
const char *err_name(enum err_code code);

#endif
