/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/phone_fields.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/log.h"
#include "common/text.h"
#include "pbx/pjsip.h"
#include "pbx/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHONE_MAX 8192 /* bytes of one phone's configuration */

enum {
	OPT_GROUP,
	OPT_REALTIME,
	OPT_CONTEXT,
	OPT_VPN_ONLY,
};

static const struct option_def options[] = {
	[OPT_GROUP] = { "group", "NAME", "only phones of this group" },
	[OPT_REALTIME] = { "realtime", "DATABASE", "SQL for Asterisk's ps_ tables in sqlite or postgresql" },
	[OPT_CONTEXT] = { "context", "NAME", "dialplan context of the phones' calls (Asterisk's own, default)" },
	[OPT_VPN_ONLY] = { "vpn-only", NULL, "take phones that are offered a bundle from the VPN's network only" },
	OPTION_END,
};

/* A phone's name in the PBX, which no other may have. */
struct endpoint {
	char extension[sizeof(((struct db_phone *)NULL)->extension)];
	char mac[DB_MAC_SIZE];
};

struct writer {
	const struct invocation *in;
	struct db *db;
	struct pjsip_params params;
	bool checking; /* the first of two passes: nothing is printed unless all is good */
	struct endpoint *endpoints;
	size_t count, size, bad, without_secret, escaped;
	char first_without_secret[DB_MAC_SIZE], first_escaped[DB_MAC_SIZE];
};

static int
print(const struct writer *w, const struct buf *text, struct err *e)
{
	if (!w->checking && fwrite(text->data, 1, text->len, stdout) != text->len)
		return err_errno(e, ERR_FAILED, errno, "standard output");
	return 0;
}

static int
endpoint_keep(struct writer *w, const struct db_phone *p, struct err *e)
{
	struct endpoint *endpoint;

	if (w->count == w->size) {
		size_t size = w->size == 0 ? 64 : w->size * 2;
		struct endpoint *more = reallocarray(w->endpoints, size, sizeof(*more));

		if (more == NULL)
			return err_set(e, ERR_FAILED, "list of %zu endpoints: no memory", w->count);
		w->endpoints = more;
		w->size = size;
	}
	endpoint = &w->endpoints[w->count++];
	memcpy(endpoint->extension, p->extension, sizeof(endpoint->extension));
	memcpy(endpoint->mac, p->mac, sizeof(endpoint->mac));
	return 0;
}

/* Whether there is anything to write; a phone that was named has to have it all. */
static int
is_account(struct writer *w, const struct db_phone *p, bool *ret, struct err *e)
{
	bool named = w->in->argc > 0;

	*ret = p->extension[0] != '\0' && p->has_secret;
	if (*ret)
		return 0;
	if (named && p->extension[0] == '\0')
		return err_set(e, ERR_NOT_FOUND, "%s: no extension; 'phonevpn phone set %s --extension E' gives one",
		    p->mac, p->mac);
	if (named)
		return err_set(e, ERR_NOT_FOUND, "%s: no secret; 'phonevpn phone set %s --secret-file FILE' gives one",
		    p->mac, p->mac);
	if (w->checking && p->extension[0] != '\0' && w->without_secret++ == 0)
		memcpy(w->first_without_secret, p->mac, sizeof(w->first_without_secret));
	return 0;
}

static int
render(struct writer *w, const struct db_phone *p, struct buf *out, struct err *e)
{
	struct buf secret = BUF_INIT(DB_DER_MAX);
	struct pjsip_phone phone = {
		.extension = p->extension,
		.label = p->label,
		.vpn_only = w->params.vpn_only && p->offered != 0,
	};
	int rc = db_phone_secret(w->db, p->id, &secret, e);

	if (rc == 0) {
		phone.secret = buf_string(&secret);
		rc = pjsip_add(&w->params, &phone, out, e);
		if (w->checking && (value_is_escaped(phone.secret) || value_is_escaped(phone.label)) &&
		    w->escaped++ == 0)
			memcpy(w->first_escaped, p->mac, sizeof(w->first_escaped));
	}
	buf_release(&secret);
	return rc;
}

static int
write_phone(const struct db_phone *p, void *arg, struct err *e)
{
	struct writer *w = arg;
	struct buf out = BUF_INIT(PHONE_MAX);
	struct err why = ERR_INIT;
	bool account;
	int rc = is_account(w, p, &account, e);

	if (rc != 0 || !account)
		return rc;
	if (render(w, p, &out, &why) == 0) {
		rc = w->checking ? endpoint_keep(w, p, e) : print(w, &out, e);
	} else if (w->checking && why.code == ERR_INPUT) {
		w->bad++;
		log_error("%s (extension %s): %s", p->mac, p->extension, why.text);
	} else {
		rc = err_set(e, why.code, "%s: %s", p->mac, why.text);
	}
	buf_release(&out);
	return rc;
}

