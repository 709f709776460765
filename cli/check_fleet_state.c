/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "ca/cert.h"
#include "ca/facts.h"
#include "cli/phone_report.h"
#include "common/text.h"
#include "db/authority.h"

#include <stdio.h>

#define DAY 86400

struct state_check {
	struct db *db;
	const struct fleet_common *common;
	struct findings *out;
	char element[FLEET_ELEMENT_SIZE];
	struct finding_place place;
	X509 *ca;      /* of the authority at hand */
	X509_CRL *crl; /* and its CRL, which lacks: */
	size_t unlisted;
	struct db_certificate first_unlisted;
};

/* The three rules of a life. */
struct life_rules {
	enum fleet_rule ended, ends;
};

/* What ends, by the clock of the check; from 0 has begun, to 0 has no end. */
static void
check_life(const struct state_check *c, const struct life_rules *rules, time_t from, time_t to)
{
	const struct check_clock *clock = &c->common->clock;
	char text[TEXT_TIME_SIZE];

	text_time(from > clock->now ? from : to, text);
	if (from > clock->now)
		FLEET_FOUND(c->out, rules->ended, &c->place, "expected it to be valid now, found it is from %s on",
		    text);
	else if (to != 0 && to <= clock->now)
		FLEET_FOUND(c->out, rules->ended, &c->place, "expected it to be valid now, found it ended %s", text);
	else if (to != 0 && (to - clock->now) / DAY < (time_t)clock->days)
		FLEET_FOUND(c->out, rules->ends, &c->place, "expected it to be valid for %u days yet, found it ends %s",
		    clock->days, text);
}

static void
place_set(struct state_check *c, const char *what, const char *name)
{
	char shown[CA_FACTS_NAME_SIZE];

	(void)snprintf(c->element, sizeof(c->element), "%s %s", what, text_printable(name, shown, sizeof(shown)));
	c->place = (struct finding_place){ .element = c->element };
}

/* ---- authorities ---- */

/* False when there is nothing to go on with. */
static bool
check_ca(struct state_check *c, const struct db_authority *a)
{
	const struct life_rules rules = { FLEET_CA_ENDED, FLEET_CA_ENDS };
	struct err why = ERR_INIT;
	struct ca_cert_facts facts;

	place_set(c, "CA", a->name);
	c->ca = ca_cert_decode(a->cert.data, a->cert.len, &why);
	if (c->ca == NULL) {
		FLEET_FOUND(c->out, FLEET_CA_BROKEN, &c->place, "%s", why.text);
		return false;
	}
	ca_cert_facts(c->ca, &facts);
	if (!facts.ca || !ca_cert_signed_by(c->ca, c->ca))
		FLEET_FOUND(c->out, FLEET_CA_BROKEN, &c->place, "expected a root that signs itself, found %s",
		    facts.ca ? "another signature" : "no CA");
	check_life(c, &rules, facts.not_before, facts.not_after);
	return true;
}

static int
check_listed(const struct db_certificate *cert, void *arg, struct err *e)
{
	struct state_check *c = arg;

	(void)e;
	if (!ca_crl_lists_serial(c->crl, cert->serial, sizeof(cert->serial)) && c->unlisted++ == 0)
		c->first_unlisted = *cert;
	return 0;
}

static void
unlisted_report(const struct state_check *c)
{
	char serial[SERIAL_HEX_SIZE];

	serial_hex(c->first_unlisted.serial, serial);
	if (c->unlisted == 1)
		FLEET_FOUND(c->out, FLEET_CRL_INCOMPLETE, &c->place,
		    "expected the revoked certificate %s of %s in it, found it is not", serial, c->first_unlisted.name);
	else if (c->unlisted > 1)
		FLEET_FOUND(c->out, FLEET_CRL_INCOMPLETE, &c->place,
		    "expected the revoked certificate %s of %s and %zu more in it, found they are not", serial,
		    c->first_unlisted.name, c->unlisted - 1);
}

