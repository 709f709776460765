/* SPDX-License-Identifier: ISC */
#include "ca/key.h"
#include "cli/ca.h"
#include "cli/commands.h"
#include "cli/identity.h"
#include "cli/issuer.h"
#include "cli/phone_report.h"
#include "cli/state.h"
#include "cli/stranded.h"
#include "common/table.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>

/* ---- server show ---- */

struct show {
	struct db_certificate current; /* that "emit server" writes */
	struct table *table;
	json_t *all;
};

static const char *
stand_of(const struct show *s, const struct db_certificate *c)
{
	if (c->revoked != 0)
		return "revoked";
	if (c->not_after <= time(NULL))
		return "ended";
	return memcmp(c->serial, s->current.serial, sizeof(c->serial)) == 0 ? "current" : "former";
}

static int
show_one(const struct db_certificate *c, void *arg, struct err *e)
{
	struct show *s = arg;
	char serial[SERIAL_HEX_SIZE], issued[TEXT_TIME_SIZE], end[TEXT_TIME_SIZE];

	serial_hex(c->serial, serial);
	text_time(c->issued, issued);
	text_time(c->not_after, end);
	if (s->table != NULL)
		table_row(s->table, (const char *[]){ serial, c->name, issued, end, stand_of(s, c) });
	else if (json_array_append_new(s->all, json_pack("{s:s,s:s,s:s,s:s,s:s}", "serial", serial, "name", c->name,
						   "issued", issued, "not_after", end, "state", stand_of(s, c))) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
show_run(const struct invocation *in, struct err *e)
{
	static const char *const headings[] = { "SERIAL", "NAME", "ISSUED", "VALID UNTIL", "STATE" };
	const struct db_certificate_filter filter = { .server = true };
	struct show s = { .all = NULL };
	struct db *db = state_open(in, e);
	int rc = -1;

	if (db == NULL)
		return -1;
	if (in->json)
		s.all = json_array();
	else
		s.table = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (s.all == NULL && s.table == NULL)
		err_set(e, ERR_FAILED, "table: no memory");
	else if (db_certificate_server(db, &s.current, e) == 0 &&
		 db_certificate_each(db, &filter, show_one, &s, e) == 0)
		rc = 0;
	if (rc == 0 && in->json)
		rc = command_print_json(json_incref(s.all), e);
	else if (rc == 0 && table_print(s.table, stdout) != 0)
		rc = err_set(e, ERR_FAILED, "table: no memory");
	json_decref(s.all);
	table_free(s.table);
	db_close(db);
	return rc;
}

const struct command command_server_show = {
	.name = "server show",
	.summary = "List the OpenVPN server's certificates",
	.run = show_run,
};

/* ---- server renew ---- */

enum {
	OPT_REKEY,
	OPT_FORCE,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_REKEY] = { "rekey", NULL, "with a new key instead of the one that it has" },
	[OPT_FORCE] = { "force", NULL,
	    "also where it is of another CA than before, which some phones do not trust yet" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say until when it would be valid, change nothing" },
	OPTION_END,
};

struct renewal {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	struct issuer issuer;
	struct db_certificate former;
	struct identity fresh;
	bool rekey, dry_run;
	bool moves;               /* to another CA than the one that has issued the former one */
	struct stranded stranded; /* then: phones that do not take it */
};

/* The key goes on serving, or gives its size to a new one. */
static int
key_of(struct db *db, const struct db_certificate *current, bool rekey, struct identity *id, unsigned int *ret_bits,
    struct err *e)
{
	struct buf der = BUF_INIT(DB_DER_MAX);
	EVP_PKEY *key = NULL;

	if (db_certificate_der(db, current->serial, NULL, &der, e) == 0)
		key = ca_key_decode(der.data, der.len, e);
	buf_release(&der);
	if (key == NULL)
		return -1;
	*ret_bits = (unsigned int)EVP_PKEY_get_bits(key);
	if (rekey)
		EVP_PKEY_free(key);
	else
		id->key = key;
	return 0;
}

/* A certificate ends no later than its CA's: then the phones need a new CA, and not the server a certificate. */
static int
check_end(const struct issuer *issuer, const struct db_certificate *current, struct err *e)
{
	time_t start, end;
	char ca_end[TEXT_TIME_SIZE], current_end[TEXT_TIME_SIZE];

	if (ca_cert_validity(issuer->cert, &start, &end, e) != 0)
		return -1;
	text_time(end, ca_end);
	text_time(current->not_after, current_end);
	if (end <= time(NULL))
		return err_set(e, ERR_CONFLICT,
		    "CA \"%s\": expected one that is valid, found one that ended %s: it can sign "
		    "nothing any more, and no phone trusts it",
		    issuer->authority.name, ca_end);
	if (end <= current->not_after)
		return err_set(e, ERR_CONFLICT,
		    "CA \"%s\": expected one that is valid after the present server certificate (%s), found one that ends "
		    "%s: a new certificate would end with it; the phones need a new CA before that",
		    issuer->authority.name, current_end, ca_end);
	return 0;
}

static int
report_json(const struct renewal *r, const char *serial, const char *end, struct err *e)
{
	char former[SERIAL_HEX_SIZE], former_end[TEXT_TIME_SIZE];
	json_t *o;

	serial_hex(r->former.serial, former);
	text_time(r->former.not_after, former_end);
	o = r->dry_run ? json_pack("{s:b,s:s,s:b,s:s}", "would_renew", true, "not_after", end, "rekey", r->rekey,
			     "former", former)
	               : json_pack("{s:s,s:s,s:b,s:s,s:s}", "serial", serial, "not_after", end, "rekey", r->rekey,
			     "former", former, "former_not_after", former_end);
	(void)json_object_set_new(o, "ca", json_string(r->issuer.authority.name));
	(void)json_object_set_new(o, "moves", json_boolean(r->moves));
	(void)json_object_set_new(o, "stranded", json_integer((json_int_t)r->stranded.phones));
	(void)json_object_set_new(o, "unseen", json_integer((json_int_t)r->stranded.unseen));
	return command_print_json(o, e);
}

/* With it at the server, a phone without its CA is away, and nobody reaches it through the VPN to give it another bundle. */
static void
report_move(const struct renewal *r)
{
	char text[STRANDED_TEXT_SIZE];

	if (!r->moves)
		return;
	stranded_print(&r->stranded, text);
	(void)printf(
	    "it is of another CA than the former one: a phone whose bundle does not have CA \"%s\" cannot connect "
	    "once OpenVPN has read it: %s\n",
	    r->issuer.authority.name, text[0] != '\0' ? text : "none that is known of");
	stranded_unseen_print(&r->stranded);
}

static int
report(const struct renewal *r, struct err *e)
{
	char serial[SERIAL_HEX_SIZE], end[TEXT_TIME_SIZE], former_end[TEXT_TIME_SIZE];
	const char *key = r->rekey ? "a new" : "the same";

	serial_hex(r->fresh.params.serial, serial);
	text_time(r->fresh.not_after, end);
	text_time(r->former.not_after, former_end);
	if (r->in->json)
		return report_json(r, serial, end, e);
	if (r->in->quiet)
		return 0;
	if (r->dry_run)
		(void)printf("would issue a server certificate until %s, with %s key\n", end, key);
	else if (r->moves)
		(void)printf("server certificate %s until %s, with %s key\n", serial, end, key);
	else
		(void)printf(
		    "server certificate %s until %s, with %s key; phones take it and the former one (until %s)\n",
		    serial, end, key, former_end);
	report_move(r);
	if (!r->dry_run)
		(void)puts(ca_server_step(&r->settings));
	return 0;
}

/* ---- of another CA ---- */

static int
check_move(struct renewal *r, struct err *e)
{
	char text[STRANDED_TEXT_SIZE];

	r->moves = r->former.authority != r->issuer.authority.id;
	if (!r->moves)
		return 0;
	if (stranded_find(r->db, 0, &r->issuer.authority, &r->stranded, e) != 0)
		return -1;
	if (r->stranded.phones == 0 || r->in->option[OPT_FORCE] != NULL)
		return 0;
	stranded_print(&r->stranded, text);
	return err_set(e, ERR_CONFLICT,
	    "server certificate: expected every phone to trust CA \"%s\" before it is of that one, found %s; 'phonevpn mint "
	    "--all' gives them bundles that do, and with --force they cannot connect until they have them",
	    r->issuer.authority.name, text);
}

static int
renew_store(struct renewal *r, struct err *e)
{
	const struct db_certificate_new fresh = identity_certificate(&r->fresh);
	char note[160] = "";

	if (r->moves)
		(void)snprintf(note, sizeof(note), "moved to CA \"%s\", %zu phones do not trust it",
		    r->issuer.authority.name, r->stranded.phones);
	return db_certificate_add_server(r->db, r->issuer.authority.id, r->fresh.params.common_name, &fresh,
	    r->moves ? note : NULL, e);
}

static int
renew(struct renewal *r, struct err *e)
{
	unsigned int bits = 0;

	if (settings_load(r->db, &r->settings, e) != 0 || db_certificate_server(r->db, &r->former, e) != 0 ||
	    issuer_open(r->db, &r->issuer, e) != 0 || check_move(r, e) != 0)
		return -1;
	/* A key that got into wrong hands has to go, however long its certificate would have lived. */
	if (!r->rekey && !r->moves && check_end(&r->issuer, &r->former, e) != 0)
		return -1;
	if (key_of(r->db, &r->former, r->rekey, &r->fresh, &bits, e) != 0)
		return -1;
	r->fresh.params = identity_server(&r->settings, time(NULL));
	if (identity_make(&r->fresh, bits, &r->settings, r->issuer.cert, r->issuer.key, e) != 0 ||
	    (!r->dry_run && renew_store(r, e) != 0))
		return -1;
	return report(r, e);
}

static int
renew_run(const struct invocation *in, struct err *e)
{
	struct renewal r = {
		.in = in,
		.rekey = in->option[OPT_REKEY] != NULL,
		.dry_run = in->option[OPT_DRY_RUN] != NULL,
		.fresh = IDENTITY_INIT,
	};
	int rc = -1;

	r.db = r.dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (r.db != NULL)
		rc = renew(&r, e);
	identity_release(&r.fresh);
	issuer_release(&r.issuer);
	db_close(r.db);
	return rc;
}

const struct command command_server_renew = {
	.name = "server renew",
	.summary = "Issue a new server certificate from the CA that issues now",
	.details =
	    "The phones take the new one and the former one alike, so nothing has to reach them first; 'emit server' writes "
	    "it, and OpenVPN uses it after a restart. It gets the name of the setting vpn-host and a life of server-days, "
	    "but never a longer one than the CA's. It is of the CA that issues now: after 'ca promote' that is another one than "
	    "before, and it is refused while there are phones that are offered bundles without that CA, or were last seen on "
	    "the VPN with them.",
	.options = options,
	.run = renew_run,
};
