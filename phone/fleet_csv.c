/* SPDX-License-Identifier: ISC */
#include "phone/fleet_csv.h"

#include "common/text.h"
#include "phone/login.h"
#include "phone/settings.h"

#include <csv.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 32
#define FIELD_MAX 128 /* bytes of a user or a password */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define PARSER_OPTIONS (CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL)

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

/* What libcsv's callbacks know. The first failure of the whole file stays in e. */
struct reader {
	struct fleet_list *list;
	struct err *e;
	bool failed;
	bool header_done;
	bool row_ended;     /* in the physical line that is being fed */
	unsigned long line; /* that the row began on */
	enum column columns[COLUMNS_MAX];
	size_t column_count;
	size_t at; /* column of the next field */
	struct row row;
	struct err bad; /* the row's first problem */
};

static int
fail(struct reader *r, const char *expected, const char *found)
{
	r->failed = true;
	return err_set(r->e, ERR_INPUT, "line %lu: expected %s, found %s", r->line, expected, found);
}

static void
header_field(struct reader *r, const char *name)
{
	char shown[64];
	unsigned int i = 0;

	if (r->at >= COLUMNS_MAX) {
		fail(r, "at most 32 columns", "more");
		return;
	}
	while (i < COLUMN_COUNT && strcasecmp(name, column_names[i]) != 0)
		i++;
	if (i == COLUMN_COUNT) {
		fail(r, "a row of column names (mac, model, firmware, config_url, http_user, http_password)",
		    text_printable(name, shown, sizeof(shown)));
		return;
	}
	for (size_t n = 0; n < r->at; n++) {
		if (r->columns[n] == (enum column)i) {
			fail(r, "each column once", column_names[i]);
			return;
		}
	}
	r->columns[r->at] = (enum column)i;
}

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
field_put(struct row *row, enum column column, const char *value, struct err *e)
{
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

static void
on_field(void *data, size_t len, void *arg)
{
	struct reader *r = arg;
	const char *value = data == NULL ? "" : data;

	if (r->failed)
		return;
	if (strlen(value) != len && !r->header_done) {
		fail(r, "a row of column names", "a NUL byte");
	} else if (strlen(value) != len) {
		if (r->bad.code == ERR_NONE)
			err_set(&r->bad, ERR_INPUT, "expected text, found a NUL byte");
	} else if (!r->header_done) {
		header_field(r, value);
	} else if (r->at < r->column_count && r->bad.code == ERR_NONE) {
		(void)field_put(&r->row, r->columns[r->at], value, &r->bad);
	}
	r->at++;
}

static void
header_end(struct reader *r)
{
	bool mac = false, model = false;

	for (size_t i = 0; i < r->at; i++) {
		mac = mac || r->columns[i] == COLUMN_MAC;
		model = model || r->columns[i] == COLUMN_MODEL;
	}
	r->header_done = true;
	r->column_count = r->at;
	if (!mac || !model)
		fail(r, "the columns mac and model", mac ? "no model" : "no mac");
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
	if (login_is_in(row->url))
		return err_set(e, ERR_INPUT, "expected one login, found one in config_url and an http_password");
	text_percent_encode(login, row->user[0] != '\0' ? row->user : p->mac);
	buf_add_string(login, ":");
	text_percent_encode(login, row->password);
	return buf_check(login, "login", e);
}

static int
row_add(struct reader *r)
{
	struct buf login = BUF_INIT(8 * FIELD_MAX), url = BUF_INIT(SETTINGS_URL_SIZE - 1);
	struct fleet_phone *p = &r->row.phone;
	int rc;

	if (r->bad.code == ERR_NONE && r->at != r->column_count)
		err_set(&r->bad, ERR_INPUT, "expected %zu fields, found %zu", r->column_count, r->at);
	p->line = (uint32_t)r->line;
	if (r->bad.code == ERR_NONE && row_check(&r->row, &login, &r->bad) == 0)
		rc = fleet_list_add(r->list, p, r->row.url, buf_string(&login), r->e);
	else
		rc = fleet_list_problem(r->list, r->line, r->bad.text, r->e);
	/* Known by now, and wrong before it is used: a URL of its own. */
	if (rc == 0 && r->bad.code == ERR_NONE && r->row.url[0] != '\0' &&
	    fleet_url_check(r->list, &r->list->phones[r->list->count - 1], "", &url, &r->bad) != 0) {
		r->list->count--;
		rc = fleet_list_problem(r->list, r->line, r->bad.text, r->e);
	}
	buf_release(&login);
	buf_release(&url);
	return rc;
}

static void
row_clear(struct reader *r)
{
	OPENSSL_cleanse(&r->row, sizeof(r->row));
	r->bad = (struct err)ERR_INIT;
	r->at = 0;
}

static void
on_row(int terminator, void *arg)
{
	struct reader *r = arg;

	(void)terminator;
	r->row_ended = true;
	if (r->failed)
		return;
	if (!r->header_done) {
		header_end(r);
		r->at = 0;
		return;
	}
	r->list->rows++;
	if (row_add(r) != 0)
		r->failed = true;
	row_clear(r);
}

/* A quote out of place costs its row; the next line is read as the beginning of a row, so that its faults show, too. */
static int
row_broken(struct reader *r, struct csv_parser *parser, unsigned long line)
{
	static const char text[] = "a quote stands where none may stand (RFC 4180 section 2)";

	if (csv_error(parser) != CSV_EPARSE)
		return err_set(r->e, ERR_FAILED, "line %lu: %s", line, csv_strerror(csv_error(parser)));
	if (!r->header_done)
		return err_set(r->e, ERR_INPUT, "line %lu: %s", line, text);
	csv_free(parser);
	if (csv_init(parser, PARSER_OPTIONS) != 0)
		return err_set(r->e, ERR_FAILED, "CSV: no memory");
	row_clear(r);
	r->list->rows++;
	return fleet_list_problem(r->list, line, text, r->e);
}

static bool
is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0')
			return false;
	}
	return true;
}

