/* SPDX-License-Identifier: ISC */
#include "cli/check_live_internal.h"

#include "ca/facts.h"
#include "ca/pem.h"
#include "cli/base_document.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/text.h"
#include "dseries/setting.h"
#include "provisioner/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX 4096
#define LOST_MAX 10 /* transfers in a row without an answer: then the server is given up */
#define SAMPLE 1000 /* of so many phones one tries to have another one's XML */
#define DAY 86400

struct live {
	const struct live_params *params;
	CURLM *multi;
	struct live_phone *ring;
	size_t put, taken; /* only grow */
	size_t lost, skipped;
	bool given_up;
	bool looked; /* at the server's certificate */
	time_t tls_end;
	char tls_origin[LIVE_SHOWN_SIZE];
	char former[DB_MAC_SIZE]; /* the phone before */
};

static int
check_ca_file(const char *path, struct err *e)
{
	struct buf text = BUF_INIT(1 << 20);
	STACK_OF(X509) *certs = NULL;
	int rc = -1;

	if (file_read(path, &text, e) == 0)
		certs = ca_pem_certs(text.data, text.len, path, e);
	if (certs != NULL && sk_X509_num(certs) == 0)
		err_set(e, ERR_INPUT, "%s: expected PEM certificates, found none", path);
	else if (certs != NULL)
		rc = 0;
	sk_X509_pop_free(certs, X509_free);
	buf_release(&text);
	return rc;
}

struct live *
live_open(const struct live_params *params, struct err *e)
{
	struct live *l;

	if (url_check_base(params->base, e) != 0) {
		(void)err_usage(e);
		return NULL;
	}
	if (params->ca_file != NULL && check_ca_file(params->ca_file, e) != 0)
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(e, ERR_FAILED, "libcurl: cannot be started");
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (l != NULL) {
		l->params = params;
		l->multi = curl_multi_init();
		l->ring = calloc(params->transfers, sizeof(*l->ring));
	}
	if (l != NULL && l->multi != NULL && l->ring != NULL &&
	    curl_multi_setopt(l->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)params->transfers) == CURLM_OK)
		return l;
	err_set(e, ERR_FAILED, "libcurl: no memory");
	live_close(l);
	return NULL;
}

static void
phone_release(struct live *l, struct live_phone *p)
{
	if (p->fetch.curl != NULL)
		(void)curl_multi_remove_handle(l->multi, p->fetch.curl);
	live_fetch_release(&p->fetch);
	buf_release(&p->base);
	buf_release(&p->xml);
	xml_said_release(&p->expected);
	xml_said_release(&p->served);
	findings_release(&p->job.found);
	findings_release(&p->job.shared);
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; l->ring != NULL && i < l->params->transfers; i++)
		phone_release(l, &l->ring[i]);
	(void)curl_multi_cleanup(l->multi);
	free(l->ring);
	free(l);
	curl_global_cleanup();
}

/* ---- one phone ---- */

/* What the database says that the phone gets. */
static int
expect(const struct live *l, struct live_phone *p, struct err *e)
{
	const struct live_params *params = l->params;
	const struct db_phone *phone = &p->job.phone;
	struct buf password = BUF_INIT(DB_DER_MAX), document = BUF_INIT(XML_MAX);
	char *path = NULL;
	int rc = -1;

	p->base = (struct buf)BUF_INIT(URL_MAX);
	p->xml = (struct buf)BUF_INIT(XML_MAX);
	if (db_phone_http_password(params->db, phone->id, &password, e) == 0 &&
	    url_login(params->base, phone->http_user, buf_string(&password), &p->base, e) == 0 &&
	    base_document(params->common->base_dir, phone->mac, &document, &path, e) == 0 &&
	    render_xml(params->db, &params->common->settings, phone, path != NULL ? &document : NULL, path, &p->xml,
		e) == 0)
		rc = xml_read(p->xml.data, p->xml.len, phone->mac, &p->expected, e);
	free(path);
	buf_release(&password);
	buf_release(&document);
	return rc;
}

