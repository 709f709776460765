/* SPDX-License-Identifier: ISC */
#include "cli/rollout_guard.h"

#include "cli/rollout_guard_kind.h"
#include "common/cidr.h"
#include "db/authority.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDS_MAX 16
#define NAME_SIZE 128

struct rollout_guard {
	struct db *db;
	const struct mint_means *means;
	const struct plan *plan;
	struct settings settings;
	struct guard_facts facts;
	struct guard_end ends[ENDS_MAX];
	char names[ENDS_MAX][NAME_SIZE];
	char xml_host[INET_ADDRSTRLEN];
	struct guard_kinds kinds;
};

/* ---- what has to last ---- */

__attribute__((format(printf, 5, 6))) static int
end_add(struct rollout_guard *g, enum guard_reason reason, time_t end, time_t renewed_from, const char *fmt, ...)
{
	size_t i = g->facts.end_count;
	va_list ap;

	if (i == ENDS_MAX)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(g->names[i], NAME_SIZE, fmt, ap);
	va_end(ap);
	g->ends[i] = (struct guard_end){
		.reason = reason, .name = g->names[i], .end = end, .renewed_from = renewed_from
	};
	g->facts.end_count++;
	return 0;
}

/*
 * Asked for when a rollout is made. Before an offer somebody, "serve" or a timer, renews the CRL at half its life: only one
 * that was not renewed by then tells that nobody does.
 */
static time_t
crl_renewed_from(const struct rollout_guard *g, const struct db_authority *a)
{
	time_t life = a->crl_next_update - a->crl_this_update;

	return g->means != NULL ? 0 : a->crl_this_update + life / 2 + life / 10;
}

static int
authority_add(struct rollout_guard *g, const struct db_authority *a, struct err *e)
{
	X509 *cert = ca_cert_decode(a->cert.data, a->cert.len, e);
	time_t from = 0, to = 0;
	int rc = cert != NULL ? ca_cert_validity(cert, &from, &to, e) : -1;

	X509_free(cert);
	if (rc != 0)
		return err_prefix(e, "CA \"%s\"", a->name);
	(void)end_add(g, GUARD_CA_ENDS, to, 0, "the CA \"%s\"", a->name);
	/* A folder of serials has no end. */
	if (strcmp(g->settings.value[SET_VPN_CRL], "dir") != 0)
		(void)end_add(g, GUARD_CRL_ENDS, a->crl_next_update, crl_renewed_from(g, a), "the CRL of the CA \"%s\"",
		    a->name);
	return 0;
}

/* The CA that phones' new certificates are of, now or by the plan, and the one of the server's. */
static int
ends_gather(struct rollout_guard *g, struct err *e)
{
	struct db_authority current = { 0 }, *all = NULL;
	struct db_certificate server;
	size_t count = 0;
	int rc = -1;

	if (db_authority_current(g->db, &current, e) != 0 || db_certificate_server(g->db, &server, e) != 0 ||
	    db_authority_list(g->db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		goto out;
	(void)end_add(g, GUARD_SERVER_ENDS, server.not_after, 0, "the server certificate of %s", server.name);
	rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (all[i].id == current.id || all[i].id == server.authority || strcmp(all[i].name, g->plan->ca) == 0)
			rc = authority_add(g, &all[i], e);
	}
out:
	db_authority_release(&current);
	db_authority_free(all, count);
	return rc;
}

/* ---- where the XML is ---- */

/* A host name may lead anywhere; an address inside the VPN's network does not. */
static int
xml_find(struct rollout_guard *g, struct err *e)
{
	CURLU *url = curl_url();
	struct in_addr address;
	struct cidr vpn;
	char *host = NULL;

	if (url == NULL)
		return err_set(e, ERR_FAILED, "url: no memory");
	if (curl_url_set(url, CURLUPART_URL, g->settings.value[SET_URL], 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    cidr_scan(g->settings.value[SET_VPN_NETWORK], &vpn) && inet_pton(AF_INET, host, &address) == 1 &&
	    cidr_has(&vpn, ntohl(address.s_addr)) &&
	    inet_ntop(AF_INET, &address, g->xml_host, sizeof(g->xml_host)) != NULL)
		g->facts.xml_host = g->xml_host;
	curl_free(host);
	curl_url_cleanup(url);
	return 0;
}

/* ---- the guard ---- */

struct rollout_guard *
rollout_guard_open(struct db *db, const struct mint_means *means, const struct plan *plan, time_t now, struct err *e)
{
	struct rollout_guard *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		err_set(e, ERR_FAILED, "lock-out guard: no memory");
		return NULL;
	}
	g->db = db;
	g->means = means;
	g->plan = plan;
	g->facts.ends = g->ends;
	g->facts.now = now;
	if (settings_load(db, &g->settings, e) == 0 && ends_gather(g, e) == 0 && xml_find(g, e) == 0 &&
	    guard_kinds_open(&g->kinds, db, &g->settings, means, plan, now, e) == 0)
		return g;
	rollout_guard_free(g);
	return NULL;
}

void
rollout_guard_free(struct rollout_guard *g)
{
	if (g == NULL)
		return;
	guard_kinds_release(&g->kinds);
	free(g);
}

const struct guard_kind *
rollout_guard_kind(struct rollout_guard *g, const struct db_candidate *c, const struct buf *bundle, struct err *e)
{
	return guard_kinds_find(&g->kinds, c, bundle, e);
}

enum guard_reason
rollout_guard_judge(const struct rollout_guard *g, const struct guard_kind *kind, const struct guard_phone *p,
    char detail[GUARD_DETAIL_SIZE])
{
	return guard_judge(&g->facts, kind, p, detail);
}
