/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "bundler/check_ovpn.h"
#include "ca/bulk.h"
#include "ca/facts.h"
#include "ca/pem.h"
#include "cli/base_document.h"
#include "cli/offered.h"
#include "cli/phone_report.h"
#include "cli/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUSTED_MAX 8 /* profiles whose CAs a thread keeps */

/* The CAs of a profile. */
struct trusted {
	char profile[DB_HASH_SIZE];
	STACK_OF(X509) * cas;
	struct ca_voucher *voucher;
};

struct fleet_worker {
	const struct fleet_common *common;
	struct db *db;
	struct ca_reader *reader;
	struct check_server *server; /* or NULL */
	struct trusted trusted[TRUSTED_MAX];
	size_t trusted_next;
	struct buf bundle, xml, document; /* of the phone at hand; their memory serves the next */
	struct findings some;
};

/* The phone at hand. */
struct judged {
	struct fleet_worker *w;
	struct fleet_job *job;
	const struct db_phone *phone;
	char element[FLEET_ELEMENT_SIZE];
	struct finding_place place;
	const struct model *model;
	struct firmware firmware;
	bool firmware_known;
	bool on_vpn; /* a bundle is offered to it: */
	struct offered offered;
};

struct finding_place
fleet_place(const struct db_phone *p, char element[FLEET_ELEMENT_SIZE])
{
	(void)snprintf(element, FLEET_ELEMENT_SIZE, "phone %s", p->mac);
	return (struct finding_place){ .element = element };
}

void
fleet_copy(struct findings *to, const struct findings *from, const char *where)
{
	char element[FLEET_ELEMENT_SIZE];

	for (size_t i = 0; i < from->count; i++) {
		const struct finding *f = &from->list[i];
		struct finding_place place = { .file = f->file, .line = f->line, .element = element };

		(void)snprintf(element, sizeof(element), "%s%s%s", where, f->element != NULL ? ", " : "",
		    f->element != NULL ? f->element : "");
		findings_add(to, f->rule, &place, "%s", f->text);
	}
	to->left_off += from->left_off;
	to->broken = to->broken || from->broken;
}

/* What is wrong with the server whatever the phones say is told once, elsewhere. */
static int
server_open(struct fleet_worker *w, struct err *e)
{
	int rc = check_server_open(w->common->server, &w->common->clock, &w->some, &w->server, e);

	findings_clear(&w->some);
	return rc;
}

static void
trusted_release(struct trusted *t)
{
	sk_X509_pop_free(t->cas, X509_free);
	ca_voucher_free(t->voucher);
	*t = (struct trusted){ .cas = NULL };
}

static void
worker_close(void *arg)
{
	struct fleet_worker *w = arg;

	db_close(w->db);
	check_server_close(w->server);
	ca_reader_free(w->reader);
	for (size_t i = 0; i < TRUSTED_MAX; i++)
		trusted_release(&w->trusted[i]);
	buf_release(&w->bundle);
	buf_release(&w->xml);
	buf_release(&w->document);
	findings_release(&w->some);
	free(w);
}

static void *
worker_open(const void *common, struct err *e)
{
	const struct fleet_common *c = common;
	struct fleet_worker *w = malloc(sizeof(*w));

	if (w == NULL) {
		err_set(e, ERR_FAILED, "check: no memory");
		return NULL;
	}
	*w = (struct fleet_worker){
		.common = c,
		.bundle = BUF_INIT(BUNDLE_MAX),
		.xml = BUF_INIT(XML_MAX),
		.document = BUF_INIT(XML_MAX),
	};
	w->reader = ca_reader_new(e);
	w->db = w->reader == NULL ? NULL : db_open(&c->where, e);
	if (w->db != NULL && (c->server == NULL || server_open(w, e) == 0))
		return w;
	worker_close(w);
	return NULL;
}

/* What is wrong with what is stored is a finding; what keeps the check from looking is not. */
static int
found_error(struct judged *j, enum fleet_rule rule, const struct err *why, struct err *e)
{
	if (why->code == ERR_FAILED || why->code == ERR_CONFLICT)
		return err_set(e, why->code, "%s", why->text);
	FLEET_FOUND(&j->job->found, rule, &j->place, "%s", why->text);
	return 0;
}

/* ---- what the phone has ---- */

