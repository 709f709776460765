/* SPDX-License-Identifier: ISC */
#include "cli/check_server_fleet.h"

#include "ca/bulk.h"
#include "ca/cert.h"
#include "cli/check_fleet.h"
#include "cli/offered.h"
#include "cli/phone_report.h"
#include "common/progress.h"
#include "db/authority.h"

#include <string.h>

struct walk {
	struct check_server *server;
	struct db *db;
	struct fleet_tally *tally;
	struct ca_reader *reader;
	struct fleet_job job; /* the phone at hand */
	size_t phones;
	struct progress progress;
	unsigned long done;
};

static int
judge_offered(struct walk *w, struct err *e)
{
	struct fleet_job *job = &w->job;
	struct buf der = BUF_INIT(DB_DER_MAX);
	struct offered o;
	X509 *cert = NULL;

	if (offered_get(w->db, &job->phone, &o, e) == 0 && db_certificate_der(w->db, o.serial, &der, NULL, e) == 0 &&
	    (cert = ca_reader_decode(w->reader, der.data, der.len, e)) != NULL)
		check_server_phone(w->server, NULL, cert, &job->shared);
	X509_free(cert);
	buf_release(&der);
	if (cert == NULL)
		return err_prefix(e, "%s", job->phone.mac);
	return fleet_tally_share(w->tally, job, e) != 0 ? -1 : fleet_tally_profile(w->tally, &job->phone, o.profile, e);
}

static int
judge(const struct db_phone *p, void *arg, struct err *e)
{
	struct walk *w = arg;

	progress_set(&w->progress, ++w->done);
	if (phone_stand(p, NULL) == STAND_TURNED_DOWN || p->offered == 0)
		return 0;
	w->phones++;
	w->job.phone = *p;
	findings_clear(&w->job.shared);
	return judge_offered(w, e);
}

struct revocations {
	struct check_server *server;
	const struct check_clock *clock;
	X509 *ca;
};

/* A server's certificate lets nobody in as a client. */
static int
revoked_take(const struct db_certificate *c, void *arg, struct err *e)
{
	const struct revocations *r = arg;

	(void)e;
	if (!c->server && c->not_after > r->clock->now)
		check_server_revoked(r->server, c->name, r->ca, c->serial, sizeof(c->serial));
	return 0;
}

int
check_server_revocations(struct check_server *server, struct db *db, const struct check_clock *clock,
    struct findings *out, struct err *e)
{
	struct revocations r = { .server = server, .clock = clock };
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);

	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct db_certificate_filter revoked = { .authority = all[i].id, .revoked = true };

		/* Of one that cannot be read nothing is in force. */
		r.ca = ca_cert_decode(all[i].cert.data, all[i].cert.len, NULL);
		if (r.ca != NULL)
			rc = db_certificate_each(db, &revoked, revoked_take, &r, e);
		X509_free(r.ca);
	}
	db_authority_free(all, count);
	if (rc == 0)
		check_server_revoked_report(server, out);
	return rc;
}

static int
walk(struct walk *w, const struct check_clock *clock, struct findings *f, bool quiet, struct err *e)
{
	const struct db_phone_filter all = DB_ALL_PHONES;
	struct settings s;
	size_t total = 0;
	int rc;

	if (settings_load(w->db, &s, e) != 0 || db_phone_count(w->db, &all, &total, e) != 0)
		return -1;
	progress_start(&w->progress, "checking", total, quiet);
	rc = db_phone_each(w->db, &all, judge, w, e);
	progress_end(&w->progress);
	if (rc != 0 || fleet_check_server(w->db, w->tally, w->server, f, e) != 0 ||
	    check_server_revocations(w->server, w->db, clock, f, e) != 0)
		return -1;
	check_server_fleet(w->server, w->phones, s.value[SET_VPN_NETWORK], f);
	fleet_tally_report(w->tally, f);
	return 0;
}

int
check_server_walk(struct check_server *server, struct db *db, const struct check_clock *clock,
    struct check_report *report, struct findings *f, size_t *ret_count, bool quiet, struct err *e)
{
	struct walk w = { .server = server, .db = db, .tally = fleet_tally_new(e) };
	int rc = -1;

	w.reader = w.tally == NULL ? NULL : ca_reader_new(e);
	if (w.reader != NULL)
		rc = walk(&w, clock, f, quiet, e);
	if (rc == 0)
		rc = check_report_add(report, f, e);
	findings_clear(f);
	findings_release(&w.job.shared);
	ca_reader_free(w.reader);
	fleet_tally_free(w.tally);
	*ret_count = w.phones;
	return rc;
}
