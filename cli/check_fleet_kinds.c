/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "bundler/check_ovpn.h"

#include <stdio.h>
#include <string.h>

/* What is judged once for all phones of a kind, not for each. */
struct kinds_check {
	struct db *db;
	const struct check_clock *clock;
	struct check_server *server;
	struct findings *out;
	struct config config; /* the profile at hand */
	struct buf text;      /* that it was read from */
};

/* The kinds with one profile, which has been read. */
typedef int profile_judge(struct kinds_check *c, const struct fleet_kind *kinds, size_t count, struct err *e);

static int
profile_read(struct kinds_check *c, const struct fleet_kind *kind, struct err *e)
{
	struct db_bundle b;
	int rc = -1;

	config_release(&c->config);
	if (db_bundle_get(c->db, kind->first, kind->first_number, NULL, &b, e) != 0)
		return -1;
	buf_move(&c->text, &b.profile);
	db_bundle_release(&b);
	rc = config_read(c->text.data, c->text.len, &c->config, e);
	return rc == 0 ? 0 : err_prefix(e, "profile %.12s", kind->profile);
}

static int
each_profile(struct kinds_check *c, struct fleet_tally *tally, profile_judge *judge, struct err *e)
{
	const struct fleet_kind *kinds;
	size_t count, n;
	int rc = fleet_tally_kinds(tally, &kinds, &count, e);

	for (size_t i = 0; rc == 0 && i < count; i += n) {
		n = 1;
		while (i + n < count && strcmp(kinds[i].profile, kinds[i + n].profile) == 0)
			n++;
		rc = profile_read(c, &kinds[i], e);
		if (rc == 0)
			rc = judge(c, &kinds[i], n, e);
	}
	config_release(&c->config);
	buf_release(&c->text);
	return rc;
}

/* "profile 1a2b3c4d5e6f of 4711 D65 phones" */
static void
profile_name(const struct fleet_kind *kind, const char *whose, size_t count, char out[FLEET_ELEMENT_SIZE])
{
	(void)snprintf(out, FLEET_ELEMENT_SIZE, "profile %.12s of %zu %s%sphone%s", kind->profile, count, whose,
	    whose[0] != '\0' ? " " : "", count == 1 ? "" : "s");
}

/* ---- by themselves ---- */

static void
kind_judge(struct kinds_check *c, const struct fleet_kind *kind)
{
	struct check_ovpn_params params = { .model = model_find(kind->model), .clock = *c->clock };
	char whose[48], name[FLEET_ELEMENT_SIZE];
	struct findings found = FINDINGS_INIT;
	struct firmware firmware;

	if (kind->firmware[0] != '\0' && firmware_parse(kind->firmware, &firmware, NULL) == 0)
		params.firmware = &firmware;
	check_ovpn_profile(NULL, &c->config, &params, &found);
	(void)snprintf(whose, sizeof(whose), "%s%s%s", kind->model, kind->firmware[0] != '\0' ? " " : "",
	    kind->firmware);
	profile_name(kind, whose, kind->count, name);
	fleet_copy(c->out, &found, name);
	findings_release(&found);
}

static int
kinds_judge(struct kinds_check *c, const struct fleet_kind *kinds, size_t count, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < count; i++)
		kind_judge(c, &kinds[i]);
	return 0;
}

int
fleet_check_profiles(struct db *db, const struct check_clock *clock, struct fleet_tally *tally, struct findings *out,
    struct err *e)
{
	struct kinds_check c = { .db = db, .clock = clock, .out = out, .text = BUF_INIT(DB_DER_MAX) };

	return each_profile(&c, tally, kinds_judge, e);
}

/* ---- against a server, which looks at the profile alone ---- */

static int
server_judge(struct kinds_check *c, const struct fleet_kind *kinds, size_t count, struct err *e)
{
	struct client_side side = { .cas = NULL };
	char name[FLEET_ELEMENT_SIZE];
	size_t phones = 0;
	int rc = client_side_read(&c->config, &side, e);

	for (size_t i = 0; i < count; i++)
		phones += kinds[i].count;
	profile_name(kinds, "", phones, name);
	if (rc == 0)
		check_server_against(c->server, name, &side, NULL, c->out);
	client_side_release(&side);
	return rc;
}

/* Models of which is not known what they can do, each once for all its phones. */
static int
models_judge(struct check_server *server, struct fleet_tally *tally, struct findings *out, struct err *e)
{
	const struct fleet_kind *kinds;
	size_t count;

	if (fleet_tally_kinds(tally, &kinds, &count, e) != 0)
		return -1;
	for (size_t m = 0; model_at(m) != NULL; m++) {
		char name[FLEET_ELEMENT_SIZE];
		const char *first = NULL;
		size_t phones = 0;

		for (size_t i = 0; i < count; i++) {
			if (strcmp(kinds[i].model, model_at(m)->name) != 0)
				continue;
			if (first == NULL || strcmp(kinds[i].first, first) < 0)
				first = kinds[i].first;
			phones += kinds[i].count;
		}
		if (first == NULL)
			continue;
		fleet_phones_name(first, phones, name);
		check_server_model(server, name, model_at(m), out);
	}
	return 0;
}

int
fleet_check_server(struct db *db, struct fleet_tally *tally, struct check_server *server, struct findings *out,
    struct err *e)
{
	struct kinds_check c = { .db = db, .server = server, .out = out, .text = BUF_INIT(DB_DER_MAX) };

	return each_profile(&c, tally, server_judge, e) == 0 ? models_judge(server, tally, out, e) : -1;
}
