/* SPDX-License-Identifier: ISC */
#include "phone/store_state.h"

#include "common/text.h"

#include <string.h>

/* 1 had no admin_password and no local override. */
#define STATE_FORMAT 2
#define STATE_FORMAT_OLDEST 1

static bool
md5_is_valid(const char *md5)
{
	return md5[0] == '\0' || text_is_hex(md5, MD5_HEX_SIZE - 1);
}

/* One string of the document into a field; absent counts as "". */
static int
field_read(const json_t *doc, const char *name, char *field, size_t size, struct err *e)
{
	const json_t *value = json_object_get(doc, name);

	if (value == NULL)
		return 0;
	if (!json_is_string(value))
		return err_set(e, ERR_INTEGRITY, "%s: expected a string, found none", name);
	return text_copy(field, size, json_string_value(value), name, e);
}

static int
local_decode(struct store_local *l, const json_t *doc, struct err *e)
{
	if (field_read(doc, "md5", l->md5, sizeof(l->md5), e) != 0)
		return -1;
	l->on = json_is_true(json_object_get(doc, "on"));
	l->enable = json_is_true(json_object_get(doc, "enable"));
	return 0;
}

int
store_state_decode(struct store *s, const json_t *doc, struct err *e)
{
	json_int_t format = json_integer_value(json_object_get(doc, "format"));
	char again[MAC_SIZE];

	if (format < STATE_FORMAT_OLDEST || format > STATE_FORMAT)
		return err_set(e, ERR_CONFLICT, "expected format %d, found %lld: another version of refphone wrote it",
		    STATE_FORMAT, (long long)format);
	if (field_read(doc, "mac", s->mac, sizeof(s->mac), e) != 0 ||
	    field_read(doc, "model", s->model, sizeof(s->model), e) != 0 ||
	    field_read(doc, "firmware", s->firmware, sizeof(s->firmware), e) != 0 ||
	    field_read(doc, "config_url", s->config_url, sizeof(s->config_url), e) != 0 ||
	    field_read(doc, "admin_password", s->admin_password, sizeof(s->admin_password), e) != 0 ||
	    field_read(doc, "md5", s->md5, sizeof(s->md5), e) != 0 ||
	    field_read(doc, "tunnel_md5", s->tunnel_md5, sizeof(s->tunnel_md5), e) != 0 ||
	    field_read(doc, "tunnel_failure", s->tunnel_failure, sizeof(s->tunnel_failure), e) != 0 ||
	    local_decode(&s->local, json_object_get(doc, "local"), e) != 0)
		return -1;
	if (mac_parse(s->mac, again, e) != 0)
		return -1;
	if (strcmp(s->mac, again) != 0 || !md5_is_valid(s->md5) || !md5_is_valid(s->tunnel_md5) ||
	    !md5_is_valid(s->local.md5))
		return err_set(e, ERR_INTEGRITY, "expected a MAC and md5s in hex, found others");
	s->enable = json_is_true(json_object_get(doc, "enable"));
	s->logging = json_is_true(json_object_get(doc, "logging"));
	return 0;
}

json_t *
store_state_encode(const struct store *s)
{
	const struct store_local *l = &s->local;

	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:s,s:s,s:s,s:{s:b,s:b,s:s}}", "format", STATE_FORMAT, "mac",
	    s->mac, "model", s->model, "firmware", s->firmware, "config_url", s->config_url, "admin_password",
	    s->admin_password, "enable", s->enable, "logging", s->logging, "md5", s->md5, "tunnel_md5", s->tunnel_md5,
	    "tunnel_failure", s->tunnel_failure, "local", "on", l->on, "enable", l->enable, "md5", l->md5);
}
