/* SPDX-License-Identifier: ISC */
#include "cli/phone_fields.h"

#include "common/log.h"
#include "common/process.h"
#include "common/text.h"
#include "dseries/mac.h"
#include "dseries/model.h"

#include <string.h>

#define PASSWORD_LENGTH 24
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static const char *const names[FIELD_COUNT] = {
	[FIELD_MAC] = "mac",
	[FIELD_MODEL] = "model",
	[FIELD_FIRMWARE] = "firmware",
	[FIELD_EXTENSION] = "extension",
	[FIELD_SECRET] = "secret",
	[FIELD_LABEL] = "label",
	[FIELD_GROUP] = "group",
	[FIELD_HTTP_USER] = "http_user",
	[FIELD_HTTP_PASSWORD] = "http_password",
};

const char *
phone_field_name(enum phone_field field)
{
	return names[field];
}

static int
put_model(struct phone_draft *d, const char *value, struct err *e)
{
	const struct model *m;

	if (model_parse(value, &m, e) != 0)
		return -1;
	return text_copy(d->phone.model, sizeof(d->phone.model), m->name, "model", e);
}

static int
put_firmware(struct phone_draft *d, const char *value, struct err *e)
{
	struct firmware f;

	if (value[0] == '\0') {
		d->phone.firmware[0] = '\0';
		return 0;
	}
	if (firmware_parse(value, &f, e) != 0)
		return -1;
	firmware_format(&f, d->phone.firmware);
	return 0;
}

/* Text of some alphabet, which the message describes. */
static int
put_word(char *field, size_t size, const char *value, const char *alphabet, const char *name, struct err *e)
{
	char shown[64];

	if (value[strspn(value, alphabet)] != '\0')
		return err_set(e, ERR_INPUT, "%s: expected letters, digits and %s, found \"%s\"", name,
		    alphabet + strlen(LETTERS DIGITS), text_printable(value, shown, sizeof(shown)));
	return text_copy(field, size, value, name, e);
}

/* Line breaks of a spreadsheet's cell become blanks: the label is one line on a phone's screen. */
static int
put_label(struct phone_draft *d, const char *value, struct err *e)
{
	char label[sizeof(d->phone.label)];

	if (text_copy(label, sizeof(label), value, "label", e) != 0)
		return -1;
	for (char *p = label; *p != '\0'; p++) {
		if (p[0] == '\r' && p[1] == '\n')
			memmove(p, p + 1, strlen(p));
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	if (!text_is_clean(label, strlen(label)))
		return err_set(e, ERR_INPUT,
		    "label: expected UTF-8 text, found control characters or another encoding");
	return text_copy(d->phone.label, sizeof(d->phone.label), label, "label", e);
}

/* The value itself must not show in a message. */
static int
put_secret(struct buf *field, const char *value, const char *name, struct err *e)
{
	size_t len = strlen(value);

	if (len > field->max)
		return err_set(e, ERR_INPUT, "%s: expected at most %zu bytes, found %zu", name, field->max, len);
	if (!text_is_clean(value, len))
		return err_set(e, ERR_INPUT, "%s: expected UTF-8 text without control characters", name);
	buf_clear(field);
	buf_add(field, value, len);
	return buf_check(field, name, e);
}

int
phone_field_put(struct phone_draft *d, enum phone_field field, const char *value, struct err *e)
{
	struct db_phone *p = &d->phone;

	switch (field) {
	case FIELD_MAC:
		return mac_parse(value, p->mac, e);
	case FIELD_MODEL:
		return put_model(d, value, e);
	case FIELD_FIRMWARE:
		return put_firmware(d, value, e);
	case FIELD_EXTENSION:
		return put_word(p->extension, sizeof(p->extension), value, LETTERS DIGITS "._+*#-", "extension", e);
	case FIELD_SECRET:
		return put_secret(&d->secret, value, "secret", e);
	case FIELD_LABEL:
		return put_label(d, value, e);
	case FIELD_GROUP:
		return put_word(p->group, sizeof(p->group), value, LETTERS DIGITS "._-", "group", e);
	case FIELD_HTTP_USER:
		/* Basic ends a user at ':' (RFC 7617 section 2), Digest quotes it. */
		return put_word(p->http_user, sizeof(p->http_user), value, LETTERS DIGITS "._@+-", "http_user", e);
	case FIELD_HTTP_PASSWORD:
		return put_secret(&d->http_password, value, "http_password", e);
	case FIELD_COUNT:
		break;
	}
	return err_set(e, ERR_FAILED, "field %d: not known", (int)field);
}

int
phone_password_new(struct buf *out, struct err *e)
{
	static const char alphabet[] = LETTERS DIGITS;
	const unsigned int letters = sizeof(alphabet) - 1, fair = 256 - 256 % letters;
	unsigned int length = 0;
	unsigned char c;

	while (length < PASSWORD_LENGTH) {
		if (process_random(&c, 1, e) != 0)
			return -1;
		if (c >= fair)
			continue;
		buf_add(out, &alphabet[c % letters], 1);
		length++;
	}
	return buf_check(out, "password", e);
}

int
phone_draft_finish(struct phone_draft *d, struct err *e)
{
	if (d->phone.mac[0] == '\0')
		return err_set(e, ERR_INPUT, "mac: expected a MAC address, found nothing");
	if (d->phone.model[0] == '\0')
		return put_model(d, "", e);
	if (d->phone.http_user[0] == '\0' &&
	    text_copy(d->phone.http_user, sizeof(d->phone.http_user), d->phone.mac, "http_user", e) != 0)
		return -1;
	if (d->http_password.len == 0)
		return phone_password_new(&d->http_password, e);
	return 0;
}

struct db_phone_new
phone_draft_new(const struct phone_draft *d)
{
	return (struct db_phone_new){
		.phone = d->phone,
		.secret = d->secret.len > 0 ? buf_string(&d->secret) : NULL,
		.http_password = buf_string(&d->http_password),
	};
}

void
phone_draft_release(struct phone_draft *d)
{
	buf_release(&d->secret);
	buf_release(&d->http_password);
}

int
phone_argument(const char *s, char ret_mac[DB_MAC_SIZE], struct err *e)
{
	if (mac_parse(s, ret_mac, e) == 0)
		return 0;
	return err_usage(e);
}

void
phone_warn_mac(const struct invocation *in, const char *mac)
{
	const char *vendor = mac_vendor(mac);

	if (in->quiet || mac_is_dseries(mac))
		return;
	log_warn("%s: expected an address of Digium's (000fd3...), as every D-series phone seen so far has, found %s%s",
	    mac, vendor != NULL ? "one of " : "another vendor's", vendor != NULL ? vendor : "");
}
