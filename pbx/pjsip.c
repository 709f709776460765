/* SPDX-License-Identifier: ISC */
#include "pbx/pjsip.h"

#include "common/text.h"
#include "pbx/value.h"

#include <stddef.h>
#include <string.h>

/* Characters that Asterisk's columns hold (contrib/ast-db-manage). */
#define USERNAME_MAX 40
#define PASSWORD_MAX 80
#define CONTEXT_MAX 40
#define CALLERID_MAX 40

#define CALLER_NAME_MAX 79   /* bytes; caller_id_handler() of res_pjsip cuts off what is behind */
#define VALUE_MAX 1024       /* bytes of a value in any form */
#define QUALIFY_SECONDS "60" /* after which a phone that is gone is seen */
#define RTP_SECONDS "60"     /* of silence, after which the call of a broken tunnel ends */

/* What the phones and a plain Asterisk both have; without any there is no call. */
#define CODECS "g722,ulaw,alaw"

#define NAME_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+*#-"

enum rule {
	SAID,
	SAID_FIRST, /* a row that is there already keeps its own */
	UNSAID,
};

/* One option of an object, or column of its row. A list ends with a NULL name. */
struct option {
	const char *name, *value; /* value NULL: no line in a file, NULL in a row */
	size_t max;               /* characters of the column; 0 for words of ours */
	const char *what;         /* stands for the value in messages; NULL for words of ours */
	enum rule rule;
};

struct object {
	const char *type, *table;
	const struct option *options;
};

static int
section_add(const struct object *o, const char *name, struct buf *out, struct err *e)
{
	buf_addf(out, "\n[%s]\ntype=%s\n", name, o->type);
	for (const struct option *option = o->options; option->name != NULL; option++) {
		if (option->rule == UNSAID || option->value == NULL)
			continue;
		buf_addf(out, "%s=", option->name);
		if (value_file(option->value, option->what, out, e) != 0)
			return -1;
		buf_add_string(out, "\n");
	}
	return 0;
}

static int
column_add(const struct option *option, bool escapes, struct buf *out, struct err *e)
{
	struct buf encoded = BUF_INIT(VALUE_MAX);
	int rc;

	if (option->value == NULL) {
		buf_add_string(out, "NULL");
		return 0;
	}
	rc = value_row(option->value, option->max, option->what, &encoded, e);
	if (rc == 0)
		value_sql(buf_string(&encoded), escapes, out);
	buf_release(&encoded);
	return rc;
}

/* id is UNIQUE in Asterisk's own schema; columns that are not named keep what the admin has put there. */
static int
row_add(const struct object *o, const char *name, bool escapes, struct buf *out, struct err *e)
{
	const char *comma = "";

	buf_addf(out, "\nINSERT INTO %s (id", o->table);
	for (const struct option *option = o->options; option->name != NULL; option++) {
		if (option->rule != UNSAID)
			buf_addf(out, ", %s", option->name);
	}
	buf_add_string(out, ")\nVALUES (");
	value_sql(name, escapes, out);
	for (const struct option *option = o->options; option->name != NULL; option++) {
		if (option->rule == UNSAID)
			continue;
		buf_add_string(out, ", ");
		if (column_add(option, escapes, out, e) != 0)
			return -1;
	}
	buf_add_string(out, ")\nON CONFLICT (id) DO UPDATE SET");
	for (const struct option *option = o->options; option->name != NULL; option++) {
		if (option->rule != SAID)
			continue;
		buf_addf(out, "%s %s = excluded.%s", comma, option->name, option->name);
		comma = ",";
	}
	buf_add_string(out, ";\n");
	return 0;
}

static int
object_add(const struct pjsip_params *params, const struct object *o, const char *name, struct buf *out, struct err *e)
{
	if (params->form == PJSIP_FILE)
		return section_add(o, name, out, e);
	return row_add(o, name, params->form == PJSIP_POSTGRESQL, out, e);
}

static int
endpoint_add(const struct pjsip_params *params, const struct pjsip_phone *phone, const char *callerid, const char *deny,
    struct buf *out, struct err *e)
{
	const struct option options[] = {
		{ "aors", phone->extension, USERNAME_MAX, "extension", SAID },
		{ "auth", phone->extension, USERNAME_MAX, "extension", SAID },
		{ "callerid", callerid, CALLERID_MAX, "label with its extension as callerid", SAID },
		{ "context", params->context, CONTEXT_MAX, "context", params->context != NULL ? SAID : UNSAID },
		{ "disallow", "all", 0, NULL, SAID_FIRST },
		{ "allow", CODECS, 0, NULL, SAID_FIRST },
		/* Vendor page, section "PJSIP Configuration Considerations"; audio needs the next as well. */
		{ "rewrite_contact", "yes", 0, NULL, SAID },
		{ "rtp_symmetric", "yes", 0, NULL, SAID },
		{ "force_rport", "yes", 0, NULL, SAID },
		{ "direct_media", "no", 0, NULL, SAID },
		{ "rtp_timeout", RTP_SECONDS, 0, NULL, SAID },
		{ "deny", deny, 0, NULL, params->vpn_only ? SAID : UNSAID },
		{ .name = NULL },
	};
	const struct object endpoint = { "endpoint", "ps_endpoints", options };

	return object_add(params, &endpoint, phone->extension, out, e);
}

