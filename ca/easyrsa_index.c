/* SPDX-License-Identifier: ISC */
#include "ca/easyrsa_index.h"

#include "ca/time.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CN "/CN="

enum field {
	FIELD_STATUS,
	FIELD_EXPIRY,
	FIELD_REVOCATION,
	FIELD_SERIAL,
	FIELD_FILE,
	FIELD_SUBJECT,
	FIELD_COUNT,
};

/* openssl-ca(1), -crl_reason and its relatives; the first word of what stands behind the date. */
static const struct {
	const char *name;
	enum ca_reason reason;
} reasons[] = {
	{ "unspecified", CA_REASON_UNSPECIFIED },
	{ "keyCompromise", CA_REASON_KEY_COMPROMISE },
	{ "CACompromise", CA_REASON_CA_COMPROMISE },
	{ "affiliationChanged", CA_REASON_AFFILIATION_CHANGED },
	{ "superseded", CA_REASON_SUPERSEDED },
	{ "cessationOfOperation", CA_REASON_CESSATION },
	{ "certificateHold", CA_REASON_HOLD },
	{ "holdInstruction", CA_REASON_HOLD },
	{ "keyTime", CA_REASON_KEY_COMPROMISE },
	{ "CAkeyTime", CA_REASON_CA_COMPROMISE },
};

/* ---- fields ---- */

static int
date_parse(const char *s, const char *what, time_t *ret, struct err *e)
{
	size_t digits = strspn(s, "0123456789");
	ASN1_TIME *time = ASN1_TIME_new();
	char shown[64];
	int rc = -1;

	/* RFC 5280 section 4.1.2.5, with seconds and without an offset, as openssl writes them. */
	if ((digits == strlen("YYMMDDHHMMSS") || digits == strlen("YYYYMMDDHHMMSS")) && strcmp(s + digits, "Z") == 0 &&
	    time != NULL && ASN1_TIME_set_string_X509(time, s) == 1)
		rc = time_from_asn1(time, what, ret, e);
	else
		err_openssl(e, ERR_INPUT, "%s: expected YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, found \"%s\"", what,
		    text_printable(s, shown, sizeof(shown)));
	ASN1_TIME_free(time);
	return rc;
}

static int
reason_parse(const char *s, enum ca_reason *ret, struct err *e)
{
	size_t len = strcspn(s, ",");
	char shown[64];

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strlen(reasons[i].name) == len && strncasecmp(reasons[i].name, s, len) == 0) {
			*ret = reasons[i].reason;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, "reason of the revocation: expected one of openssl-ca(1), found \"%s\"",
	    text_printable(s, shown, sizeof(shown)));
}

static int
revocation_parse(char *s, struct easyrsa_row *row, struct err *e)
{
	char *comma = strchr(s, ',');

	if (row->status != EASYRSA_REVOKED) {
		if (s[0] == '\0')
			return 0;
		return err_set(e, ERR_INPUT, "status %c: expected no date of a revocation, found one", row->status);
	}
	if (comma != NULL)
		*comma++ = '\0';
	if (date_parse(s, "date of the revocation", &row->revoked, e) != 0)
		return -1;
	if (row->revoked <= 0)
		return err_set(e, ERR_INPUT, "date of the revocation: expected one after 1970, found %s", s);
	return comma == NULL ? 0 : reason_parse(comma, &row->reason, e);
}

static int
serial_parse(const char *s, unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	char padded[2 * CA_SERIAL_SIZE + 1], shown[64];
	size_t len = strlen(s);

	memset(padded, '0', sizeof(padded) - 1);
	padded[sizeof(padded) - 1] = '\0';
	if (len > 0 && len < sizeof(padded))
		memcpy(padded + sizeof(padded) - 1 - len, s, len);
	if (len > 0 && len < sizeof(padded) && text_unhex(padded, serial, CA_SERIAL_SIZE) && serial[0] <= 0x7f)
		return 0;
	return err_set(e, ERR_INPUT,
	    "serial (RFC 5280 section 4.1.2.2): expected hex of at most %d octets, the highest bit not set, found \"%s\"",
	    CA_SERIAL_SIZE, text_printable(s, shown, sizeof(shown)));
}

