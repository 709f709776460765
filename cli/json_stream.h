/* SPDX-License-Identifier: ISC */
#ifndef CLI_JSON_STREAM_H
#define CLI_JSON_STREAM_H

#include "common/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A JSON object on standard output whose lists are as long as a fleet, so that it is printed as it comes and never held.
 * Begins as zeros; nothing is printed before its first member.
 */
struct json_stream {
	bool open, in_list;
	size_t elements;
};

/* A member that is a list; what is added until json_stream_list_end() is its elements. */
void json_stream_list(struct json_stream *s, const char *name);
void json_stream_list_end(struct json_stream *s);

/* Takes the element, also when it fails; NULL is what jansson gives without memory. */
int json_stream_add(struct json_stream *s, json_t *element, struct err *e);

void json_stream_number(struct json_stream *s, const char *name, size_t value);

/* Close what is open, so that what was printed is JSON whatever happened; nothing where nothing was begun. */
void json_stream_end(struct json_stream *s);

#endif
