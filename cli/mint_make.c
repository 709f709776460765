/* SPDX-License-Identifier: ISC */
#include "cli/mint_make.h"

#include "cli/render.h"
#include "common/process.h"
#include "common/text.h"

#include <string.h>

#define BATCH 256   /* generations a transaction, at most */
#define WAIT_MS 200 /* how long what is done may lie unstored, and a stop signal go unseen */

/* ---- storing a batch ---- */

static struct mint_job *
job_at(const struct mint_maker *m, size_t i)
{
	return pool_job(m->pool, i);
}

static int
generation_of(const struct mint_maker *m, const struct mint_job *job, struct db_generation_new *g, struct err *e)
{
	*g = (struct db_generation_new){
		.phone = job->phone,
		.certificate = job->action == MINT_PROFILE ? NULL : &job->certificate,
		.authority = m->common.issuer->authority.id,
		.size = job->size,
		.rollout = m->rollout,
		.pool_key = job->pool_key,
	};
	memcpy(g->mac, job->mac, sizeof(g->mac));
	memcpy(g->serial, job->serial, sizeof(g->serial));
	memcpy(g->md5, job->md5, sizeof(g->md5));
	return text_copy(g->profile, sizeof(g->profile), m->profile_hash, "profile", e);
}

/* The n oldest jobs' generations, and what is then offered to each of their phones. */
static int
commit(struct mint_maker *m, size_t n, struct db_offer *offers, struct err *e)
{
	struct db_generation_new new[BATCH];
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mint_job *job = job_at(m, i);

		if (job->error.code != ERR_NONE)
			return err_set(e, job->error.code, "%s: %s", job->mac, job->error.text);
		if (job->action != MINT_OFFER && generation_of(m, job, &new[count++], e) != 0)
			return -1;
	}
	if (count > 0 && db_generation_commit(m->db, new, count, e) != 0)
		return -1;
	count = 0;
	for (size_t i = 0; i < n; i++) {
		const struct mint_job *job = job_at(m, i);

		offers[i].phone = job->phone;
		offers[i].number = job->action == MINT_OFFER ? job->newest : new[count++].ret_number;
	}
	return 0;
}

/* Read the committed rows back and render them: only what came out right is offered. */
static int
verify(struct mint_maker *m, size_t n, const struct db_offer *offers, char (*md5)[BUNDLE_MD5_SIZE], struct err *e)
{
	struct buf bundle = BUF_INIT(BUNDLE_MAX);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		buf_clear(&bundle);
		rc = render_bundle(m->db, job_at(m, i)->mac, offers[i].number, NULL, &bundle, md5[i], e);
	}
	buf_release(&bundle);
	return rc;
}

static int
report(struct mint_maker *m, size_t n, const struct db_offer *offers, char (*md5)[BUNDLE_MD5_SIZE], struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && m->report != NULL && rc == 0; i++)
		rc = json_stream_add(m->report,
		    json_pack("{s:s,s:I,s:s}", "mac", job_at(m, i)->mac, "generation", (json_int_t)offers[i].number,
			"md5", md5[i]),
		    e);
	return rc;
}

static int
store(struct mint_maker *m, size_t n, struct err *e)
{
	struct db_offer offers[BATCH];
	char md5[BATCH][BUNDLE_MD5_SIZE];

	if (n == 0)
		return 0;
	if (commit(m, n, offers, e) != 0 || verify(m, n, offers, md5, e) != 0 ||
	    (m->rollout == 0 && db_generation_offer(m->db, offers, n, e) != 0))
		return -1;
	m->minted += n;
	progress_set(&m->progress, m->minted);
	if (report(m, n, offers, md5, e) != 0)
		return -1;
	pool_take(m->pool, n);
	return 0;
}

/* Store what is done, once a batch of it is or some time has passed. */
static int
drain(struct mint_maker *m, struct err *e)
{
	size_t held = pool_held(m->pool), done = 0;

	if (pool_wait(m->pool, held < BATCH ? held : BATCH, WAIT_MS, &done, e) != 0)
		return -1;
	return store(m, done, e);
}

/* ---- phones going in ---- */

int
mint_maker_start(struct mint_maker *m, struct err *e)
{
	unsigned int threads = m->threads < m->total ? m->threads : (unsigned int)m->total;
	const struct buf *profile = m->common.profile;

	if (db_profile_put(m->db, m->profile_hash, profile->data, profile->len, e) != 0)
		return -1;
	process_stop_block();
	m->pool = pool_start(&mint_pool_kind, &m->common, threads, e);
	if (m->pool == NULL)
		return -1;
	progress_start(&m->progress, "minting", m->total, m->quiet);
	return 0;
}

/* A key that is ready, where there is one. It stays in the pool until its certificate is stored. */
static int
key_from_pool(struct mint_maker *m, struct mint_job *job, struct err *e)
{
	if (m->is_pool_empty)
		return 0;
	job->key = (struct buf)BUF_INIT(DB_DER_MAX);
	if (db_key_pool_next(m->db, &m->common.keygen->kind, m->pool_last, &job->pool_key, &job->key, e) != 0)
		return -1;
	m->is_pool_empty = job->pool_key == 0;
	if (!m->is_pool_empty)
		m->pool_last = job->pool_key;
	return 0;
}

static bool
is_stopped(struct mint_maker *m)
{
	/* A rollout's batch is small, and in a server the signal is not for us. */
	if (!m->is_stopped && m->rollout == 0 && process_stop_pending() != 0) {
		m->is_stopped = true;
		pool_stop(m->pool);
	}
	return m->is_stopped;
}

int
mint_maker_put(struct mint_maker *m, const struct db_phone *p, enum mint_action action, struct err *e)
{
	struct mint_job *job = pool_room(m->pool);

	for (; job == NULL && !is_stopped(m); job = pool_room(m->pool)) {
		if (drain(m, e) != 0)
			return -1;
	}
	if (is_stopped(m))
		return -1;
	if (action == MINT_KEY && key_from_pool(m, job, e) != 0) {
		buf_release(&job->key);
		return -1;
	}
	job->phone = p->id;
	job->action = action;
	job->newest = p->newest;
	memcpy(job->mac, p->mac, sizeof(job->mac));
	memcpy(job->serial, p->serial, sizeof(job->serial));
	pool_put(m->pool);
	return 0;
}

int
mint_maker_finish(struct mint_maker *m, struct err *e)
{
	while (pool_held(m->pool) > 0) {
		(void)is_stopped(m);
		if (drain(m, e) != 0)
			return -1;
	}
	return 0;
}

void
mint_maker_release(struct mint_maker *m)
{
	pool_free(m->pool);
	progress_end(&m->progress);
}