static int
auth_add(const struct pjsip_params *params, const struct pjsip_phone *phone, struct buf *out, struct err *e)
{
	const struct option options[] = {
		/* "digest" is its name since Asterisk 22, which no older one knows, nor the column's type. */
		{ "auth_type", "userpass", 0, NULL, SAID },
		{ "username", phone->extension, USERNAME_MAX, "extension", SAID },
		{ "password", phone->secret, PASSWORD_MAX, "secret", SAID },
		{ .name = NULL },
	};
	const struct object auth = { "auth", "ps_auths", options };

	return object_add(params, &auth, phone->extension, out, e);
}

/*
 * One contact, and the newest: a tunnel that has come back brings another port, and with rewrite_contact that is
 * another contact, which would be refused until the old one expires.
 */
static int
aor_add(const struct pjsip_params *params, const struct pjsip_phone *phone, struct buf *out, struct err *e)
{
	static const struct option options[] = {
		{ "max_contacts", "1", 0, NULL, SAID },
		{ "remove_existing", "yes", 0, NULL, SAID },
		{ "qualify_frequency", QUALIFY_SECONDS, 0, NULL, SAID },
		{ .name = NULL },
	};
	const struct object aor = { "aor", "ps_aors", options };

	return object_add(params, &aor, phone->extension, out, e);
}

/* It stands between brackets and in lists, where there are no escapes. */
static int
check_extension(const char *extension, struct err *e)
{
	char shown[64];

	if (extension[0] == '\0' || extension[strspn(extension, NAME_ALPHABET)] != '\0')
		return err_set(e, ERR_INPUT, "extension: expected letters, digits and ._+*#-, found \"%s\"",
		    text_printable(extension, shown, sizeof(shown)));
	return 0;
}

int
pjsip_add(const struct pjsip_params *params, const struct pjsip_phone *phone, struct buf *out, struct err *e)
{
	struct buf callerid = BUF_INIT(VALUE_MAX), deny = BUF_INIT(VALUE_MAX);
	int rc = -1;

	if (check_extension(phone->extension, e) != 0)
		return -1;
	if (strlen(phone->label) > CALLER_NAME_MAX)
		return err_set(e, ERR_INPUT, "label: expected at most %d bytes, as a callerid keeps, found %zu",
		    CALLER_NAME_MAX, strlen(phone->label));
	value_callerid(phone->label, phone->extension, &callerid);
	/*
	 * deny is about the packets' source: contact_deny would see the Contact as it came, before rewrite_contact
	 * (pjsip_distributor.c runs ahead of res_pjsip_nat.c). The last rule that fits counts, and columns come in any
	 * order, so the exception is in the same one.
	 */
	if (phone->vpn_only)
		buf_addf(&deny, "0.0.0.0/0,::/0,!%s", params->vpn_network);
	if (buf_check(&callerid, "label", e) == 0 && buf_check(&deny, "VPN's network", e) == 0 &&
	    auth_add(params, phone, out, e) == 0 && aor_add(params, phone, out, e) == 0 &&
	    endpoint_add(params, phone, buf_string(&callerid), deny.len > 0 ? buf_string(&deny) : NULL, out, e) == 0)
		rc = buf_check(out, "PJSIP configuration", e);
	buf_release(&callerid);
	buf_release(&deny);
	return rc;
}

static int
check_context(const char *context, struct err *e)
{
	char shown[64];

	if (context == NULL)
		return 0;
	if (!text_is_clean(context, strlen(context)) || context[0] == '\0' || strlen(context) > CONTEXT_MAX ||
	    strpbrk(context, " ;^[]") != NULL)
		return err_set(e, ERR_INPUT,
		    "context: expected 1 to %d bytes without blanks and any of ;^[], found \"%s\"", CONTEXT_MAX,
		    text_printable(context, shown, sizeof(shown)));
	return 0;
}

int
pjsip_begin(const struct pjsip_params *params, struct buf *out, struct err *e)
{
	const char *mark = params->form == PJSIP_FILE ? ";" : "--";

	if (check_context(params->context, e) != 0)
		return -1;
	buf_addf(out, "%s Made by phonevpn: the phones' PJSIP endpoints. The passwords are in it.\n", mark);
	switch (params->form) {
	case PJSIP_FILE:
		buf_add_string(out, "; For an #include in pjsip.conf; then 'asterisk -rx \"pjsip reload\"'.\n");
		break;
	case PJSIP_SQLITE:
		buf_add_string(out, "-- sqlite3 -bail DATABASE <this\n");
		break;
	case PJSIP_POSTGRESQL:
		buf_add_string(out, "-- psql -v ON_ERROR_STOP=1 -f this DATABASE\n");
		break;
	}
	buf_addf(out,
	    "%s A transport with external_media_address needs local_net=%s too, or it sends the phones that address.\n",
	    mark, params->vpn_network);
	if (params->form != PJSIP_FILE)
		buf_add_string(out, "\nBEGIN;\n");
	if (params->form == PJSIP_POSTGRESQL)
		buf_add_string(out, "SET LOCAL client_encoding = 'UTF8';\n");
	return buf_check(out, "PJSIP configuration", e);
}

int
pjsip_end(const struct pjsip_params *params, struct buf *out, struct err *e)
{
	if (params->form != PJSIP_FILE)
		buf_add_string(out, "\nCOMMIT;\n");
	return buf_check(out, "PJSIP configuration", e);
}
