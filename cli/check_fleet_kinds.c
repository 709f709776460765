/* SPDX-License-Identifier: ISC */
#include "cli/check_fleet.h"

#include "bundler/check_ovpn.h"

#include <stdio.h>
#include <string.h>

/* What is judged once for all phones of a kind, not for each. */
struct kinds_check {
	struct db *db;
	const struct fleet_common *common;
	struct check_server *server; /* or NULL */
	struct findings *out;
	struct config config; /* the profile at hand */
	struct buf text;      /* that it was read from */
};

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

/* "profile 1a2b3c4d5e6f of 4711 phones" */
static void
profile_name(const struct fleet_kind *kind, const char *whose, size_t count, char out[FLEET_ELEMENT_SIZE])
{
	(void)snprintf(out, FLEET_ELEMENT_SIZE, "profile %.12s of %zu %s%sphone%s", kind->profile, count, whose,
	    whose[0] != '\0' ? " " : "", count == 1 ? "" : "s");
}

static void
ovpn_check(struct kinds_check *c, const struct fleet_kind *kind)
{
	struct check_ovpn_params params = { .model = model_find(kind->model), .clock = c->common->clock };
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

/* A server looks at the profile alone; the model may add that its ciphers are not known. */
static int
server_check(struct kinds_check *c, const struct fleet_kind *kind, const struct model *m, size_t phones, struct err *e)
{
	struct client_side side = { .cas = NULL };
	char name[FLEET_ELEMENT_SIZE];
	int rc = client_side_read(&c->config, &side, e);

	if (rc == 0) {
		profile_name(kind, "", phones, name);
		check_server_against(c->server, name, &side, m, c->out);
	}
	client_side_release(&side);
	return rc;
}

/* The kinds from first on that have its profile. */
static size_t
same_profile(const struct fleet_kind *kinds, size_t first, size_t count, size_t *ret_phones)
{
	size_t n = 0;

	*ret_phones = 0;
	for (; first + n < count && strcmp(kinds[first].profile, kinds[first + n].profile) == 0; n++)
		*ret_phones += kinds[first + n].count;
	return n;
}

static int
profile_check(struct kinds_check *c, const struct fleet_kind *kinds, size_t count, size_t phones, struct err *e)
{
	const struct model *least_known = NULL;

	if (profile_read(c, &kinds[0], e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct model *m = model_find(kinds[i].model);

		ovpn_check(c, &kinds[i]);
		if (least_known == NULL || (m != NULL && m->ciphers_may_differ))
			least_known = m;
	}
	return c->server == NULL ? 0 : server_check(c, &kinds[0], least_known, phones, e);
}

int
fleet_check_kinds(struct db *db, const struct fleet_common *common, struct fleet_tally *tally,
    struct check_server *server, struct findings *out, struct err *e)
{
	struct kinds_check c = {
		.db = db,
		.common = common,
		.server = server,
		.out = out,
		.text = BUF_INIT(DB_DER_MAX),
	};
	const struct fleet_kind *kinds;
	size_t count, n, phones, all = 0;
	int rc = fleet_tally_kinds(tally, &kinds, &count, e);

	for (size_t i = 0; rc == 0 && i < count; i += n) {
		n = same_profile(kinds, i, count, &phones);
		all += phones;
		rc = profile_check(&c, &kinds[i], n, phones, e);
	}
	if (rc == 0 && server != NULL)
		check_server_fleet(server, all, common->settings.value[SET_VPN_NETWORK], out);
	config_release(&c.config);
	buf_release(&c.text);
	return rc;
}
