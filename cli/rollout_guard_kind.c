/* SPDX-License-Identifier: ISC */
#include "cli/rollout_guard_kind.h"

#include "bundler/bundle.h"
#include "bundler/check_ovpn.h"
#include "ca/key.h"
#include "cli/ca.h"
#include "cli/server_emitted.h"
#include "common/text.h"
#include "db/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

struct guard_verdict {
	struct guard_verdict *next;
	/* the kind */
	char model[8], firmware[32];
	char offered[DB_HASH_SIZE], target[DB_HASH_SIZE]; /* profiles */
	int64_t authority;                                /* of the new certificate */
	/* and what holds for it */
	struct guard_kind kind;
	char fails[GUARD_DETAIL_SIZE], breaks[GUARD_DETAIL_SIZE];
};

/* ---- the server ---- */

/* The first error, or what ends too soon; false when there is none. */
static bool
error_of(const struct findings *f, const char *what, char out[GUARD_DETAIL_SIZE])
{
	size_t errors = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct finding *one = &f->list[i];

		if (one->rule->severity != FINDING_ERROR && strcmp(one->rule->id, "server-cert-expiring") != 0 &&
		    strcmp(one->rule->id, "server-crl-expiring") != 0)
			continue;
		if (errors++ == 0)
			(void)snprintf(out, GUARD_DETAIL_SIZE, "%s: %s, %s (%s)", what, one->rule->title, one->text,
			    one->rule->id);
	}
	if (errors > 1 && strlen(out) + 24 < GUARD_DETAIL_SIZE)
		(void)snprintf(out + strlen(out), GUARD_DETAIL_SIZE - strlen(out), " and %zu more", errors - 1);
	return errors > 0;
}

/* A file that is kept by hand is judged whole, and has to last as long as the rollout may take. */
static int
server_open_file(struct guard_kinds *k, struct err *e)
{
	struct findings found = FINDINGS_INIT;
	char what[600];
	int rc = check_server_open(k->plan->server, &k->clock, &found, &k->server, e);

	(void)snprintf(what, sizeof(what), "%s is no server that it can connect to", k->plan->server);
	if (rc == 0 && error_of(&found, what, k->no_server)) {
		check_server_close(k->server);
		k->server = NULL;
	}
	if (rc == 0)
		rc = findings_check(&found, e);
	findings_release(&found);
	return rc;
}

/* What is wrong with it whatever the phones say is a matter of the machine that it runs on. */
static int
server_open_emitted(struct guard_kinds *k, struct err *e)
{
	struct findings found = FINDINGS_INIT;
	struct buf text = BUF_INIT(CONFIG_MAX);
	struct err why = ERR_INIT;
	int rc = 0;

	if (server_emitted_render(k->db, k->settings, &text, &why) == 0)
		rc = check_server_open_text(SERVER_EMITTED, &text, &k->clock, &found, &k->server, e);
	else if (why.code == ERR_FAILED)
		rc = err_set(e, why.code, "%s", why.text);
	else
		(void)snprintf(k->no_server, sizeof(k->no_server), "there is no server for it: %.700s", why.text);
	findings_release(&found);
	buf_release(&text);
	return rc;
}

/*
 * The server that is emitted trusts the next CA already. One that is kept by hand need not yet: whether it does is asked
 * before the offers.
 */
static int
next_open(struct guard_kinds *k, struct err *e)
{
	struct db_authority ca;
	int64_t id;
	bool is_next;

	if (k->means == NULL || k->plan->ca[0] == '\0' || k->plan->server[0] != '\0')
		return 0;
	if (ca_find(k->db, k->plan->ca, &ca, e) != 0)
		return -1;
	id = ca.id;
	is_next = ca.role == DB_ROLE_NEXT;
	db_authority_release(&ca);
	if (!is_next)
		return 0;
	if (issuer_open_id(k->db, id, &k->next, e) != 0 ||
	    profile_with(k->db, k->settings, DB_ROLES_SERVERS, &k->next_profile, k->next_hash, e) != 0)
		return -1;
	k->issuer = &k->next;
	k->profile = &k->next_profile;
	k->profile_hash = k->next_hash;
	return 0;
}

int
guard_kinds_open(struct guard_kinds *k, struct db *db, const struct settings *s, const struct mint_means *means,
    const struct plan *plan, time_t now, struct err *e)
{
	*k = (struct guard_kinds){ .db = db, .settings = s, .means = means, .plan = plan, .clock = { .now = now } };
	k->next_profile = (struct buf)BUF_INIT(DB_DER_MAX);
	if (means != NULL) {
		k->issuer = &means->issuer;
		k->profile = &means->profile;
		k->profile_hash = means->profile_hash;
	}
	if (next_open(k, e) != 0)
		return -1;
	if (plan->server[0] == '\0')
		return server_open_emitted(k, e);
	k->clock.days = (unsigned int)(plan->deadline * (plan->wave_count + 1) / DAY + 1);
	return server_open_file(k, e);
}