static int
each_phone(struct writer *w, struct err *e)
{
	const struct db_phone_filter filter = { .group = w->in->option[OPT_GROUP] };
	char mac[DB_MAC_SIZE];
	struct db_phone p;

	if (w->in->argc == 0)
		return db_phone_each(w->db, &filter, write_phone, w, e);
	for (int i = 0; i < w->in->argc; i++) {
		if (phone_argument(w->in->argv[i], mac, e) != 0 || db_phone_get(w->db, mac, &p, e) != 0 ||
		    write_phone(&p, w, e) != 0)
			return -1;
	}
	return 0;
}

static int
endpoint_compare(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	int order = strcmp(x->extension, y->extension);

	return order != 0 ? order : strcmp(x->mac, y->mac);
}

static int
extension_compare(const void *extension, const void *endpoint)
{
	return strcmp(extension, ((const struct endpoint *)endpoint)->extension);
}

/*
 * Two phones behind one name: Dial() rings but one of its contacts, and a tunnel that comes back would take away the
 * other phone's.
 */
static int
shared(const char *extension, const char *mac, const char *other, struct err *e)
{
	bool in_order = strcmp(mac, other) < 0;

	return err_set(e, ERR_CONFLICT,
	    "extension %s: expected one phone, as an endpoint is one phone's, found %s and %s; give each its own "
	    "and let the dialplan ring both",
	    extension, in_order ? mac : other, in_order ? other : mac);
}

/* A phone of the fleet that may not be among those to be written. */
static int
check_other(const struct db_phone *p, void *arg, struct err *e)
{
	const struct writer *w = arg;
	const struct endpoint *same;

	if (p->extension[0] == '\0' || !p->has_secret)
		return 0;
	same = bsearch(p->extension, w->endpoints, w->count, sizeof(w->endpoints[0]), extension_compare);
	return same == NULL || strcmp(same->mac, p->mac) == 0 ? 0 : shared(p->extension, same->mac, p->mac, e);
}

static int
check_shared(struct writer *w, struct err *e)
{
	const struct db_phone_filter all = DB_ALL_PHONES;

	if (w->count > 1)
		qsort(w->endpoints, w->count, sizeof(w->endpoints[0]), endpoint_compare);
	for (size_t i = 1; i < w->count; i++) {
		const struct endpoint *a = &w->endpoints[i - 1], *b = &w->endpoints[i];

		if (strcmp(a->extension, b->extension) != 0)
			continue;
		if (strcmp(a->mac, b->mac) == 0)
			return err_set(e, ERR_USAGE, "%s: expected once, found twice", a->mac);
		return shared(a->extension, a->mac, b->mac, e);
	}
	/* A group may be the phones of a PBX of its own; those that are named are of the fleet's. */
	return w->in->argc > 0 ? db_phone_each(w->db, &all, check_other, w, e) : 0;
}

/* The options, as far as they are judged by who writes them. */
static int
check_params(const struct pjsip_params *params, struct err *e)
{
	struct buf text = BUF_INIT(PHONE_MAX);
	int rc = pjsip_begin(params, &text, e);

	buf_release(&text);
	return rc != 0 ? err_usage(e) : 0;
}

static int
check(struct writer *w, struct err *e)
{
	const struct db_phone_filter filter = { .group = w->in->option[OPT_GROUP] };
	size_t phones = 0;

	if (check_params(&w->params, e) != 0)
		return -1;
	if (filter.group != NULL && db_phone_count(w->db, &filter, &phones, e) != 0)
		return -1;
	if (filter.group != NULL && phones == 0)
		return err_set(e, ERR_NOT_FOUND, "group %s: no phone in it", filter.group);
	w->checking = true;
	if (each_phone(w, e) != 0)
		return -1;
	w->checking = false;
	if (w->bad > 0)
		return err_set(e, ERR_INPUT, "%zu phone%s cannot be written, see above; nothing was printed", w->bad,
		    w->bad == 1 ? "" : "s");
	return check_shared(w, e);
}