/* The form that phones have: "Digium D65 2_9_27". */
static void
name_agent(struct live_phone *p)
{
	const struct db_phone *phone = &p->job.phone;
	const struct model *m = model_find(phone->model);
	char firmware[FIRMWARE_SIZE] = "";

	if (phone->firmware[0] == '\0' && m != NULL)
		firmware_format(&m->recommended, firmware);
	(void)snprintf(p->user_agent, sizeof(p->user_agent), "Digium %s %s", phone->model,
	    phone->firmware[0] != '\0' ? phone->firmware : firmware);
}

static int
step_begin(struct live *l, struct live_phone *p, enum live_step step, struct err *e)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct live_request request = {
		.user_agent = p->user_agent,
		.ca_file = l->params->ca_file,
		.max = step == LIVE_STEP_BUNDLE ? BUNDLE_MAX : XML_MAX,
	};
	struct err why = ERR_INIT;
	int rc = -1;

	p->step = step;
	if (step == LIVE_STEP_DONE)
		return 0;
	if (step == LIVE_STEP_BUNDLE)
		buf_add_string(&url, p->served.url);
	else
		buf_addf(&url, "%s%s.cfg", buf_string(&p->base), step == LIVE_STEP_XML ? p->job.phone.mac : p->other);
	request.url = buf_string(&url);
	if (buf_check(&url, "URL", e) != 0)
		goto out;
	if (live_fetch_begin(&p->fetch, &request, p, &why) == 0) {
		rc = curl_multi_add_handle(l->multi, p->fetch.curl) == CURLM_OK
		         ? 0
		         : err_set(e, ERR_FAILED, "libcurl: a transfer cannot be begun");
	} else if (why.code == ERR_INPUT) {
		/* A URL that is none was found as such in the XML. */
		live_fetch_release(&p->fetch);
		p->step = LIVE_STEP_DONE;
		rc = 0;
	} else {
		*e = why;
	}
out:
	buf_release(&url);
	return rc;
}

static void
look_at_certificate(struct live *l, const struct live_fetch *f)
{
	X509 *cert = l->looked || f->status == 0 ? NULL : live_fetch_certificate(f);
	struct ca_cert_facts facts;

	if (cert == NULL)
		return;
	l->looked = true;
	ca_cert_facts(cert, &facts);
	l->tls_end = facts.not_after;
	live_fetch_origin(f, l->tls_origin);
	X509_free(cert);
}

static int
step_end(struct live *l, struct live_phone *p, CURLcode code, struct err *e)
{
	enum live_step next;
	const char *why;
	int rc;

	live_fetch_end(&p->fetch, code);
	l->lost = live_fetch_is_lost(&p->fetch, &why) ? l->lost + 1 : 0;
	l->given_up = l->given_up || l->lost >= LOST_MAX;
	look_at_certificate(l, &p->fetch);
	rc = live_judge(l->params, p, &next, e);
	(void)curl_multi_remove_handle(l->multi, p->fetch.curl);
	live_fetch_release(&p->fetch);
	return rc == 0 ? step_begin(l, p, l->given_up ? LIVE_STEP_DONE : next, e) : -1;
}

/* ---- all of them ---- */

bool
live_is_full(const struct live *l)
{
	return l->put - l->taken == l->params->transfers;
}

int
live_put(struct live *l, const struct db_phone *phone, struct err *e)
{
	struct live_phone *p = &l->ring[l->put % l->params->transfers];
	struct err why = ERR_INIT;

	if (l->given_up) {
		l->skipped++;
		return 0;
	}
	p->job.phone = *phone;
	name_agent(p);
	/* The second of every thousand. */
	if (l->put % SAMPLE == 1)
		memcpy(p->other, l->former, sizeof(p->other));
	memcpy(l->former, phone->mac, sizeof(l->former));
	l->put++;
	if (expect(l, p, &why) != 0) {
		/* What is wrong with what is stored was told without the server. */
		p->step = LIVE_STEP_DONE;
		return why.code == ERR_FAILED ? err_set(e, why.code, "%s", why.text) : 0;
	}
	return step_begin(l, p, LIVE_STEP_XML, e);
}