void
guard_kinds_release(struct guard_kinds *k)
{
	while (k->list != NULL) {
		struct guard_verdict *v = k->list;

		k->list = v->next;
		free(v);
	}
	check_server_close(k->server);
	issuer_release(&k->next);
	buf_release(&k->next_profile);
	EVP_PKEY_free(k->key);
}

/* ---- a bundle such as would be made ---- */

static int
specimen_certificate(struct guard_kinds *k, const struct db_candidate *c, struct buf *cert, struct buf *key,
    struct err *e)
{
	const struct mint_means *m = k->means;
	struct ca_cert_params params = {
		.kind = CA_KIND_PHONE,
		.organization = m->settings.value[SET_ORG],
		.common_name = c->phone.mac,
		.not_before = settings_time(&m->settings, SET_NOT_BEFORE),
		.not_after = issuer_days(k->clock.now, settings_number(&m->settings, SET_PHONE_DAYS)),
	};
	X509 *x = NULL;
	int rc = -1;

	if (k->key == NULL)
		k->key = ca_key_generate(CA_KEY_BITS_PHONE, m->keygen.how, e);
	if (k->key != NULL && ca_serial_new(params.serial, e) == 0)
		x = ca_cert_issue(&params, k->key, k->issuer->cert, k->issuer->key, e);
	if (x != NULL && ca_cert_encode(x, cert, e) == 0)
		rc = ca_key_encode(k->key, key, e);
	X509_free(x);
	return rc;
}

/* mint_plan() would keep it, too: the CA still issues. */
static bool
keeps_certificate(const struct guard_kinds *k, const struct db_candidate *c)
{
	return k->plan->what == PLAN_SETTINGS && c->phone.authority == k->issuer->authority.id;
}

static int
specimen_make(struct guard_kinds *k, const struct db_candidate *c, struct buf *out, struct err *e)
{
	struct buf cert = BUF_INIT(DB_DER_MAX), key = BUF_INIT(DB_DER_MAX);
	struct db_bundle b;
	int rc;

	if (keeps_certificate(k, c)) {
		rc = db_bundle_get(k->db, c->phone.mac, c->phone.newest, NULL, &b, e);
		if (rc == 0) {
			buf_move(&cert, &b.cert);
			buf_move(&key, &b.key);
			db_bundle_release(&b);
		}
	} else {
		rc = specimen_certificate(k, c, &cert, &key, e);
	}
	if (rc == 0)
		rc = bundle_render(k->profile->data, k->profile->len, cert.data, cert.len, key.data, key.len, out, e);
	buf_release(&cert);
	buf_release(&key);
	return rc;
}

/* ---- what the server says to it ---- */

/* side is that of config, which must outlive it; both are released by the caller. */
static int
side_read(const struct buf *text, struct config *config, struct client_side *side, struct err *e)
{
	return config_read(text->data, text->len, config, e) == 0 ? client_side_read(config, side, e) : -1;
}

static void
server_ask(struct guard_kinds *k, const struct guard_verdict *v, const struct client_side *side, struct findings *f)
{
	check_server_against(k->server, "the phone's bundle", side, model_find(v->model), f);
	if (side->cert != NULL)
		check_server_phone(k->server, NULL, side->cert, f);
}

static int
new_judge(struct guard_kinds *k, struct guard_verdict *v, const struct buf *bundle, const struct client_side *side,
    struct err *e)
{
	struct check_ovpn_params params = { .model = model_find(v->model), .clock = k->clock };
	struct findings found = FINDINGS_INIT;
	struct firmware firmware;
	int rc;

	params.clock.days = 0;
	if (v->firmware[0] != '\0' && firmware_parse(v->firmware, &firmware, NULL) == 0)
		params.firmware = &firmware;
	rc = check_ovpn(NULL, bundle->data, bundle->len, &params, &found, e);
	if (rc == 0 && error_of(&found, "its new bundle is none that it can use", v->fails))
		v->kind.fails = v->fails;
	findings_clear(&found);
	if (rc == 0 && v->kind.fails == NULL && k->server == NULL) {
		v->kind.fails = k->no_server;
	} else if (rc == 0 && v->kind.fails == NULL) {
		server_ask(k, v, side, &found);
		if (error_of(&found, "the OpenVPN server does not take its new bundle", v->fails))
			v->kind.fails = v->fails;
		rc = findings_check(&found, e);
	}
	findings_release(&found);
	return rc;
}

static bool
has_common_remote(const struct client_side *a, const struct client_side *b)
{
	for (size_t i = 0; i < a->remote_count; i++) {
		for (size_t j = 0; j < b->remote_count; j++) {
			if (strcasecmp(a->remote[i].host, b->remote[j].host) == 0 &&
			    a->remote[i].port == b->remote[j].port && a->remote[i].tcp == b->remote[j].tcp)
				return true;
		}
	}
	return false;
}

