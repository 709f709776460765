/* SPDX-License-Identifier: ISC */
#include "cli/check_server_fleet.h"

#include "ca/cert.h"
#include "cli/phone_report.h"
#include "cli/settings.h"
#include "common/progress.h"

#include <stdlib.h>
#include <string.h>

struct walk {
	struct check_server *server;
	struct db *db;
	struct check_report *report;
	struct findings *findings;
	char (*judged)[DB_HASH_SIZE]; /* profiles */
	size_t judged_count, phones;
	struct progress progress;
	unsigned long done;
};

/* What is offered: the newest generation, or one before it. */
struct offered {
	int64_t number;
	char profile[DB_HASH_SIZE];
	unsigned char serial[DB_SERIAL_SIZE];
	bool found;
};

static int
offered_find(const struct db_generation *g, void *arg, struct err *e)
{
	struct offered *o = arg;

	(void)e;
	if (g->number != o->number)
		return 0;
	memcpy(o->profile, g->profile, sizeof(o->profile));
	memcpy(o->serial, g->serial, sizeof(o->serial));
	o->found = true;
	return 0;
}

static int
offered_get(struct db *db, const struct db_phone *p, struct offered *ret, struct err *e)
{
	*ret = (struct offered){ .number = p->offered };
	if (p->newest != p->offered)
		return db_generation_each(db, p->id, offered_find, ret, e);
	memcpy(ret->profile, p->profile, sizeof(ret->profile));
	memcpy(ret->serial, p->serial, sizeof(ret->serial));
	ret->found = true;
	return 0;
}

static bool
was_judged(const struct walk *w, const char *profile)
{
	for (size_t i = 0; i < w->judged_count; i++)
		if (strcmp(w->judged[i], profile) == 0)
			return true;
	return false;
}

static int
judge_profile(struct walk *w, const struct db_phone *p, const struct offered *o, const struct model *m, struct err *e)
{
	char(*list)[DB_HASH_SIZE] = reallocarray(w->judged, w->judged_count + 1, sizeof(*list));
	struct client_side side = { .cas = NULL };
	struct config config = { 0 };
	struct db_bundle bundle;
	int rc = -1;

	if (list == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", p->mac);
	w->judged = list;
	if (db_bundle_get(w->db, p->mac, p->offered, NULL, &bundle, e) != 0)
		return -1;
	if (config_read(bundle.profile.data, bundle.profile.len, &config, e) == 0 &&
	    client_side_read(&config, &side, e) == 0) {
		check_server_against(w->server, p->mac, &side, m, w->findings);
		memcpy(list[w->judged_count++], o->profile, sizeof(*list));
		rc = 0;
	}
	client_side_release(&side);
	config_release(&config);
	db_bundle_release(&bundle);
	return rc;
}

static int
judge_certificate(struct walk *w, const struct db_phone *p, const struct offered *o, struct err *e)
{
	struct buf der = BUF_INIT(DB_DER_MAX);
	X509 *cert = NULL;

	if (db_certificate_der(w->db, o->serial, &der, NULL, e) == 0 &&
	    (cert = ca_cert_decode(der.data, der.len, e)) != NULL)
		check_server_phone(w->server, p->mac, cert, w->findings);
	X509_free(cert);
	buf_release(&der);
	return cert == NULL ? -1 : 0;
}

static int
judge(const struct db_phone *p, void *arg, struct err *e)
{
	struct walk *w = arg;
	const struct model *m = model_find(p->model);
	struct offered o;
	int rc = 0;

	progress_set(&w->progress, ++w->done);
	if (phone_stand(p, NULL) == STAND_TURNED_DOWN || p->offered == 0)
		return 0;
	if (offered_get(w->db, p, &o, e) != 0)
		return -1;
	if (!o.found)
		return err_set(e, ERR_INTEGRITY, "%s: expected generation %lld, which is offered, found none", p->mac,
		    (long long)p->offered);
	w->phones++;
	check_server_model(w->server, p->mac, m, w->findings);
	if (!was_judged(w, o.profile))
		rc = judge_profile(w, p, &o, m, e);
	if (rc == 0)
		rc = judge_certificate(w, p, &o, e);
	if (rc == 0)
		rc = check_report_add(w->report, w->findings, e);
	findings_clear(w->findings);
	return rc == 0 ? 0 : err_prefix(e, "%s", p->mac);
}

int
check_server_walk(struct check_server *server, struct db *db, struct check_report *report, struct findings *f,
    size_t *ret_count, bool quiet, struct err *e)
{
	struct walk w = { .server = server, .db = db, .report = report, .findings = f };
	const struct db_phone_filter all = DB_ALL_PHONES;
	struct settings s;
	size_t total = 0;
	int rc = -1;

	if (check_report_add(report, f, e) != 0)
		return -1;
	findings_clear(f);
	if (settings_load(db, &s, e) != 0 || db_phone_count(db, &all, &total, e) != 0)
		return -1;
	progress_start(&w.progress, "checking", total, quiet);
	rc = db_phone_each(db, &all, judge, &w, e);
	progress_end(&w.progress);
	if (rc == 0) {
		check_server_fleet(server, w.phones, s.value[SET_VPN_NETWORK], f);
		rc = check_report_add(report, f, e);
		findings_clear(f);
	}
	*ret_count = w.phones;
	free(w.judged);
	return rc;
}
