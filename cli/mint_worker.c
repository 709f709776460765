/* SPDX-License-Identifier: ISC */
#include "cli/mint_worker.h"

#include "bundler/bundle.h"
#include "ca/key.h"
#include "ca/template.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 512 /* jobs under way: some 4 KB each */

struct worker {
	const struct mint_common *common;
	struct db *db;
	struct ca_template *template; /* made when it is first needed */
	bool is_checked;              /* a certificate of it */
	struct ca_keygen *maker;      /* likewise */
	struct buf bundle;
};

/* The first one stands for all: they differ in serial, name and key, which the template puts in. */
static int
check_first(struct worker *w, const struct mint_job *job, EVP_PKEY *key, struct err *e)
{
	X509 *cert;
	int rc = -1;

	if (w->is_checked)
		return 0;
	cert = ca_cert_decode(job->cert.data, job->cert.len, e);
	if (cert != NULL && ca_cert_check_name(cert, job->mac, e) == 0)
		rc = ca_cert_check(cert, key, w->common->issuer->cert, CA_KIND_PHONE, time(NULL), e);
	X509_free(cert);
	w->is_checked = rc == 0;
	return rc;
}

static int
make_certificate(struct worker *w, struct mint_job *job, EVP_PKEY *key, struct err *e)
{
	struct db_certificate_new *c = &job->certificate;

	if (w->template == NULL)
		w->template = ca_template_new(&w->common->params, CA_KEY_BITS_PHONE, w->common->issuer->cert,
		    w->common->issuer->key, e);
	if (w->template == NULL || ca_serial_new(c->serial, e) != 0)
		return -1;
	buf_clear(&job->cert);
	if (ca_template_issue(w->template, job->mac, c->serial, key, &job->cert, e) != 0 ||
	    check_first(w, job, key, e) != 0)
		return -1;
	ca_template_validity(w->template, &c->not_before, &c->not_after);
	c->cert = &job->cert;
	c->key = &job->key;
	return 0;
}

static EVP_PKEY *
make_key(struct worker *w, struct mint_job *job, struct err *e)
{
	const struct keygen *keygen = w->common->keygen;
	EVP_PKEY *key;

	if (job->pool_key != 0)
		return ca_key_decode(job->key.data, job->key.len, e);
	if (w->maker == NULL)
		w->maker = ca_keygen_new(keygen->kind.bits, keygen->how, NULL, e);
	key = w->maker != NULL ? ca_keygen_next(w->maker, e) : NULL;
	if (key != NULL && ca_key_encode(key, &job->key, e) != 0) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

static int
make_key_and_certificate(struct worker *w, struct mint_job *job, struct err *e)
{
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (job->action == MINT_KEY) {
		key = make_key(w, job, e);
	} else {
		if (db_certificate_der(w->db, job->serial, &job->cert, &job->key, e) != 0)
			goto out;
		if (job->action == MINT_PROFILE) {
			rc = 0;
			goto out;
		}
		key = ca_key_decode(job->key.data, job->key.len, e);
	}
	if (key != NULL)
		rc = make_certificate(w, job, key, e);
out:
	EVP_PKEY_free(key);
	return rc;
}

static int
job_do(struct worker *w, struct mint_job *job, struct err *e)
{
	const struct buf *profile = w->common->profile;

	if (job->action == MINT_OFFER)
		return 0;
	buf_clear(&w->bundle);
	if (make_key_and_certificate(w, job, e) != 0 ||
	    bundle_render(profile->data, profile->len, job->cert.data, job->cert.len, job->key.data, job->key.len,
		&w->bundle, e) != 0)
		return -1;
	job->size = w->bundle.len;
	return bundle_md5(w->bundle.data, w->bundle.len, job->md5, e);
}

/* ---- as the pool calls it ---- */

static void
worker_close(void *arg)
{
	struct worker *w = arg;

	ca_template_free(w->template);
	ca_keygen_free(w->maker);
	buf_release(&w->bundle);
	db_close(w->db);
	free(w);
}

static void *
worker_open(const void *common, struct err *e)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		err_set(e, ERR_FAILED, "minting: no memory");
		return NULL;
	}
	w->common = common;
	w->bundle = (struct buf)BUF_INIT(BUNDLE_MAX);
	w->db = db_open(w->common->where, e);
	if (w->db != NULL)
		return w;
	worker_close(w);
	return NULL;
}

static void
worker_run(void *worker, void *arg)
{
	struct mint_job *job = arg;

	if (job->pool_key == 0)
		job->key = (struct buf)BUF_INIT(DB_DER_MAX);
	job->cert = (struct buf)BUF_INIT(DB_DER_MAX);
	job->error = (struct err)ERR_INIT;
	(void)job_do(worker, job, &job->error);
}

static void
job_release(void *arg)
{
	struct mint_job *job = arg;

	buf_release(&job->key);
	buf_release(&job->cert);
}

const struct pool_kind mint_pool_kind = {
	.what = "minting",
	.job_size = sizeof(struct mint_job),
	.window = WINDOW,
	.open = worker_open,
	.close = worker_close,
	.run = worker_run,
	.release = job_release,
};
