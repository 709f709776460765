/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_HTTP_LOG_FILE_H
#define PROVISIONER_HTTP_LOG_FILE_H

#include "common/err.h"

#include <stddef.h>

/*
 * Inside provisioner/http*.c only: where the access log goes. A line is written at once when all is quiet. In a storm
 * lines are gathered, and written after HTTP_LOG_DELAY_MS or when they fill a buffer, so that a kill loses no more than
 * those; none is lost at an orderly end. Threads may share it.
 */
struct http_log_file;

#define HTTP_LOG_DELAY_MS 200
#define HTTP_LOG_LINE_MAX 2048
#define HTTP_LOG_TIME_SIZE 32

/* path NULL: stderr, after the program's name. NULL on failure. */
struct http_log_file *http_log_file_open(const char *path, struct err *e);

/* Writes what is there. Takes NULL. */
void http_log_file_close(struct http_log_file *f);

/* Open the path again; lines until now go to the former file, which stays when that fails. */
int http_log_file_reopen(struct http_log_file *f, struct err *e);

/* This moment, as the log has it: "25/Nov/2026:14:20:00 +0000". */
void http_log_file_time(struct http_log_file *f, char out[HTTP_LOG_TIME_SIZE]);

/* A line without its end, at most HTTP_LOG_LINE_MAX bytes. */
void http_log_file_add(struct http_log_file *f, const char *line, size_t len);

/* Write what was gathered now. */
void http_log_file_flush(struct http_log_file *f);

#endif