/* Take what has ended; wait for it when nothing has. */
static int
pump(struct live *l, struct err *e)
{
	const CURLMsg *message;
	int running, left, rc = 0;
	bool any = false;

	if (curl_multi_perform(l->multi, &running) != CURLM_OK)
		return err_set(e, ERR_FAILED, "libcurl: the transfers cannot go on");
	while (rc == 0 && (message = curl_multi_info_read(l->multi, &left)) != NULL) {
		char *private = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		any = true;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		rc = step_end(l, (struct live_phone *)(void *)private, message->data.result, e);
	}
	if (rc == 0 && !any && curl_multi_poll(l->multi, NULL, 0, 1000, NULL) != CURLM_OK)
		return err_set(e, ERR_FAILED, "libcurl: the transfers cannot be waited for");
	return rc;
}

struct fleet_job *
live_head(struct live *l, struct err *e)
{
	struct live_phone *p = &l->ring[l->taken % l->params->transfers];

	if (l->taken == l->put)
		return NULL;
	while (p->step != LIVE_STEP_DONE)
		if (pump(l, e) != 0)
			return NULL;
	return &p->job;
}

void
live_pop(struct live *l)
{
	struct live_phone *p = &l->ring[l->taken++ % l->params->transfers];

	phone_release(l, p);
	*p = (struct live_phone){ .step = LIVE_STEP_XML };
}

/* ---- what is no phone's ---- */

/* Without a login, as any phone. */
static int
check_generic(struct live *l, struct findings *out, struct err *e)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct live_request request = { .user_agent = "Digium", .ca_file = l->params->ca_file, .max = XML_MAX };
	struct live_fetch f = { .curl = NULL };
	char where[XML_SECRET_SIZE];
	int rc = -1;

	if (url_login(l->params->base, NULL, NULL, &url, e) != 0)
		goto out;
	buf_add_string(&url, SETTING_GENERIC_FILE);
	request.url = buf_string(&url);
	if (live_fetch_begin(&f, &request, NULL, e) != 0)
		goto out;
	live_fetch_end(&f, curl_easy_perform(f.curl));
	/* Not there, refused or no XML: no secret. */
	if (f.code == CURLE_OK && f.status == 200 &&
	    xml_find_secret(f.body.data, f.body.len, f.shown, where, NULL) == 1)
		LIVE_FOUND(out, LIVE_GENERIC_SECRET, &(struct finding_place){ .element = where },
		    "%s: expected no secret without a login, found one", f.shown);
	rc = 0;
out:
	live_fetch_release(&f);
	buf_release(&url);
	return rc;
}

int
live_report(struct live *l, struct findings *out, struct err *e)
{
	const struct check_clock *clock = &l->params->common->clock;
	const struct finding_place nowhere = { .file = NULL };
	char end[TEXT_TIME_SIZE];

	if (l->looked && (l->tls_end - clock->now) / DAY < (time_t)clock->days) {
		text_time(l->tls_end, end);
		LIVE_FOUND(out, LIVE_TLS_ENDS, &nowhere,
		    "%s: expected a certificate that is valid for %u days yet, found it ends %s", l->tls_origin,
		    clock->days, end);
	}
	if (l->given_up) {
		LIVE_FOUND(out, LIVE_GIVEN_UP, &nowhere,
		    "expected answers of %s, found none %d times in a row; %zu phones were not asked for",
		    l->params->base, LOST_MAX, l->skipped);
		return 0;
	}
	return check_generic(l, out, e);
}
