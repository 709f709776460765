/* SPDX-License-Identifier: ISC */
#include "cli/serve_watch.h"

#include "ca/cert.h"
#include "cli/phone_report.h"
#include "cli/rollout_health.h"
#include "cli/settings.h"
#include "cli/state.h"
#include "common/log.h"
#include "common/text.h"
#include "db/authority.h"
#include "db/tally.h"
#include "provisioner/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STATE_MAX (1 << 18)
#define COUNT_SECONDS 60
#define DAY ((time_t)24 * 3600)

static const int limit_days[DB_TALLY_LIMITS] = { 7, 30, 90 };
static const int unseen_days[] = { 1, 7, 30 };

struct serve_watch {
	struct http_server *server;
	struct db *db;
	struct buf state; /* the families of the state folder, as they were at counted */
	time_t counted;   /* CLOCK_MONOTONIC; 0: never */
};

/* The fleet, by where its phones stand. */
struct fleet {
	size_t phones[STAND_REVOKED + 1];
	size_t ending[DB_TALLY_LIMITS];
	time_t first_end;
};

static int
fleet_add(const struct db_phone_tally *t, void *arg, struct err *e)
{
	struct fleet *f = arg;
	enum phone_stand stand = phone_stand(&t->phone, NULL);

	(void)e;
	f->phones[stand] += t->phones;
	if (stand != STAND_OFFERED && stand != STAND_MINTED)
		return 0;
	for (size_t i = 0; i < DB_TALLY_LIMITS; i++)
		f->ending[i] += t->ending[i];
	if (t->first_end != 0 && (f->first_end == 0 || t->first_end < f->first_end))
		f->first_end = t->first_end;
	return 0;
}

static int
fleet_render(struct db *db, struct buf *out, struct err *e)
{
	static const char phones[] = "phonevpn_phones", ending[] = "phonevpn_phone_certificates_ending";
	time_t now = time(NULL), limits[DB_TALLY_LIMITS];
	struct fleet f = { .first_end = 0 };
	char days[16];

	for (size_t i = 0; i < DB_TALLY_LIMITS; i++)
		limits[i] = now + limit_days[i] * DAY;
	if (db_phone_tally_each(db, limits, fleet_add, &f, e) != 0)
		return -1;
	metrics_family(out, phones, METRICS_GAUGE, "Phones of the fleet, by their state as in phone list.");
	for (enum phone_stand i = STAND_TURNED_DOWN; i <= STAND_REVOKED; i++)
		metrics_sample(out, phones, "state", phone_stand_name(i), (double)f.phones[i]);
	metrics_family(out, ending, METRICS_GAUGE,
	    "Phones whose certificate ends within so many days, or has ended, and is not revoked.");
	for (size_t i = 0; i < DB_TALLY_LIMITS; i++) {
		(void)snprintf(days, sizeof(days), "%d", limit_days[i]);
		metrics_sample(out, ending, "days", days, (double)f.ending[i]);
	}
	if (f.first_end != 0)
		metrics_single(out, "phonevpn_phone_certificate_first_end_timestamp_seconds", METRICS_GAUGE,
		    "When the first of the phones' certificates ends.", (double)f.first_end);
	return 0;
}

/* Who is on the VPN, as far as "phonevpn watch" has seen. */
static int
seen_render(struct db *db, struct buf *out, struct err *e)
{
	static const char unseen[] = "phonevpn_phones_unseen";
	struct db_seen_tally t = { .on = 0 };
	char days[16];

	metrics_family(out, unseen, METRICS_GAUGE,
	    "Phones that are offered a bundle and were not on the VPN for so many days, as far as phonevpn watch has seen.");
	for (size_t i = 0; i < sizeof(unseen_days) / sizeof(unseen_days[0]); i++) {
		if (db_seen_tally(db, time(NULL) - unseen_days[i] * DAY, &t, e) != 0)
			return -1;
		(void)snprintf(days, sizeof(days), "%d", unseen_days[i]);
		metrics_sample(out, unseen, "days", days, (double)t.unseen);
	}
	metrics_single(out, "phonevpn_phones_on_vpn", METRICS_GAUGE, "Phones on the VPN now, as far as was seen.",
	    (double)t.on);
	metrics_single(out, "phonevpn_phones_never_on_vpn", METRICS_GAUGE,
	    "Phones that are offered a bundle and were never seen on the VPN.", (double)t.never);
	return 0;
}

