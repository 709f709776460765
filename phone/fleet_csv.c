/* SPDX-License-Identifier: ISC */
#include "phone/fleet_csv.h"

#include "common/rows.h"
#include "common/text.h"
#include "phone/fleet_login.h"
#include "phone/settings.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAX 128 /* bytes of a user or a password */

enum column {
	COLUMN_MAC,
	COLUMN_MODEL,
	COLUMN_FIRMWARE,
	COLUMN_CONFIG_URL,
	COLUMN_HTTP_USER,
	COLUMN_HTTP_PASSWORD,
	COLUMN_USED, /* those behind it belong to phonevpn */
	COLUMN_EXTENSION = COLUMN_USED,
	COLUMN_SECRET,
	COLUMN_LABEL,
	COLUMN_GROUP,
	COLUMN_COUNT,
};

static const char *const column_names[COLUMN_COUNT] = {
	[COLUMN_MAC] = "mac",
	[COLUMN_MODEL] = "model",
	[COLUMN_FIRMWARE] = "firmware",
	[COLUMN_CONFIG_URL] = "config_url",
	[COLUMN_HTTP_USER] = "http_user",
	[COLUMN_HTTP_PASSWORD] = "http_password",
	[COLUMN_EXTENSION] = "extension",
	[COLUMN_SECRET] = "secret",
	[COLUMN_LABEL] = "label",
	[COLUMN_GROUP] = "group",
};

/* A row under construction. */
struct row {
	struct fleet_phone phone;
	bool firmware_known;
	char url[SETTINGS_URL_SIZE], user[FIELD_MAX + 1], password[FIELD_MAX + 1];
};

struct reader {
	struct fleet_list *list;
	struct row row;
};

static int
put_model(struct fleet_phone *p, const char *value, struct err *e)
{
	char shown[40];

	p->model = model_find(value);
	if (p->model == NULL)
		return err_set(e, ERR_INPUT, "model: expected D40, D45, D50, D60, D62, D65, D70 or D80, found \"%s\"",
		    text_printable(value, shown, sizeof(shown)));
	return 0;
}

/* The text is not repeated: it is, or holds, a password. */
static int
put_text(char *field, size_t size, const char *value, const char *name, struct err *e)
{
	if (!text_is_clean(value, strlen(value)))
		return err_set(e, ERR_INPUT, "%s: expected UTF-8 without control characters, found other bytes", name);
	return text_copy(field, size, value, name, e);
}

static int
take_field(void *arg, size_t number, const char *value, struct err *e)
{
	struct row *row = &((struct reader *)arg)->row;
	enum column column = (enum column)number;
	const char *name = column_names[column];

	if (value[0] == '\0')
		return 0;
	switch (column) {
	case COLUMN_MAC:
		return mac_parse(value, row->phone.mac, e);
	case COLUMN_MODEL:
		return put_model(&row->phone, value, e);
	case COLUMN_FIRMWARE:
		row->firmware_known = true;
		return firmware_parse(value, &row->phone.firmware, e);
	case COLUMN_CONFIG_URL:
		return put_text(row->url, sizeof(row->url), value, name, e);
	case COLUMN_HTTP_USER:
		if (strchr(value, ':') != NULL)
			return err_set(e, ERR_INPUT, "%s: expected no ':' (RFC 7617 section 2), found one", name);
		return put_text(row->user, sizeof(row->user), value, name, e);
	case COLUMN_HTTP_PASSWORD:
		return put_text(row->password, sizeof(row->password), value, name, e);
	case COLUMN_EXTENSION:
	case COLUMN_SECRET:
	case COLUMN_LABEL:
	case COLUMN_GROUP:
	case COLUMN_COUNT:
		break;
	}
	return 0;
}

/* The row as a whole is a phone. login: "user:password", percent-encoded. */
static int
row_check(struct row *row, struct buf *login, struct err *e)
{
	struct fleet_phone *p = &row->phone;

	if (p->mac[0] == '\0' || p->model == NULL)
		return err_set(e, ERR_INPUT, "expected a mac and a model, found no %s",
		    p->mac[0] == '\0' ? "mac" : "model");
	if (row->user[0] != '\0' && row->password[0] == '\0')
		return err_set(e, ERR_INPUT, "http_user: expected an http_password with it, found none");
	if (!row->firmware_known)
		p->firmware = p->model->recommended;
	p->vpn = model_check_openvpn(p->model, &p->firmware, NULL) == 0;
	if (row->password[0] == '\0')
		return 0;
	if (fleet_login_is_in(row->url))
		return err_set(e, ERR_INPUT, "expected one login, found one in config_url and an http_password");
	text_percent_encode(login, row->user[0] != '\0' ? row->user : p->mac);
	buf_add_string(login, ":");
	text_percent_encode(login, row->password);
	return buf_check(login, "login", e);
}

static int
row_add(struct reader *r, unsigned long line, struct err *bad, struct err *e)
{
	struct buf login = BUF_INIT(8 * FIELD_MAX), url = BUF_INIT(SETTINGS_URL_SIZE - 1);
	struct fleet_phone *p = &r->row.phone;
	int rc;

	p->line = (uint32_t)line;
	if (bad->code == ERR_NONE && row_check(&r->row, &login, bad) == 0)
		rc = fleet_list_add(r->list, p, r->row.url, buf_string(&login), e);
	else
		rc = fleet_list_problem(r->list, line, bad->text, e);
	/* Known by now, and wrong before it is used: a URL of its own. */
	if (rc == 0 && bad->code == ERR_NONE && r->row.url[0] != '\0' &&
	    fleet_url_check(r->list, &r->list->phones[r->list->count - 1], "", &url, bad) != 0) {
		r->list->count--;
		rc = fleet_list_problem(r->list, line, bad->text, e);
	}
	buf_release(&login);
	buf_release(&url);
	return rc;
}

static int
take_row(void *arg, unsigned long line, const struct err *bad, struct err *e)
{
	struct reader *r = arg;
	struct err mine = *bad;
	int rc;

	r->list->rows++;
	rc = row_add(r, line, &mine, e);
	OPENSSL_cleanse(&r->row, sizeof(r->row));
	return rc;
}

int
fleet_csv_parse(const void *data, size_t len, struct fleet_list *ret, struct err *e)
{
	struct reader r = { .list = ret };
	const struct rows_format format = {
		.columns = column_names,
		.count = COLUMN_COUNT,
		.required = COLUMN_MODEL + 1,
		.shown = "mac, model, firmware, config_url, http_user, http_password",
		.arg = &r,
		.field = take_field,
		.row = take_row,
	};
	int rc = rows_read(&format, data, len, e);

	OPENSSL_cleanse(&r.row, sizeof(r.row));
	return rc == 0 ? fleet_list_finish(ret, e) : -1;
}
