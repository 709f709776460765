/* SPDX-License-Identifier: ISC */
#include "cli/ca.h"

#include "ca/facts.h"
#include "cli/commands.h"
#include "cli/identity.h"
#include "cli/state.h"
#include "common/table.h"
#include "common/text.h"
#include "db/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int
ca_find(struct db *db, const char *name, struct db_authority *ret, struct err *e)
{
	struct db_authority *all = NULL;
	char shown[CA_FACTS_NAME_SIZE];
	bool found = false;
	size_t count = 0;

	if (db_authority_list(db, DB_ROLES_ALL, &all, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && !found; i++) {
		found = strcmp(all[i].name, name) == 0;
		if (found) {
			*ret = all[i];
			all[i] = (struct db_authority){ 0 };
		}
	}
	db_authority_free(all, count);
	return found ? 0
	             : err_set(e, ERR_NOT_FOUND, "CA \"%s\": there is none of that name; 'phonevpn ca list' has them",
			   text_printable(name, shown, sizeof(shown)));
}

/* As cli/server_write.c finds it: a server that has become another user cannot read its key again. */
const char *
ca_server_step(const struct settings *s)
{
	return s->value[SET_VPN_USER][0] != '\0'
	           ? "next: phonevpn emit server --out DIR, then restart OpenVPN; phones are away for some seconds"
	           : "next: phonevpn emit server --out DIR, then send OpenVPN SIGHUP; phones are away for some seconds";
}

/* ---- ca list ---- */

struct list {
	struct db_authority *all;
	size_t count;
	struct db_issued_tally *issued; /* of each */
	struct table *table;
	json_t *json;
};

static int
issued_take(const struct db_issued_tally *t, void *arg, struct err *e)
{
	struct list *l = arg;

	(void)e;
	for (size_t i = 0; i < l->count; i++)
		if (l->all[i].id == t->authority)
			l->issued[i] = *t;
	return 0;
}

struct times {
	char from[TEXT_TIME_SIZE], to[TEXT_TIME_SIZE], crl_from[TEXT_TIME_SIZE], crl_to[TEXT_TIME_SIZE];
};

static int
show_json(struct list *l, size_t i, const struct ca_cert_facts *facts, const struct times *t, struct err *e)
{
	const struct db_authority *a = &l->all[i];
	json_t *o = json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:I,s:s,s:s,s:I,s:I}", "name", a->name, "role",
	    db_role_name(a->role), "subject", facts->subject, "key_bits", facts->bits, "not_before", t->from,
	    "not_after", t->to, "crl_number", (json_int_t)a->crl_number, "crl_this_update", t->crl_from,
	    "crl_next_update", t->crl_to, "phones", (json_int_t)l->issued[i].phones, "servers",
	    (json_int_t)l->issued[i].servers);

	return json_array_append_new(l->json, o) == 0 ? 0 : err_set(e, ERR_FAILED, "JSON: no memory");
}

static int
show_one(struct list *l, size_t i, struct err *e)
{
	const struct db_authority *a = &l->all[i];
	X509 *cert = ca_cert_decode(a->cert.data, a->cert.len, e);
	char key[16], phones[24], servers[24];
	struct ca_cert_facts facts;
	struct times t;

	if (cert == NULL)
		return err_prefix(e, "CA \"%s\"", a->name);
	ca_cert_facts(cert, &facts);
	X509_free(cert);
	text_time(facts.not_before, t.from);
	text_time(facts.not_after, t.to);
	text_time(a->crl_this_update, t.crl_from);
	text_time(a->crl_next_update, t.crl_to);
	if (l->json != NULL)
		return show_json(l, i, &facts, &t, e);
	(void)snprintf(key, sizeof(key), "%s %d", facts.rsa ? "RSA" : "EC", facts.bits);
	(void)snprintf(phones, sizeof(phones), "%zu", l->issued[i].phones);
	(void)snprintf(servers, sizeof(servers), "%zu", l->issued[i].servers);
	/* Of one that is given up, the CRL is read by nobody. */
	table_row(l->table, (const char *[]){ db_role_name(a->role), a->name, key, t.from, t.to,
				a->role != DB_ROLE_DROPPED ? t.crl_to : NULL, phones, servers, facts.subject });
	return 0;
}

