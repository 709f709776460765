/* SPDX-License-Identifier: ISC */
#include "cli/mint_worker.h"

#include "bundler/bundle.h"
#include "ca/key.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 256 /* jobs done and not yet taken: some 3 KB each */
#define THREADS_MAX 256

struct mint_pool {
	struct mint_common common;
	struct mint_job *jobs;
	size_t count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t begun, taken;
	bool stop;
	unsigned int running;
	struct err dead; /* why the last worker could not even begin */
	pthread_t threads[THREADS_MAX];
	unsigned int thread_count;
};

/* ---- one job ---- */

static int
job_certificate(const struct mint_common *c, struct mint_job *job, EVP_PKEY *key, struct err *e)
{
	struct ca_cert_params params = {
		.kind = CA_KIND_PHONE,
		.organization = c->organization,
		.common_name = job->mac,
		.not_before = c->not_before,
		.not_after = c->not_after,
	};
	X509 *cert = NULL;
	int rc = -1;

	if (ca_serial_new(params.serial, e) != 0)
		return -1;
	cert = ca_cert_issue(&params, key, c->issuer->cert, c->issuer->key, e);
	if (cert == NULL || ca_cert_check(cert, key, c->issuer->cert, CA_KIND_PHONE, time(NULL), e) != 0 ||
	    ca_cert_validity(cert, &job->certificate.not_before, &job->certificate.not_after, e) != 0)
		goto out;
	buf_clear(&job->cert);
	if (ca_cert_encode(cert, &job->cert, e) != 0)
		goto out;
	memcpy(job->certificate.serial, params.serial, sizeof(params.serial));
	job->certificate.cert = &job->cert;
	job->certificate.key = &job->key;
	rc = 0;
out:
	X509_free(cert);
	return rc;
}

static int
job_key_and_certificate(const struct mint_common *c, struct db *db, struct mint_job *job, struct err *e)
{
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (job->action == MINT_KEY) {
		key = ca_key_generate(CA_KEY_BITS_PHONE, e);
		if (key == NULL || ca_key_encode(key, &job->key, e) != 0)
			goto out;
	} else {
		if (db_certificate_der(db, job->serial, &job->cert, &job->key, e) != 0)
			goto out;
		if (job->action == MINT_PROFILE) {
			rc = 0;
			goto out;
		}
		key = ca_key_decode(job->key.data, job->key.len, e);
		if (key == NULL)
			goto out;
	}
	rc = job_certificate(c, job, key, e);
out:
	EVP_PKEY_free(key);
	return rc;
}

static int
job_do(const struct mint_common *c, struct db *db, struct mint_job *job, struct err *e)
{
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	int rc = -1;

	if (job->action == MINT_OFFER)
		return 0;
	if (job_key_and_certificate(c, db, job, e) != 0 ||
	    bundle_render(c->profile->data, c->profile->len, job->cert.data, job->cert.len, job->key.data, job->key.len,
		&bundle, e) != 0)
		goto out;
	job->size = bundle.len;
	rc = bundle_md5(bundle.data, bundle.len, job->md5, e);
out:
	buf_release(&bundle);
	return rc;
}

/* A struct err in each job would make the plan of a large fleet five times as large. */
static void
job_run(const struct mint_common *c, struct db *db, struct mint_job *job)
{
	struct err e = ERR_INIT;

	if (job_do(c, db, job, &e) == 0)
		return;
	job->error = e.code;
	job->error_text = strdup(e.text);
}

/* ---- the pool ---- */

static struct mint_job *
job_take(struct mint_pool *p)
{
	struct mint_job *job = NULL;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop && p->begun < p->count && p->begun - p->taken >= WINDOW)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	if (!p->stop && p->begun < p->count)
		job = &p->jobs[p->begun++];
	(void)pthread_mutex_unlock(&p->lock);
	return job;
}

static void *
worker(void *arg)
{
	struct mint_pool *p = arg;
	struct err e = ERR_INIT;
	struct mint_job *job;
	struct db *db = db_open(p->common.where, &e);

	while (db != NULL && (job = job_take(p)) != NULL) {
		job->key = (struct buf)BUF_INIT(DB_DER_MAX);
		job->cert = (struct buf)BUF_INIT(DB_DER_MAX);
		job_run(&p->common, db, job);
		(void)pthread_mutex_lock(&p->lock);
		job->done = true;
		(void)pthread_cond_broadcast(&p->changed);
		(void)pthread_mutex_unlock(&p->lock);
	}
	(void)pthread_mutex_lock(&p->lock);
	p->running--;
	if (db == NULL)
		p->dead = e;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	db_close(db);
	return NULL;
}

struct mint_pool *
mint_pool_start(const struct mint_common *common, struct mint_job *jobs, size_t count, unsigned int threads,
    struct err *e)
{
	struct mint_pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;
	int failed = 0;

	if (p == NULL) {
		err_set(e, ERR_FAILED, "minting: no memory");
		return NULL;
	}
	p->common = *common;
	p->jobs = jobs;
	p->count = count;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	for (; p->thread_count < threads && failed == 0; p->thread_count += failed == 0) {
		(void)pthread_mutex_lock(&p->lock);
		p->running++;
		(void)pthread_mutex_unlock(&p->lock);
		failed = pthread_create(&p->threads[p->thread_count], NULL, worker, p);
	}
	if (failed == 0)
		return p;
	mint_pool_free(p);
	err_errno(e, ERR_FAILED, failed, "minting: thread");
	return NULL;
}

static size_t
ready(const struct mint_pool *p, size_t max)
{
	size_t n = 0;

	while (n < max && p->taken + n < p->begun && p->jobs[p->taken + n].done)
		n++;
	return n;
}

size_t
mint_pool_next(struct mint_pool *p, size_t max, unsigned int milliseconds)
{
	struct timespec until;
	size_t n;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&p->lock);
	while ((n = ready(p, max)) == 0 && p->running > 0) {
		if (pthread_cond_timedwait(&p->changed, &p->lock, &until) != 0)
			break;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return n;
}

static void
job_release(struct mint_job *job)
{
	buf_release(&job->key);
	buf_release(&job->cert);
	free(job->error_text);
	job->error_text = NULL;
}

void
mint_pool_release(struct mint_pool *p, size_t n)
{
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < n; i++)
		job_release(&p->jobs[p->taken + i]);
	p->taken += n;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

void
mint_pool_stop(struct mint_pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

bool
mint_pool_finished(struct mint_pool *p)
{
	bool finished;

	(void)pthread_mutex_lock(&p->lock);
	finished = p->taken == p->begun && (p->running == 0 || p->begun == p->count);
	(void)pthread_mutex_unlock(&p->lock);
	return finished;
}

int
mint_pool_failed(struct mint_pool *p, struct err *e)
{
	int rc = 0;

	(void)pthread_mutex_lock(&p->lock);
	if (p->running == 0 && p->dead.code != ERR_NONE && p->begun < p->count) {
		*e = p->dead;
		rc = -1;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}

void
mint_pool_free(struct mint_pool *p)
{
	if (p == NULL)
		return;
	mint_pool_stop(p);
	for (unsigned int i = 0; i < p->thread_count; i++)
		(void)pthread_join(p->threads[i], NULL);
	for (size_t i = p->taken; i < p->begun; i++)
		job_release(&p->jobs[i]);
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