static int
old_judge(struct guard_kinds *k, struct guard_verdict *v, const struct client_side *new_side,
    const struct client_side *side, struct err *e)
{
	struct findings found = FINDINGS_INIT;
	int rc;

	if (new_side->remote_count > 0 && !has_common_remote(new_side, side)) {
		(void)snprintf(v->breaks, sizeof(v->breaks),
		    "its new bundle leads to another server, %s port %u %s, from where nothing brings it back",
		    new_side->remote[0].host, new_side->remote[0].port, new_side->remote[0].tcp ? "tcp" : "udp");
		v->kind.breaks = v->breaks;
		return 0;
	}
	if (k->server == NULL)
		return 0;
	server_ask(k, v, side, &found);
	if (error_of(&found, "the OpenVPN server does not take the bundle any more that it has", v->breaks))
		v->kind.breaks = v->breaks;
	rc = findings_check(&found, e);
	findings_release(&found);
	return rc;
}

/* How the bundle that it has fares once the server is as it shall be. */
static int
old_look(struct guard_kinds *k, struct guard_verdict *v, const struct client_side *new_side, struct err *e)
{
	unsigned char hash[DB_PROFILE_HASH_SIZE];
	struct buf text = BUF_INIT(BUNDLE_MAX);
	struct client_side side = { .cas = NULL };
	struct config config = { 0 };
	int rc = -1;

	if (v->offered[0] == '\0' || strcmp(v->offered, v->target) == 0)
		return 0;
	if (!text_unhex(v->offered, hash, sizeof(hash)))
		return err_set(e, ERR_INTEGRITY, "profile: expected its SHA-256, found \"%s\"", v->offered);
	if (db_profile_get(k->db, hash, &text, e) == 0 && side_read(&text, &config, &side, e) == 0)
		rc = old_judge(k, v, new_side, &side, e);
	client_side_release(&side);
	config_release(&config);
	buf_release(&text);
	return rc;
}

static int
verdict_judge(struct guard_kinds *k, struct guard_verdict *v, const struct buf *bundle, struct err *e)
{
	struct client_side side = { .cas = NULL };
	struct config config = { 0 };
	int rc = side_read(bundle, &config, &side, e);

	if (rc == 0)
		rc = new_judge(k, v, bundle, &side, e);
	if (rc == 0)
		rc = old_look(k, v, &side, e);
	client_side_release(&side);
	config_release(&config);
	return rc;
}

/* ---- the kinds ---- */

static bool
is_alike(const struct guard_verdict *v, const struct db_candidate *c, const char *target, int64_t authority)
{
	return v->authority == authority && strcmp(v->model, c->phone.model) == 0 &&
	       strcmp(v->firmware, c->phone.firmware) == 0 && strcmp(v->offered, c->offered_profile) == 0 &&
	       strcmp(v->target, target) == 0;
}

static struct guard_verdict *
verdict_make(struct guard_kinds *k, const struct db_candidate *c, const char *target, int64_t authority,
    const struct buf *bundle, struct err *e)
{
	struct guard_verdict *v = calloc(1, sizeof(*v));
	struct buf specimen = BUF_INIT(BUNDLE_MAX);
	int rc = 0;

	if (v == NULL) {
		err_set(e, ERR_FAILED, "lock-out guard: no memory");
		return NULL;
	}
	memcpy(v->model, c->phone.model, sizeof(v->model));
	memcpy(v->firmware, c->phone.firmware, sizeof(v->firmware));
	memcpy(v->offered, c->offered_profile, sizeof(v->offered));
	(void)snprintf(v->target, sizeof(v->target), "%s", target);
	v->authority = authority;
	if (bundle == NULL)
		rc = specimen_make(k, c, &specimen, e);
	if (rc == 0)
		rc = verdict_judge(k, v, bundle != NULL ? bundle : &specimen, e);
	buf_release(&specimen);
	if (rc == 0)
		return v;
	err_prefix(e, "lock-out guard: phone %s", c->phone.mac);
	free(v);
	return NULL;
}

const struct guard_kind *
guard_kinds_find(struct guard_kinds *k, const struct db_candidate *c, const struct buf *bundle, struct err *e)
{
	const char *target = bundle != NULL ? c->phone.profile : k->profile_hash;
	int64_t authority = bundle != NULL || k->plan->what == PLAN_SETTINGS ? c->phone.authority
	                                                                     : k->issuer->authority.id;
	struct guard_verdict *v;

	if (k->last != NULL && is_alike(k->last, c, target, authority))
		return &k->last->kind;
	for (v = k->list; v != NULL; v = v->next) {
		if (is_alike(v, c, target, authority))
			break;
	}
	if (v == NULL) {
		v = verdict_make(k, c, target, authority, bundle, e);
		if (v == NULL)
			return NULL;
		v->next = k->list;
		k->list = v;
	}
	k->last = v;
	return &v->kind;
}