static void
remark(const struct writer *w)
{
	if (w->in->quiet)
		return;
	if (w->without_secret > 0)
		log_warn(
		    "%zu phone%s with an extension left out for want of a secret, the first is %s ('phonevpn phone set "
		    "%s --secret-file FILE')",
		    w->without_secret, w->without_secret == 1 ? "" : "s", w->first_without_secret,
		    w->first_without_secret);
	if (w->escaped > 0 && w->params.form == PJSIP_SQLITE)
		log_warn(
		    "%zu phone%s with ';' or '^' in secret or label, the first is %s: written for res_config_odbc, as "
		    "^3B and ^5E, which res_config_sqlite3 would take as they stand",
		    w->escaped, w->escaped == 1 ? "" : "s", w->first_escaped);
}

static int
print_all(struct writer *w, struct err *e)
{
	struct buf text = BUF_INIT(PHONE_MAX);
	int rc = -1;

	if (pjsip_begin(&w->params, &text, e) != 0 || print(w, &text, e) != 0 || each_phone(w, e) != 0)
		goto out;
	buf_clear(&text);
	if (pjsip_end(&w->params, &text, e) != 0 || print(w, &text, e) != 0)
		goto out;
	rc = fflush(stdout) == 0 ? 0 : err_errno(e, ERR_FAILED, errno, "standard output");
out:
	buf_release(&text);
	return rc;
}

static int
params_parse(const struct invocation *in, const struct settings *s, struct pjsip_params *ret, struct err *e)
{
	const char *database = in->option[OPT_REALTIME];
	char shown[64];

	*ret = (struct pjsip_params){
		.form = PJSIP_FILE,
		.vpn_network = s->value[SET_VPN_NETWORK],
		.context = in->option[OPT_CONTEXT],
		.vpn_only = in->option[OPT_VPN_ONLY] != NULL,
	};
	if (database != NULL && strcmp(database, "sqlite") == 0)
		ret->form = PJSIP_SQLITE;
	else if (database != NULL && strcmp(database, "postgresql") == 0)
		ret->form = PJSIP_POSTGRESQL;
	else if (database != NULL)
		return err_set(e, ERR_USAGE, "realtime: expected sqlite or postgresql, found \"%s\"",
		    text_printable(database, shown, sizeof(shown)));
	if (in->argc > 0 && in->option[OPT_GROUP] != NULL)
		return err_set(e, ERR_USAGE, "emit pjsip: expected MACs or --group NAME, found both");
	if (ret->vpn_only && !settings_bool(s, SET_VPN_ENABLE))
		return err_set(e, ERR_CONFLICT,
		    "--vpn-only: expected vpn-enable yes, found no: the phones do not connect, and none could register");
	return 0;
}

static int
pjsip_run(const struct invocation *in, struct err *e)
{
	struct writer w = { .in = in };
	struct settings s;
	int rc = -1;

	w.db = state_open(in, e);
	if (w.db == NULL || settings_load(w.db, &s, e) != 0 || params_parse(in, &s, &w.params, e) != 0)
		goto out;
	if (check(&w, e) != 0)
		goto out;
	remark(&w);
	rc = print_all(&w, e);
out:
	free(w.endpoints);
	db_close(w.db);
	return rc;
}

const struct command command_emit_pjsip = {
	.name = "emit pjsip",
	.arguments = "[MAC...]",
	.summary = "Print the phones' endpoints for Asterisk's PJSIP; the phones' SIP passwords are in it",
	.details =
	    "An endpoint, an aor and an auth for each phone of the fleet, of the group or of those named, all three of the "
	    "extension's name, which is also the user in the phone's XML. A phone without an extension has none; one "
	    "with an extension and no secret is left out with a remark, or, when named, an error, as an endpoint without "
	    "a password would be open to all. Two phones with one extension are an error, also where only one of "
	    "them is named (with --group, two of the group): give each its own, and let the dialplan ring both. "
	    "Without --realtime the output is for an #include in pjsip.conf. What it does not set can be added behind the "
	    "#include, as in [203](+type=endpoint). With --realtime it is one transaction that adds the rows or brings "
	    "them up to date; columns that it does not name keep what is in them, a present row also its codecs, and rows "
	    "of phones that have left the fleet stay. "
	    "With --vpn-only Asterisk takes a phone that is offered a bundle from the VPN's network (vpn-network) only. "
	    "That locks out a phone whose VPN is off, and any phone where the OpenVPN server translates addresses, so "
	    "try it with one phone first. "
	    "A password that no spelling can tell to Asterisk is refused: one with a blank at an end, in a file one that "
	    "begins with >, in a row one of more than 80 characters, with 3 for each ; and ^. Those two are written for res_config_odbc "
	    "and res_config_pgsql; with res_config_sqlite3, which takes the escapes as they stand, give the phone a "
	    "password without them.",
	.options = options,
	.max_arguments = -1,
	.run = pjsip_run,
};
