/* SPDX-License-Identifier: ISC */
#include "ca/key.h"
#include "cli/commands.h"
#include "cli/identity.h"
#include "cli/issuer.h"
#include "cli/phone_report.h"
#include "cli/state.h"
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
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_REKEY] = { "rekey", NULL, "with a new key instead of the one that it has" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "say until when it would be valid, change nothing" },
	OPTION_END,
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
report(const struct invocation *in, const struct identity *id, const struct db_certificate *former, struct err *e)
{
	char serial[SERIAL_HEX_SIZE], former_serial[SERIAL_HEX_SIZE], end[TEXT_TIME_SIZE], former_end[TEXT_TIME_SIZE];
	bool dry_run = in->option[OPT_DRY_RUN] != NULL, rekey = in->option[OPT_REKEY] != NULL;

	serial_hex(id->params.serial, serial);
	serial_hex(former->serial, former_serial);
	text_time(id->not_after, end);
	text_time(former->not_after, former_end);
	if (in->json && dry_run)
		return command_print_json(json_pack("{s:b,s:s,s:b,s:s}", "would_renew", true, "not_after", end, "rekey",
					      rekey, "former", former_serial),
		    e);
	if (in->json)
		return command_print_json(json_pack("{s:s,s:s,s:b,s:s,s:s}", "serial", serial, "not_after", end,
					      "rekey", rekey, "former", former_serial, "former_not_after", former_end),
		    e);
	if (in->quiet)
		return 0;
	if (dry_run)
		(void)printf("would issue a server certificate until %s, with %s key\n", end,
		    rekey ? "a new" : "the same");
	else
		(void)
		    printf("server certificate %s until %s, with %s key; phones take it and the former one (until %s)\n"
			   "next: phonevpn emit server --out DIR, then restart OpenVPN as that says\n",
			serial, end, rekey ? "a new" : "the same", former_end);
	return 0;
}

static int
renew_run(const struct invocation *in, struct err *e)
{
	bool dry_run = in->option[OPT_DRY_RUN] != NULL, rekey = in->option[OPT_REKEY] != NULL;
	struct identity id = IDENTITY_INIT;
	struct db_certificate_new fresh;
	struct issuer issuer = { 0 };
	struct db_certificate current;
	struct settings s;
	unsigned int bits = 0;
	struct db *db;
	int rc = -1;

	db = dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0 || db_certificate_server(db, &current, e) != 0 ||
	    issuer_open(db, &issuer, e) != 0)
		goto out;
	/* A key that got into wrong hands has to go, however long its certificate would have lived. */
	if (!rekey && check_end(&issuer, &current, e) != 0)
		goto out;
	if (key_of(db, &current, rekey, &id, &bits, e) != 0)
		goto out;
	id.params = identity_server(&s, time(NULL));
	if (identity_make(&id, bits, &s, issuer.cert, issuer.key, e) != 0)
		goto out;
	fresh = identity_certificate(&id);
	if (!dry_run && db_certificate_add_server(db, issuer.authority.id, id.params.common_name, &fresh, NULL, e) != 0)
		goto out;
	rc = report(in, &id, &current, e);
out:
	identity_release(&id);
	issuer_release(&issuer);
	db_close(db);
	return rc;
}

const struct command command_server_renew = {
	.name = "server renew",
	.summary = "Issue a new server certificate from the CA that the phones trust",
	.details =
	    "The phones take the new one and the former one alike, so nothing has to reach them first; 'emit server' writes "
	    "it, and OpenVPN uses it after a restart. It gets the name of the setting vpn-host and a life of server-days, "
	    "but never a longer one than the CA's.",
	.options = options,
	.run = renew_run,
};