static void
judge_stand(struct judged *j)
{
	const struct db_phone *p = j->phone;
	struct findings *found = &j->job->found;
	struct err why = ERR_INIT;
	enum phone_stand stand = phone_stand(p, &why);

	j->on_vpn = stand != STAND_TURNED_DOWN && p->offered != 0;
	if (stand == STAND_TURNED_DOWN && j->model != NULL && j->model->openvpn)
		FLEET_FOUND(found, FLEET_FIRMWARE, &j->place, "%s", why.text);
	else if (stand == STAND_TURNED_DOWN)
		FLEET_FOUND(&j->job->shared, FLEET_MODEL, &(struct finding_place){ .line = 0 }, "%s", why.text);
	else if (stand == STAND_NONE)
		FLEET_FOUND(found, FLEET_NOT_MINTED, &j->place, "expected a generation, found none");
	else if (p->offered != 0 && p->offered != p->newest)
		FLEET_FOUND(found, FLEET_OFFER_BEHIND, &j->place, "expected generation %lld to be offered, found %lld",
		    (long long)p->newest, (long long)p->offered);
	else if (p->offered == 0 && p->revoked != 0)
		FLEET_FOUND(&j->job->shared, FLEET_REVOKED, &(struct finding_place){ .line = 0 },
		    "expected a certificate in force, found it is revoked");
	else if (p->offered == 0)
		FLEET_FOUND(found, FLEET_NOT_OFFERED, &j->place,
		    "expected generation %lld to be offered, found none is", (long long)p->newest);
}

/* The issuer is known of the newest only. */
static void
judge_age(struct judged *j)
{
	const struct fleet_common *c = j->w->common;
	const struct db_phone *p = j->phone;
	const struct finding_place nowhere = { .file = NULL };

	if (strcmp(j->offered.profile, c->profile) != 0)
		FLEET_FOUND(&j->job->shared, FLEET_PROFILE_OLD, &nowhere, "expected profile %.12s, found %.12s",
		    c->profile, j->offered.profile);
	if (p->offered == p->newest && p->authority != c->authority)
		FLEET_FOUND(&j->job->shared, FLEET_ISSUER_FORMER, &nowhere,
		    "expected a certificate of the CA that issues now, found one of a former CA");
	if (j->offered.revoked != 0)
		FLEET_FOUND(&j->job->found, FLEET_REVOKED_OFFERED, &j->place,
		    "expected a certificate in force for generation %lld, found it is revoked", (long long)p->offered);
}

/* ---- the bundle ---- */

static void
judge_record(struct judged *j, const X509 *cert)
{
	const struct offered *o = &j->offered;
	unsigned char serial[DB_SERIAL_SIZE];
	time_t from, to;

	if (ca_cert_validity(cert, &from, &to, NULL) != 0 || to != o->not_after)
		FLEET_FOUND(&j->job->found, FLEET_RECORD, &j->place,
		    "expected the end of the certificate in the database, found another");
	else if (ca_cert_serial(cert, serial, NULL) != 0 || memcmp(serial, o->serial, sizeof(serial)) != 0)
		FLEET_FOUND(&j->job->found, FLEET_RECORD, &j->place,
		    "expected the serial of the certificate in the database, found another");
}

/* The CAs that stand in the offered profile; none when they cannot be read, which the profile's check tells. */
static const struct trusted *
trusted_get0(struct judged *j, const struct db_bundle *b)
{
	struct fleet_worker *w = j->w;
	const char *profile = j->offered.profile;
	const struct config_line *ca;
	struct config config = { 0 };
	struct trusted *t;

	for (size_t i = 0; i < TRUSTED_MAX; i++)
		if (strcmp(w->trusted[i].profile, profile) == 0)
			return &w->trusted[i];
	t = &w->trusted[w->trusted_next++ % TRUSTED_MAX];
	trusted_release(t);
	memcpy(t->profile, profile, sizeof(t->profile));
	t->voucher = ca_voucher_new();
	if (config_read(b->profile.data, b->profile.len, &config, NULL) == 0) {
		ca = config_find(&config, "ca");
		if (ca != NULL && ca->content != NULL)
			t->cas = ca_pem_certs(ca->content, ca->content_len, "<ca>", NULL);
	}
	config_release(&config);
	return t;
}

/* The certificate as the phone's OpenVPN and the server see it. The key was compared. */
static void
judge_identity(struct judged *j, const struct db_bundle *b, X509 *cert)
{
	struct fleet_worker *w = j->w;
	const struct check_ovpn_params params = {
		.model = j->model,
		.firmware = j->firmware_known ? &j->firmware : NULL,
		.clock = w->common->clock,
	};
	const struct trusted *trusted = trusted_get0(j, b);
	struct check_identity id = {
		.cas = trusted->cas,
		.certs = sk_X509_new_null(),
		.voucher = trusted->voucher,
	};

	findings_clear(&w->some);
	if (id.certs != NULL && sk_X509_push(id.certs, cert) > 0)
		check_ovpn_identity(NULL, &id, &params, &w->some);
	else
		j->job->found.broken = true;
	sk_X509_free(id.certs);
	fleet_copy(&j->job->found, &w->some, j->element);
	if (w->server != NULL)
		check_server_phone(w->server, NULL, cert, &j->job->shared);
}

