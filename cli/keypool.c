/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/keypool_worker.h"
#include "cli/state.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/table.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 200 /* how long one that is made may lie unstored, and a stop signal go unseen */
#define KEYS_MAX 1000000

/* ---- keypool status ---- */

static int
status_kind(struct db *db, const struct db_key_kind *kind, struct table *table, json_t *all, struct err *e)
{
	char bits[16], keys[24];
	size_t count = 0;

	if (db_key_pool_count(db, kind, &count, e) != 0)
		return -1;
	(void)snprintf(bits, sizeof(bits), "%u", kind->bits);
	(void)snprintf(keys, sizeof(keys), "%zu", count);
	if (table != NULL)
		table_row(table, (const char *[]){ bits, kind->keygen, keys });
	else if (json_array_append_new(all, json_pack("{s:I,s:s,s:I}", "bits", (json_int_t)kind->bits, "keygen",
						kind->keygen, "keys", (json_int_t)count)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
status_run(const struct invocation *in, struct err *e)
{
	static const char *const headings[] = { "BITS", "KEYGEN", "KEYS" };
	static const char *const keygens[] = { "native", "library" };
	struct table *table = in->json ? NULL : table_new(sizeof(headings) / sizeof(headings[0]), headings);
	json_t *all = in->json ? json_array() : NULL;
	struct db *db = state_open(in, e);
	struct settings s;
	int rc = -1;

	if (db == NULL || settings_load(db, &s, e) != 0)
		goto out;
	rc = 0;
	for (size_t i = 0; i < sizeof(keygens) / sizeof(keygens[0]) && rc == 0; i++) {
		struct keygen keygen;

		rc = keygen_choose(keygens[i], &s, &keygen, e);
		if (rc == 0)
			rc = status_kind(db, &keygen.kind, table, all, e);
	}
	if (rc == 0 && in->json)
		rc = command_print_json(json_pack("{s:O,s:I,s:s}", "pool", all, "wanted",
					    (json_int_t)settings_number(&s, SET_KEYPOOL), "keygen",
					    s.value[SET_KEYGEN]),
		    e);
	else if (rc == 0 && table_print(table, stdout) != 0)
		rc = err_set(e, ERR_FAILED, "table: no memory");
out:
	json_decref(all);
	table_free(table);
	db_close(db);
	return rc;
}

const struct command command_keypool_status = {
	.name = "keypool status",
	.summary = "Show how many keys are ready for phones to come",
	.run = status_run,
};

/* ---- keypool clear ---- */

static int
clear_run(const struct invocation *in, struct err *e)
{
	struct db *db = state_open_writer(in, e);
	size_t count = 0;
	int rc = db != NULL ? db_key_pool_clear(db, &count, e) : -1;

	db_close(db);
	if (rc == 0 && in->json)
		rc = command_print_json(json_pack("{s:I}", "cleared", (json_int_t)count), e);
	else if (rc == 0 && !in->quiet)
		(void)printf("cleared %zu keys\n", count);
	return rc;
}

const struct command command_keypool_clear = {
	.name = "keypool clear",
	.summary = "Forget the keys that are ready",
	.details = "No phone has any of them. Those of phones stay as they are.",
	.run = clear_run,
};

/* ---- keypool fill ---- */

enum {
	OPT_KEYGEN,
	OPT_JOBS,
};

static const struct option_def options[] = {
	[OPT_KEYGEN] = { "keygen", "HOW", "native or library (the setting keygen)" },
	[OPT_JOBS] = { "jobs", "N", "threads that make keys (one a processor)" },
	OPTION_END,
};

struct fill {
	struct db *db;
	struct keypool_common common;
	struct pool *pool;
	struct progress progress;
	size_t missing, begun, made;
	bool is_stopped;
};

static int
store(struct fill *f, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	if (keypool_store(f->pool, n, f->db, &f->common.keygen.kind, e) != 0)
		return -1;
	f->made += n;
	progress_set(&f->progress, f->made);
	return 0;
}

static int
fill_step(struct fill *f, struct err *e)
{
	size_t held, done = 0;

	if (!f->is_stopped && process_stop_pending() != 0) {
		f->is_stopped = true;
		pool_stop(f->pool);
	}
	for (; !f->is_stopped && f->begun < f->missing && pool_room(f->pool) != NULL; f->begun++)
		pool_put(f->pool);
	held = pool_held(f->pool);
	if (pool_wait(f->pool, held < KEYPOOL_BATCH ? held : KEYPOOL_BATCH, WAIT_MS, &done, e) != 0)
		return -1;
	return store(f, done, e);
}

static int
fill(struct fill *f, unsigned int threads, bool quiet, struct err *e)
{
	int rc;

	process_stop_block();
	f->pool = pool_start(&keypool_kind, &f->common, threads < f->missing ? threads : (unsigned int)f->missing, e);
	if (f->pool == NULL)
		return -1;
	progress_start(&f->progress, "making keys", f->missing, quiet);
	do
		rc = fill_step(f, e);
	while (rc == 0 && (pool_held(f->pool) > 0 || (f->begun < f->missing && !f->is_stopped)));
	progress_end(&f->progress);
	pool_free(f->pool);
	if (rc == 0 && f->made < f->missing)
		rc = err_set(e, ERR_FAILED,
		    "interrupted: %zu of %zu keys are made; the same command goes on with the rest", f->made,
		    f->missing);
	return rc;
}

static int
fill_run(const struct invocation *in, struct err *e)
{
	struct fill f = { .db = NULL };
	unsigned long wanted, threads = process_cpus();
	struct settings s;
	size_t there = 0;
	int rc = -1;

	if (command_number(in->option[OPT_JOBS], 1, 256, "jobs", &threads, e) != 0)
		return -1;
	if (text_number(in->argv[0], 1, KEYS_MAX, "keys", &wanted, e) != 0)
		return err_usage(e);
	f.db = state_open_writer(in, e);
	if (f.db == NULL || settings_load(f.db, &s, e) != 0 ||
	    keygen_choose(in->option[OPT_KEYGEN], &s, &f.common.keygen, e) != 0 ||
	    db_key_pool_count(f.db, &f.common.keygen.kind, &there, e) != 0)
		goto out;
	f.missing = there < wanted ? wanted - there : 0;
	if (f.missing > 0 && fill(&f, (unsigned int)threads, in->quiet || in->json, e) != 0)
		goto out;
	rc = 0;
	if (in->json)
		rc = command_print_json(json_pack("{s:I,s:I}", "made", (json_int_t)f.made, "keys",
					    (json_int_t)(there + f.made)),
		    e);
	else if (!in->quiet)
		(void)printf("made %zu keys, %zu are ready\n", f.made, there + f.made);
out:
	db_close(f.db);
	return rc;
}

const struct command command_keypool_fill = {
	.name = "keypool fill",
	.arguments = "N",
	.summary = "Make keys ahead, until N are ready",
	.details =
	    "A phone's key is what takes the time in 'mint'. One that is ready makes its certificate a matter of "
	    "milliseconds, and lets a rotation start at once. Keys are sealed like all others, and each leaves the pool "
	    "once, with the certificate made for it. 'serve' keeps the number of the setting keypool ready by itself.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = fill_run,
};
