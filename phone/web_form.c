/* SPDX-License-Identifier: ISC */
#include "phone/web_form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define READER_MEMORY 4096
#define FIELD_MAX 128

/* Each field of the form comes once, in one or more pieces. */
enum field {
	FIELD_TOKEN,
	FIELD_ACTION,
	FIELD_ENABLE,
	FIELD_FILE,
	FIELD_COUNT,
};

static const char *const names[FIELD_COUNT] = {
	[FIELD_TOKEN] = "token",
	[FIELD_ACTION] = "action",
	[FIELD_ENABLE] = "enable",
	[FIELD_FILE] = "file",
};

static struct buf *
field_buf(struct web_form *f, enum field field)
{
	switch (field) {
	case FIELD_TOKEN:
		return &f->token;
	case FIELD_ACTION:
		return &f->action;
	case FIELD_ENABLE:
		return &f->enable_value;
	case FIELD_FILE:
	case FIELD_COUNT:
		break;
	}
	return &f->file;
}

static enum MHD_Result
problem(struct web_form *f, const char *text)
{
	if (f->problem == NULL)
		f->problem = text;
	return MHD_NO;
}

static enum MHD_Result
on_part(void *arg, enum MHD_ValueKind kind, const char *key, const char *filename, const char *type,
    const char *encoding, const char *data, uint64_t offset, size_t len)
{
	struct web_form *f = arg;
	unsigned int field = 0;

	(void)kind;
	(void)type;
	(void)encoding;
	while (field < FIELD_COUNT && (key == NULL || strcmp(key, names[field]) != 0))
		field++;
	if (field == FIELD_COUNT)
		return problem(f, "a field that the page does not have");
	/* Of a part whose content is still on its way, the library may show an empty first piece. */
	if (offset == 0 && field_buf(f, field)->len > 0)
		return problem(f, "a field that stands there twice");
	if (field == FIELD_FILE && filename != NULL && filename[0] != '\0')
		f->has_file = true;
	buf_add(field_buf(f, field), data, len);
	return MHD_YES;
}

struct web_form *
web_form_new(struct MHD_Connection *connection)
{
	struct web_form *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->token.max = f->action.max = f->enable_value.max = FIELD_MAX;
	f->file.max = STORE_BUNDLE_MAX;
	f->reader = MHD_create_post_processor(connection, READER_MEMORY, on_part, f);
	if (f->reader == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

void
web_form_free(struct web_form *f)
{
	if (f == NULL)
		return;
	if (f->reader != NULL)
		(void)MHD_destroy_post_processor(f->reader);
	buf_release(&f->token);
	buf_release(&f->action);
	buf_release(&f->enable_value);
	buf_release(&f->file);
	free(f);
}

void
web_form_take(struct web_form *f, const char *data, size_t len)
{
	if (f->problem == NULL && MHD_post_process(f->reader, data, len) != MHD_YES)
		(void)problem(f, "a form that cannot be read");
}

enum web_action
web_form_action(struct web_form *f)
{
	static const struct {
		const char *name;
		enum web_action action;
	} actions[] = {
		{ "submit", WEB_ACTION_SUBMIT },
		{ "delete", WEB_ACTION_DELETE },
		{ "revert", WEB_ACTION_REVERT },
	};

	/* The last piece may be handed over only here. */
	if (f->reader != NULL && MHD_destroy_post_processor(f->reader) != MHD_YES)
		(void)problem(f, "a form that ends too early");
	f->reader = NULL;
	f->enable = strcmp(buf_string(&f->enable_value), "1") == 0;
	for (size_t i = 0; f->problem == NULL && i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(buf_string(&f->action), actions[i].name) == 0)
			return actions[i].action;
	}
	(void)problem(f, "no action that the page has");
	return WEB_ACTION_NONE;
}