static int
judge_bundle(struct judged *j, struct err *e)
{
	struct fleet_worker *w = j->w;
	const struct db_phone *p = j->phone;
	struct err why = ERR_INIT;
	struct db_bundle b;
	X509 *cert = NULL;
	int rc = 0;

	if (db_bundle_get(w->db, p->mac, p->offered, NULL, &b, &why) != 0)
		return found_error(j, FLEET_BUNDLE, &why, e);
	buf_clear(&w->bundle);
	cert = ca_reader_decode(w->reader, b.cert.data, b.cert.len, &why);
	if (cert == NULL || render_parts(w->db, &b, p->mac, &w->bundle, NULL, &why) != 0) {
		rc = found_error(j, FLEET_BUNDLE, &why, e);
		goto out;
	}
	if (!ca_cert_owns_der(cert, b.key.data, b.key.len))
		FLEET_FOUND(&j->job->found, FLEET_KEY, &j->place, "expected the certificate's key, found another");
	judge_record(j, cert);
	memcpy(j->job->profile, j->offered.profile, sizeof(j->job->profile));
	judge_identity(j, &b, cert);
out:
	X509_free(cert);
	db_bundle_release(&b);
	return rc;
}

/* ---- the XML ---- */

static int
judge_credential(struct judged *j, bool *ret_good, struct err *e)
{
	const struct db_phone *p = j->phone;
	struct buf password = BUF_INIT(DB_DER_MAX);
	struct err why = ERR_INIT;
	int rc = 0;

	*ret_good = false;
	if (db_phone_http_password(j->w->db, p->id, &password, &why) != 0) {
		rc = found_error(j, FLEET_CREDENTIAL, &why, e);
	} else {
		*ret_good = p->http_user[0] != '\0' && password.len > 0;
		if (!*ret_good)
			FLEET_FOUND(&j->job->found, FLEET_CREDENTIAL, &j->place,
			    "expected a user and a password, found no %s",
			    p->http_user[0] == '\0' ? "user" : "password");
	}
	buf_release(&password);
	return rc;
}

/* path NULL: a minimal document, whose faults come from the settings and are those of all phones. */
static int
judge_document(struct judged *j, const char *path, const struct buf *xml, struct err *e)
{
	const struct check_xml_params params = {
		.model = j->model,
		.firmware = j->firmware_known ? &j->firmware : NULL,
		.vpn = j->w->common->vpn,
	};
	struct findings *some = &j->w->some;

	if (path == NULL)
		return check_xml(NULL, xml->data, xml->len, &params, &j->job->shared, e);
	findings_clear(some);
	if (check_xml(path, xml->data, xml->len, &params, some, e) != 0)
		return -1;
	/* With our settings in it the lines are not those of the file any more. */
	for (size_t i = 0; i < some->count; i++)
		some->list[i].line = 0;
	fleet_copy(&j->job->found, some, j->element);
	return 0;
}

static int
judge_xml(struct judged *j, struct err *e)
{
	struct fleet_worker *w = j->w;
	struct buf *document = &w->document, *xml = &w->xml;
	struct err why = ERR_INIT;
	char *path = NULL;
	int rc;

	buf_clear(document);
	buf_clear(xml);
	if (base_document(w->common->base_dir, j->phone->mac, document, &path, e) != 0)
		return -1;
	/* Without one of its own there is nothing of the VPN in it but what is offered. */
	if (path == NULL && !j->on_vpn)
		return 0;
	rc = render_xml(w->db, &w->common->settings, j->phone, path != NULL ? document : NULL, path, xml, &why);
	if (rc == 0)
		rc = judge_document(j, path, xml, e);
	else
		rc = found_error(j, FLEET_XML, &why, e);
	free(path);
	return rc;
}

static int
judge_offered(struct judged *j, struct err *e)
{
	struct err why = ERR_INIT;

	if (offered_get(j->w->db, j->phone, &j->offered, &why) != 0)
		return found_error(j, FLEET_BUNDLE, &why, e);
	judge_age(j);
	return judge_bundle(j, e);
}

static int
judge(struct fleet_worker *w, struct fleet_job *job, struct err *e)
{
	struct judged j = { .w = w, .job = job, .phone = &job->phone, .model = model_find(job->phone.model) };
	bool credential;

	j.place = fleet_place(j.phone, j.element);
	j.firmware_known = j.phone->firmware[0] != '\0' && firmware_parse(j.phone->firmware, &j.firmware, NULL) == 0;
	judge_stand(&j);
	job->profile[0] = '\0';
	if (j.on_vpn && judge_offered(&j, e) != 0)
		return -1;
	if (judge_credential(&j, &credential, e) != 0 || (credential && judge_xml(&j, e) != 0))
		return -1;
	return findings_check(&job->found, e) != 0 ? -1 : findings_check(&job->shared, e);
}

static void
worker_run(void *worker, void *arg)
{
	struct fleet_job *job = arg;

	if (judge(worker, job, &job->error) != 0)
		err_prefix(&job->error, "phone %s", job->phone.mac);
}

static void
job_release(void *arg)
{
	struct fleet_job *job = arg;

	findings_release(&job->found);
	findings_release(&job->shared);
}

const struct pool_kind fleet_pool_kind = {
	.what = "check",
	.job_size = sizeof(struct fleet_job),
	.window = 2 * FLEET_BATCH,
	.open = worker_open,
	.close = worker_close,
	.run = worker_run,
	.release = job_release,
};