static int
check_crl(struct state_check *c, const struct db_authority *a, struct err *e)
{
	const struct db_certificate_filter revoked = { .authority = a->id, .revoked = true };
	const struct life_rules rules = { FLEET_CRL_ENDED, FLEET_CRL_ENDS };
	struct buf der = BUF_INIT(DB_CRL_MAX);
	struct err why = ERR_INIT;
	struct ca_crl_facts facts;
	int rc = db_authority_crl(c->db, a->id, &der, e);

	if (rc != 0)
		goto out;
	place_set(c, "CRL of", a->name);
	c->crl = ca_crl_decode(der.data, der.len, &why);
	if (c->crl == NULL) {
		FLEET_FOUND(c->out, FLEET_CRL_BROKEN, &c->place, "%s", why.text);
		goto out;
	}
	ca_crl_facts(c->crl, &facts);
	if (!ca_crl_signed_by(c->crl, c->ca))
		FLEET_FOUND(c->out, FLEET_CRL_BROKEN, &c->place, "expected the CA's signature, found another");
	check_life(c, &rules, facts.this_update, facts.next_update);
	c->unlisted = 0;
	rc = db_certificate_each(c->db, &revoked, check_listed, c, e);
	unlisted_report(c);
out:
	X509_CRL_free(c->crl);
	c->crl = NULL;
	buf_release(&der);
	return rc;
}

/* ---- the server's certificate, of whichever CA ---- */

static void
check_server_certificate(struct state_check *c, X509 *cert)
{
	const struct life_rules rules = { FLEET_SERVER_ENDED, FLEET_SERVER_ENDS };
	struct ca_cert_facts facts;
	const char *fault = NULL;

	ca_cert_facts(cert, &facts);
	if (!ca_cert_signed_by(cert, c->ca))
		fault = "one that the CA has not signed";
	else if (!facts.rsa)
		fault = "a key that is not RSA, and all the phone's suites are";
	else if (facts.has_purpose && !facts.purpose_server)
		fault = "an extendedKeyUsage without serverAuth";
	if (fault != NULL)
		FLEET_FOUND(c->out, FLEET_SERVER_BROKEN, &c->place, "expected a server's certificate, found %s", fault);
	check_life(c, &rules, facts.not_before, facts.not_after);
}

/* Which it is; *ret_found false when there is none, which is told. */
static int
find_server(struct state_check *c, struct db_certificate *ret, bool *ret_found, struct err *e)
{
	struct err why = ERR_INIT;

	*ret_found = db_certificate_server(c->db, ret, &why) == 0;
	if (*ret_found)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_set(e, why.code, "%s", why.text);
	place_set(c, "server", "");
	FLEET_FOUND(c->out, FLEET_SERVER_BROKEN, &c->place, "expected a certificate, found none");
	return 0;
}

static int
check_server(struct state_check *c, const struct db_certificate *row, struct err *e)
{
	struct buf der = BUF_INIT(DB_DER_MAX);
	struct err why = ERR_INIT;
	X509 *cert = NULL;
	int rc;

	place_set(c, "server", row->name);
	rc = db_certificate_der(c->db, row->serial, &der, NULL, e);
	if (rc != 0)
		goto out;
	cert = ca_cert_decode(der.data, der.len, &why);
	if (cert == NULL)
		FLEET_FOUND(c->out, FLEET_SERVER_BROKEN, &c->place, "%s", why.text);
	else
		check_server_certificate(c, cert);
	if (row->revoked != 0)
		FLEET_FOUND(c->out, FLEET_SERVER_BROKEN, &c->place, "expected it to be in force, found it is revoked");
out:
	X509_free(cert);
	buf_release(&der);
	return rc;
}

int
fleet_check_state(struct db *db, const struct fleet_common *common, struct findings *out, struct err *e)
{
	struct state_check c = { .db = db, .common = common, .out = out };
	struct db_certificate server = { .authority = 0 };
	struct db_authority *all = NULL;
	size_t count = 0;
	bool found;
	int rc = find_server(&c, &server, &found, e);

	if (rc == 0)
		rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (check_ca(&c, &all[i]))
			rc = check_crl(&c, &all[i], e);
		if (rc == 0 && c.ca != NULL && found && all[i].id == server.authority)
			rc = check_server(&c, &server, e);
		X509_free(c.ca);
		c.ca = NULL;
	}
	db_authority_free(all, count);
	return rc;
}
