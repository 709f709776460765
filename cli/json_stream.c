/* SPDX-License-Identifier: ISC */
#include "cli/json_stream.h"

#include <stdio.h>
#include <stdlib.h>

static void
member(struct json_stream *s, const char *name)
{
	(void)printf("%s\n  \"%s\": ", s->open ? "," : "{", name);
	s->open = true;
}

void
json_stream_list(struct json_stream *s, const char *name)
{
	member(s, name);
	(void)printf("[");
	s->in_list = true;
	s->elements = 0;
}

void
json_stream_list_end(struct json_stream *s)
{
	(void)printf("%s]", s->elements > 0 ? "\n  " : "");
	s->in_list = false;
}

int
json_stream_add(struct json_stream *s, json_t *element, struct err *e)
{
	char *text = element != NULL ? json_dumps(element, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

	json_decref(element);
	if (text == NULL)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	(void)printf("%s\n    %s", s->elements++ > 0 ? "," : "", text);
	free(text);
	return 0;
}

void
json_stream_number(struct json_stream *s, const char *name, size_t value)
{
	member(s, name);
	(void)printf("%zu", value);
}

void
json_stream_end(struct json_stream *s)
{
	if (s->in_list)
		json_stream_list_end(s);
	if (s->open)
		(void)printf("\n}\n");
	s->open = false;
}