static int
list_load(struct db *db, struct list *l, struct err *e)
{
	if (db_authority_list(db, DB_ROLES_ALL, &l->all, &l->count, e) != 0)
		return -1;
	l->issued = calloc(l->count + 1, sizeof(*l->issued));
	if (l->issued == NULL)
		return err_set(e, ERR_FAILED, "list of CAs: no memory");
	return db_issued_each(db, time(NULL), issued_take, l, e);
}

static int
list_print(struct list *l, bool json, struct err *e)
{
	static const char *const headings[] = { "ROLE", "NAME", "KEY", "VALID FROM", "VALID UNTIL", "CRL UNTIL",
		"PHONES", "SERVERS", "SUBJECT" };
	int rc = 0;

	if (json)
		l->json = json_array();
	else
		l->table = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (l->json == NULL && l->table == NULL)
		return err_set(e, ERR_FAILED, "list of CAs: no memory");
	for (size_t i = 0; i < l->count && rc == 0; i++)
		rc = show_one(l, i, e);
	if (rc != 0)
		return -1;
	if (json)
		return command_print_json(json_incref(l->json), e);
	return table_print(l->table, stdout) == 0 ? 0 : err_set(e, ERR_FAILED, "table: no memory");
}

static int
list_run(const struct invocation *in, struct err *e)
{
	struct list l = { .count = 0 };
	struct db *db = state_open(in, e);
	int rc = -1;

	if (db != NULL && list_load(db, &l, e) == 0)
		rc = list_print(&l, in->json, e);
	db_authority_free(l.all, l.count);
	free(l.issued);
	table_free(l.table);
	json_decref(l.json);
	db_close(db);
	return rc;
}

const struct command command_ca_list = {
	.name = "ca list",
	.summary = "List the CAs, what each is for, and how many certificates of it are in force",
	.run = list_run,
};

/* ---- ca add ---- */

enum {
	OPT_NAME,
	OPT_CA_BITS,
	OPT_DAYS,
	OPT_DRY_RUN,
};

static const struct option_def add_options[] = {
	[OPT_NAME] = { "name", "NAME", "its common name, unlike that of every other CA (made of the setting org)" },
	[OPT_CA_BITS] = { "ca-bits", "BITS", "its RSA key: 2048, 3072 or 4096 (3072)" },
	[OPT_DAYS] = { "days", "DAYS", "life of its certificate (the setting ca-days)" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "check all of it, change nothing" },
	OPTION_END,
};

/* The server would not start with both in its ca file. */
static int
check_subject(struct db *db, const X509 *cert, const char *name, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);

	for (size_t i = 0; i < count && rc == 0; i++) {
		X509 *other = ca_cert_decode(all[i].cert.data, all[i].cert.len, e);

		if (other == NULL)
			rc = -1;
		else if (ca_cert_same_subject(cert, other))
			rc = err_set(e, ERR_CONFLICT,
			    "CA \"%s\": expected a subject unlike that of every other CA, found that of \"%s\": OpenVPN's "
			    "server does not start with two of one subject",
			    name, all[i].name);
		X509_free(other);
	}
	db_authority_free(all, count);
	return rc;
}

/* One that only the database would refuse is refused in a dry run, too. */
static int
check_roles(struct db *db, const char *name, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc = db_authority_list(db, DB_ROLES_ALL, &all, &count, e);

	for (size_t i = 0; i < count && rc == 0; i++) {
		if (strcmp(all[i].name, name) == 0)
			rc = err_set(e, ERR_CONFLICT, "CA \"%s\": exists already", name);
		else if (all[i].role == DB_ROLE_NEXT)
			rc = err_set(e, ERR_CONFLICT,
			    "CA \"%s\": expected no other that is to come, found \"%s\"; 'phonevpn ca promote' or 'phonevpn "
			    "ca drop' comes first",
			    name, all[i].name);
	}
	db_authority_free(all, count);
	return rc;
}