/* X509_NAME_oneline() leaves a '/' inside a value as it is; "/X=" is taken for the next attribute. */
static void
common_name_find(const char *subject, char out[CA_NAME_MAX + 1])
{
	const char *at = NULL, *end;

	for (const char *p = strstr(subject, CN); p != NULL; p = strstr(p + 1, CN))
		at = p + strlen(CN);
	out[0] = '\0';
	if (at == NULL)
		return;
	for (end = strchr(at, '/'); end != NULL; end = strchr(end + 1, '/')) {
		size_t name = strspn(end + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.");

		if (name > 0 && end[1 + name] == '=')
			break;
	}
	(void)snprintf(out, CA_NAME_MAX + 1, "%.*s", end != NULL ? (int)(end - at) : (int)strlen(at), at);
}

/* ---- lines ---- */

/* Cut a line at its tabs; one behind a backslash belongs to the field (TXT_DB_read()). */
static size_t
fields_split(char *line, char *fields[FIELD_COUNT])
{
	size_t count = 1;
	char *to = line;

	fields[0] = line;
	for (const char *from = line; *from != '\0'; from++) {
		if (*from != '\t') {
			*to++ = *from;
		} else if (to > line && to[-1] == '\\') {
			to[-1] = '\t';
		} else {
			*to++ = '\0';
			if (count < FIELD_COUNT)
				fields[count] = to;
			count++;
		}
	}
	*to = '\0';
	return count;
}

static int
row_parse(char *line, struct easyrsa_row *row, struct err *e)
{
	char *fields[FIELD_COUNT], shown[64];
	size_t count = fields_split(line, fields);

	if (count != FIELD_COUNT)
		return err_set(e, ERR_INPUT, "expected %d fields with tabs between them, found %zu", FIELD_COUNT,
		    count);
	if (strlen(fields[FIELD_STATUS]) != 1 || strchr("VRE", fields[FIELD_STATUS][0]) == NULL)
		return err_set(e, ERR_INPUT, "status: expected V, R or E, found \"%s\"",
		    text_printable(fields[FIELD_STATUS], shown, sizeof(shown)));
	row->status = (enum easyrsa_status)fields[FIELD_STATUS][0];
	if (date_parse(fields[FIELD_EXPIRY], "date of expiry", &row->not_after, e) != 0 ||
	    revocation_parse(fields[FIELD_REVOCATION], row, e) != 0 ||
	    serial_parse(fields[FIELD_SERIAL], row->serial, e) != 0)
		return -1;
	if (!text_is_clean(fields[FIELD_SUBJECT], strlen(fields[FIELD_SUBJECT])))
		return err_set(e, ERR_INPUT, "subject: expected text without control characters, found some");
	common_name_find(fields[FIELD_SUBJECT], row->common_name);
	return 0;
}

static int
row_add(struct easyrsa_index *index, const struct easyrsa_row *row, struct err *e)
{
	if (index->row_count == index->row_size) {
		size_t size = index->row_size == 0 ? 64 : index->row_size * 2;
		struct easyrsa_row *rows = reallocarray(index->rows, size, sizeof(*rows));

		if (rows == NULL)
			return err_set(e, ERR_FAILED, "index of %zu rows: no memory", index->row_count);
		index->rows = rows;
		index->row_size = size;
	}
	index->rows[index->row_count++] = *row;
	return 0;
}

static int
problem_add(struct easyrsa_index *index, unsigned long line, const char *text, struct err *e)
{
	struct easyrsa_problem *problem;

	if (index->problem_count == index->problem_size) {
		size_t size = index->problem_size == 0 ? 16 : index->problem_size * 2;
		struct easyrsa_problem *problems = reallocarray(index->problems, size, sizeof(*problems));

		if (problems == NULL)
			return err_set(e, ERR_FAILED, "%zu bad rows: no memory", index->problem_count);
		index->problems = problems;
		index->problem_size = size;
	}
	problem = &index->problems[index->problem_count++];
	problem->line = line;
	(void)snprintf(problem->text, sizeof(problem->text), "%s", text);
	return 0;
}

static int
line_take(struct easyrsa_index *index, unsigned long number, const char *text, size_t len, struct err *e)
{
	struct easyrsa_row row = { .line = number };
	char line[EASYRSA_LINE_MAX + 1];
	struct err mine = ERR_INIT;

	if (len > 0 && text[len - 1] == '\r')
		len--;
	/* A comment, as openssl takes it. */
	if (len == 0 || text[0] == '#')
		return 0;
	if (len > EASYRSA_LINE_MAX) {
		err_set(&mine, ERR_INPUT, "expected at most %d bytes, found %zu", EASYRSA_LINE_MAX, len);
	} else if (memchr(text, '\0', len) != NULL) {
		err_set(&mine, ERR_INPUT, "expected text, found a NUL byte");
	} else {
		memcpy(line, text, len);
		line[len] = '\0';
		(void)row_parse(line, &row, &mine);
	}
	if (mine.code != ERR_NONE)
		return problem_add(index, number, mine.text, e);
	return row_add(index, &row, e);
}

/* ---- the whole ---- */

static int
compare_rows(const void *a, const void *b)
{
	const struct easyrsa_row *const *x = a, *const *y = b;
	int order = memcmp((*x)->serial, (*y)->serial, CA_SERIAL_SIZE);

	return order != 0 ? order : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

/* Sorted, the second and later ones of a serial stand behind the first. */
static int
find_doubles(struct easyrsa_index *index, struct err *e)
{
	const struct easyrsa_row **rows = calloc(index->row_count + 1, sizeof(*rows));
	char hex[2 * CA_SERIAL_SIZE + 1], text[128];
	size_t first = 0;
	int rc = 0;

	if (rows == NULL)
		return err_set(e, ERR_FAILED, "index of %zu rows: no memory", index->row_count);
	for (size_t i = 0; i < index->row_count; i++)
		rows[i] = &index->rows[i];
	qsort(rows, index->row_count, sizeof(*rows), compare_rows);
	for (size_t i = 1; i < index->row_count && rc == 0; i++) {
		if (memcmp(rows[first]->serial, rows[i]->serial, CA_SERIAL_SIZE) != 0) {
			first = i;
			continue;
		}
		text_hex_number(rows[i]->serial, CA_SERIAL_SIZE, hex);
		(void)snprintf(text, sizeof(text), "serial %s: stands in line %lu already", hex, rows[first]->line);
		rc = problem_add(index, rows[i]->line, text, e);
	}
	free(rows);
	return rc;
}

static int
compare_problems(const void *a, const void *b)
{
	const struct easyrsa_problem *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

int
easyrsa_index_parse(const void *data, size_t len, struct easyrsa_index *ret, struct err *e)
{
	const char *text = data;
	size_t take;

	for (unsigned long line = 1; len > 0; line++, text += take, len -= take) {
		const char *end = memchr(text, '\n', len);

		take = end == NULL ? len : (size_t)(end - text) + 1;
		if (line_take(ret, line, text, end == NULL ? len : take - 1, e) != 0)
			return -1;
	}
	if (find_doubles(ret, e) != 0)
		return -1;
	if (ret->problem_count > 0)
		qsort(ret->problems, ret->problem_count, sizeof(*ret->problems), compare_problems);
	return 0;
}

void
easyrsa_index_release(struct easyrsa_index *index)
{
	free(index->rows);
	free(index->problems);
	*index = (struct easyrsa_index)EASYRSA_INDEX_INIT;
}
