/* SPDX-License-Identifier: ISC */
#include "rollout/management.h"

#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT ">CLIENT:"
#define ENV CLIENT "ENV,"
#define PASSWORD "ENTER PASSWORD:"
#define LIST_FIELDS 11 /* of CLIENT_LIST, up to the client's number; 2.4 has one more, 2.6 two */

struct call {
	void (*each)(void *arg, enum management_event event, const struct management_client *client);
	void *arg;
};

/* What follows prefix in the line, or NULL. */
static const char *
behind(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

static bool
number_read(const char *s, unsigned long *ret)
{
	return text_number(s, 0, INT64_MAX, "number", ret, NULL) == 0;
}

/* ---- a client's block: its event, its environment a variable a line, and an end ---- */

enum {
	SEEN_NAME = 1 << 0,
	SEEN_SINCE = 1 << 1,
	SEEN_IP = 1 << 2,
	SEEN_PORT = 1 << 3,
	SEEN_SERIAL = 1 << 4,
	SEEN_DIGEST = 1 << 5,
	SEEN_SESSION = SEEN_NAME | SEEN_SINCE,
};

/* "0a:1b:...", at most size bytes, to the right of zeros. */
static bool
hex_read(const char *s, unsigned char *out, size_t size)
{
	size_t count = (strlen(s) + 1) / 3;

	if (count == 0 || count > size || strlen(s) != 3 * count - 1)
		return false;
	memset(out, 0, size);
	for (size_t i = 0; i < count; i++) {
		const char digits[3] = { s[3 * i], s[3 * i + 1], '\0' };

		if (!text_unhex(digits, &out[size - count + i], 1) || (i + 1 < count && s[3 * i + 2] != ':'))
			return false;
	}
	return true;
}

static bool
copy(char *field, size_t size, const char *value)
{
	return value[0] != '\0' && text_is_clean(value, strlen(value)) &&
	       text_copy(field, size, value, "value", NULL) == 0;
}

static bool
since_read(struct management_client *c, const char *value)
{
	unsigned long since;

	if (!number_read(value, &since))
		return false;
	c->since = (time_t)since;
	return true;
}

/* A variable that counts; the bit of it, or 0. */
static unsigned int
variable_read(struct management_reader *r, const char *line)
{
	const char *value;

	if ((value = behind(line, "common_name=")) != NULL)
		return copy(r->client.name, sizeof(r->client.name), value) ? SEEN_NAME : 0;
	if ((value = behind(line, "time_unix=")) != NULL)
		return since_read(&r->client, value) ? SEEN_SINCE : 0;
	if ((value = behind(line, "trusted_ip=")) != NULL || (value = behind(line, "trusted_ip6=")) != NULL)
		return copy(r->ip, sizeof(r->ip), value) ? SEEN_IP : 0;
	if ((value = behind(line, "trusted_port=")) != NULL)
		return copy(r->port, sizeof(r->port), value) ? SEEN_PORT : 0;
	if ((value = behind(line, "tls_serial_hex_0=")) != NULL)
		return hex_read(value, r->client.serial, sizeof(r->client.serial)) ? SEEN_SERIAL : 0;
	if ((value = behind(line, "tls_digest_sha256_0=")) != NULL)
		return hex_read(value, r->client.digest, sizeof(r->client.digest)) ? SEEN_DIGEST : 0;
	return 0;
}

static void
block_end(struct management_reader *r, const struct call *call)
{
	struct management_client *c = &r->client;
	const unsigned int certificate = SEEN_SERIAL | SEEN_DIGEST;

	r->in_block = false;
	if ((r->seen & SEEN_SESSION) != SEEN_SESSION)
		return;
	c->has_certificate = (r->seen & certificate) == certificate;
	if ((r->seen & SEEN_IP) != 0)
		(void)snprintf(c->address, sizeof(c->address), strchr(r->ip, ':') != NULL ? "[%s]:%s" : "%s:%s", r->ip,
		    r->port);
	call->each(call->arg, (enum management_event)r->block_event, c);
}

static void
block_line(struct management_reader *r, const char *variable, const struct call *call)
{
	unsigned int bit;

	if (!r->in_block)
		return;
	if (strcmp(variable, "END") == 0) {
		block_end(r, call);
		return;
	}
	bit = variable_read(r, variable);
	/* The server tells each once. Who can make it tell one twice shall gain nothing. */
	if ((r->seen & bit) != 0)
		r->in_block = false;
	r->seen |= bit;
}

static void
block_begin(struct management_reader *r, enum management_event event, const char *id)
{
	unsigned long number;

	r->in_block = number_read(id, &number);
	r->block_event = event;
	r->seen = 0;
	r->client = (struct management_client){ .id = number };
	r->ip[0] = r->port[0] = '\0';
}

static void
client_line(struct management_reader *r, const char *line, const struct call *call)
{
	const char *rest;

	if ((rest = behind(line, ENV)) != NULL) {
		block_line(r, rest, call);
		return;
	}
	r->in_block = false;
	if ((rest = behind(line, CLIENT "ESTABLISHED,")) != NULL)
		block_begin(r, MANAGEMENT_BEGAN, rest);
	else if ((rest = behind(line, CLIENT "DISCONNECT,")) != NULL)
		block_begin(r, MANAGEMENT_ENDED, rest);
	else if (behind(line, CLIENT "CONNECT,") != NULL || behind(line, CLIENT "REAUTH,") != NULL)
		call->each(call->arg, MANAGEMENT_ADMISSION, NULL);
}

/* ---- "status 3" ---- */

/* Where field number i of a line with tabs is; the line is cut into its fields. False when it has fewer. */
static bool
fields_split(char *line, char *fields[LIST_FIELDS])
{
	for (size_t i = 0; i < LIST_FIELDS; i++) {
		fields[i] = strsep(&line, "\t");
		if (fields[i] == NULL)
			return false;
	}
	return true;
}

static void
list_line(char *line, const struct call *call)
{
	struct management_client c = { .id = 0 };
	char *fields[LIST_FIELDS];
	unsigned long id;

	/* UNDEF is a client that has not shown its certificate yet. */
	if (!fields_split(line, fields) || strcmp(fields[1], "UNDEF") == 0 ||
	    !copy(c.name, sizeof(c.name), fields[1]) || !copy(c.address, sizeof(c.address), fields[2]) ||
	    !since_read(&c, fields[8]) || !number_read(fields[10], &id))
		return;
	c.id = id;
	call->each(call->arg, MANAGEMENT_LISTED, &c);
}

static void
line_read(struct management_reader *r, const struct call *call)
{
	if (behind(r->line, CLIENT) != NULL) {
		client_line(r, r->line, call);
	} else if (behind(r->line, ">INFO:OpenVPN Management Interface Version") != NULL) {
		call->each(call->arg, MANAGEMENT_HELLO, NULL);
	} else if (behind(r->line, "SUCCESS: client-kill") != NULL) {
		call->each(call->arg, MANAGEMENT_KILLED, NULL);
	} else if (behind(r->line, "ERROR: client-kill") != NULL) {
		call->each(call->arg, MANAGEMENT_NOT_KILLED, NULL);
	} else if (behind(r->line, ">HOLD:") != NULL) {
		call->each(call->arg, MANAGEMENT_HOLD, NULL);
	} else if (behind(r->line, "TITLE\t") != NULL) {
		r->in_list = true;
	} else if (r->in_list && behind(r->line, "CLIENT_LIST\t") != NULL) {
		list_line(r->line, call);
	} else if (r->in_list && strcmp(r->line, "END") == 0) {
		r->in_list = false;
		call->each(call->arg, MANAGEMENT_LIST_END, NULL);
	}
}

static void
line_end(struct management_reader *r, const struct call *call)
{
	if (r->len > 0 && r->line[r->len - 1] == '\r')
		r->len--;
	r->line[r->len] = '\0';
	if (!r->is_too_long && memchr(r->line, '\0', r->len) == NULL)
		line_read(r, call);
	r->len = 0;
	r->is_too_long = false;
}

void
management_read(struct management_reader *r, const void *data, size_t len,
    void (*each)(void *arg, enum management_event event, const struct management_client *client), void *arg)
{
	const struct call call = { each, arg };
	const char *bytes = data;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			line_end(r, &call);
		else if (r->len < MANAGEMENT_LINE_MAX)
			r->line[r->len++] = bytes[i];
		else
			r->is_too_long = true;
	}
	/* The prompt has no end of line. */
	if (r->len == strlen(PASSWORD) && memcmp(r->line, PASSWORD, r->len) == 0) {
		r->len = 0;
		each(arg, MANAGEMENT_PASSWORD, NULL);
	}
}