static int
authority_render(const struct db_authority *a, struct buf *out, struct err *e)
{
	X509 *cert = ca_cert_decode(a->cert.data, a->cert.len, e);
	time_t from, to;
	int rc = cert != NULL ? ca_cert_validity(cert, &from, &to, e) : -1;

	X509_free(cert);
	if (rc == 0)
		metrics_sample(out, "phonevpn_ca_end_timestamp_seconds", "authority", a->name, (double)to);
	return rc;
}

/* Of every authority that servers trust: all their CRLs have to be valid, or OpenVPN turns their clients down. */
static int
authorities_render(struct db *db, struct buf *out, struct err *e)
{
	static const char crl[] = "phonevpn_crl_next_update_timestamp_seconds";
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc = 0;

	if (db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e) != 0)
		return -1;
	metrics_family(out, crl, METRICS_GAUGE, "When the authority's CRL runs out.");
	for (size_t i = 0; i < count; i++)
		metrics_sample(out, crl, "authority", all[i].name, (double)all[i].crl_next_update);
	metrics_family(out, "phonevpn_ca_end_timestamp_seconds", METRICS_GAUGE,
	    "When the authority's certificate ends.");
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = authority_render(&all[i], out, e);
	db_authority_free(all, count);
	return rc;
}

static int
server_render(struct db *db, struct buf *out, struct err *e)
{
	struct db_certificate c;

	if (db_certificate_server(db, &c, e) != 0)
		return e->code == ERR_NOT_FOUND ? 0 : -1;
	metrics_single(out, "phonevpn_server_certificate_end_timestamp_seconds", METRICS_GAUGE,
	    "When the certificate of the OpenVPN server ends.", (double)c.not_after);
	return 0;
}

static int
state_render(struct serve_watch *w, struct err *e)
{
	buf_clear(&w->state);
	if (fleet_render(w->db, &w->state, e) != 0 || seen_render(w->db, &w->state, e) != 0 ||
	    authorities_render(w->db, &w->state, e) != 0 || rollout_metrics_render(w->db, &w->state, e) != 0)
		return -1;
	return server_render(w->db, &w->state, e);
}

/* At most once in COUNT_SECONDS, also when it fails. */
static void
state_refresh(struct serve_watch *w)
{
	char shown[ERR_TEXT_MAX];
	struct err e = ERR_INIT;
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (w->counted != 0 && now.tv_sec - w->counted < COUNT_SECONDS)
		return;
	w->counted = now.tv_sec;
	if (state_render(w, &e) == 0)
		return;
	buf_clear(&w->state);
	log_error("metrics: %s", text_printable(e.text, shown, sizeof(shown)));
}

static int
database_check(struct serve_watch *w, struct err *e)
{
	struct settings s;

	return settings_load(w->db, &s, e) == 0 ? 0 : err_prefix(e, "database");
}

static int
on_health(void *arg, struct err *e)
{
	struct serve_watch *w = arg;
	time_t end = http_tls_end(w->server);
	char text[TEXT_TIME_SIZE];

	if (database_check(w, e) != 0)
		return -1;
	if (end == 0 || end >= time(NULL))
		return 0;
	text_time(end, text);
	return err_set(e, ERR_FAILED, "TLS certificate: expected one that has not ended, found that it did at %s",
	    text);
}

static void
on_metrics(void *arg, struct buf *out)
{
	struct serve_watch *w = arg;

	metrics_family(out, "phonevpn_build_info", METRICS_GAUGE, "The version that runs; always 1.");
	metrics_sample(out, "phonevpn_build_info", "version", VERSION, 1);
	metrics_single(out, "phonevpn_database_readable", METRICS_GAUGE, "1 when the database can be read, else 0.",
	    database_check(w, NULL) == 0);
	state_refresh(w);
	buf_add(out, buf_string(&w->state), w->state.len);
}

struct serve_watch *
serve_watch_open(const struct invocation *in, struct http_server *server, struct err *e)
{
	struct serve_watch *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		(void)err_set(e, ERR_FAILED, "admin listener: no memory is left to start it");
		return NULL;
	}
	w->server = server;
	w->state = (struct buf)BUF_INIT(STATE_MAX);
	w->db = state_open(in, e);
	if (w->db == NULL) {
		serve_watch_close(w);
		return NULL;
	}
	return w;
}

void
serve_watch_close(struct serve_watch *w)
{
	if (w == NULL)
		return;
	db_close(w->db);
	buf_release(&w->state);
	free(w);
}

struct admin_config
serve_watch_admin(struct serve_watch *w)
{
	return (struct admin_config){
		.server = w->server,
		.arg = w,
		.health = on_health,
		.metrics = on_metrics,
	};
}