static int
add_report(const struct invocation *in, const struct settings *s, const struct identity *ca, struct err *e)
{
	bool dry_run = in->option[OPT_DRY_RUN] != NULL;
	const char *name = ca->params.common_name;
	char end[TEXT_TIME_SIZE];

	text_time(ca->not_after, end);
	if (in->json)
		return command_print_json(json_pack("{s:s,s:s,s:s,s:i}", dry_run ? "would_add" : "added", name, "role",
					      db_role_name(DB_ROLE_NEXT), "not_after", end, "key_bits",
					      EVP_PKEY_get_bits(ca->key)),
		    e);
	if (in->quiet)
		return 0;
	(void)printf("%s CA \"%s\" of RSA-%d until %s, as the next one: it issues nothing yet\n",
	    dry_run ? "would add" : "added", name, EVP_PKEY_get_bits(ca->key), end);
	if (!dry_run)
		(void)printf("%s\nthen: phonevpn ca promote \"%s\"\n"
			     "or, stage by stage: phonevpn rollout create ROLLOUT --all --ca \"%s\"\n",
		    ca_server_step(s), name, name);
	return 0;
}

static int
add_make(struct db *db, const struct invocation *in, const struct settings *s, unsigned int bits, struct err *e)
{
	struct db_crl crl = { .der = BUF_INIT(DB_CRL_MAX) };
	struct identity ca = IDENTITY_INIT;
	const time_t now = time(NULL);
	char name[CA_NAME_MAX + 1];
	int rc = -1;

	if (in->option[OPT_NAME] != NULL ? text_copy(name, sizeof(name), in->option[OPT_NAME], "name of the CA", e) != 0
					 : ca_root_name(s->value[SET_ORG], name, e) != 0)
		return -1;
	ca.params = identity_root(s, name, now);
	if (check_roles(db, name, e) != 0 || identity_make(&ca, bits, s, NULL, NULL, e) != 0 ||
	    check_subject(db, ca.cert, name, e) != 0 || identity_crl(&ca, s, now, &crl, e) != 0)
		goto out;
	if (in->option[OPT_DRY_RUN] == NULL &&
	    db_authority_add(db,
		&(struct db_authority_new){ .name = name, .cert = &ca.cert_der, .key = &ca.key_der, .crl = &crl },
		e) != 0)
		goto out;
	rc = add_report(in, s, &ca, e);
out:
	identity_release(&ca);
	buf_release(&crl.der);
	return rc;
}

static int
add_run(const struct invocation *in, struct err *e)
{
	const char *days = in->option[OPT_DAYS];
	unsigned int bits = 0;
	struct settings s;
	struct db *db;
	int rc = -1;

	if (identity_bits(in->option[OPT_CA_BITS], &bits, e) != 0)
		return -1;
	db = in->option[OPT_DRY_RUN] != NULL ? state_open(in, e) : state_open_writer(in, e);
	if (db == NULL || settings_load(db, &s, e) != 0)
		goto out;
	/* For this one; the setting stays. */
	if (days != NULL && settings_put(&s, SET_CA_DAYS, days, e) != 0) {
		err_usage(e);
		goto out;
	}
	rc = add_make(db, in, &s, bits, e);
out:
	db_close(db);
	return rc;
}

const struct command command_ca_add = {
	.name = "ca add",
	.summary = "Make a further CA, the next one, for the server to trust before any phone needs it",
	.details =
	    "It issues nothing yet: 'emit server' puts it and its CRL into the server's files, and no phone notices. When the "
	    "server has read them, 'ca promote' makes it the one that issues.",
	.options = add_options,
	.run = add_run,
};