/* libcsv counts no lines: it gets one at a time, and a row that is open when a line ends goes on in the next. */
static int
feed(struct reader *r, struct csv_parser *parser, const char *text, size_t len)
{
	bool open = false;
	size_t take;

	for (unsigned long line = 1; len > 0 && !r->failed; line++, text += take, len -= take) {
		const char *end = memchr(text, '\n', len);

		take = end == NULL ? len : (size_t)(end - text) + 1;
		if (!open)
			r->line = line;
		r->row_ended = false;
		if (csv_parse(parser, text, take, on_field, on_row, r) == take) {
			open = !r->row_ended && (open || !is_blank(text, take));
			continue;
		}
		if (row_broken(r, parser, line) != 0)
			return -1;
		open = false;
	}
	if (!r->failed && csv_fini(parser, on_field, on_row, r) != 0)
		return err_set(r->e, ERR_INPUT, "line %lu: a quoted field begins and does not end", r->line);
	return r->failed ? -1 : 0;
}

int
fleet_csv_parse(const void *data, size_t len, struct fleet_list *ret, struct err *e)
{
	struct reader r = { .list = ret, .e = e, .bad = ERR_INIT };
	const size_t mark = strlen(BYTE_ORDER_MARK);
	struct csv_parser parser;
	const char *text = data;
	int rc;

	if (csv_init(&parser, PARSER_OPTIONS) != 0)
		return err_set(e, ERR_FAILED, "CSV: no memory");
	if (len >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
		text += mark;
		len -= mark;
	}
	rc = feed(&r, &parser, text, len);
	csv_free(&parser);
	row_clear(&r);
	if (rc == 0 && !r.header_done)
		rc = err_set(e, ERR_INPUT, "expected a row of column names, found nothing");
	return rc == 0 ? fleet_list_finish(ret, e) : -1;
}
