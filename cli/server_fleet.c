/* SPDX-License-Identifier: ISC */
#include "cli/server_fleet.h"

#include "bundler/profile_read.h"
#include "cli/address.h"
#include "cli/phone_report.h"
#include "db/tally.h"
#include "dseries/model.h"

#include <stdlib.h>
#include <string.h>

struct load {
	struct server_fleet *fleet;
	struct profile_needs now; /* what the settings say */
};

static int
client_add(struct server_fleet *f, const struct model *m, const struct profile_needs *needs, struct err *e)
{
	const struct server_conf_client c = {
		.model = m->name,
		.cipher = needs->cipher,
		.auth = needs->auth,
		.comp_lzo = needs->comp_lzo,
	};

	for (size_t i = 0; i < f->count; i++) {
		const struct server_conf_client *known = &f->clients[i];

		/* All three point into tables. */
		if (known->model == c.model && known->cipher == c.cipher && known->auth == c.auth &&
		    known->comp_lzo == c.comp_lzo)
			return 0;
	}
	if (f->count == f->size) {
		size_t size = f->size == 0 ? 16 : f->size * 2;
		struct server_conf_client *list = reallocarray(f->clients, size, sizeof(*list));

		if (list == NULL)
			return err_set(e, ERR_FAILED, "fleet: no memory");
		f->clients = list;
		f->size = size;
	}
	f->clients[f->count++] = c;
	return 0;
}

static int
without_add(struct server_fleet *f, int64_t phone, struct err *e)
{
	if (f->without_count == f->without_size) {
		size_t size = f->without_size == 0 ? 64 : f->without_size * 2;
		int64_t *list = reallocarray(f->without, size, sizeof(*list));

		if (list == NULL)
			return err_set(e, ERR_FAILED, "fleet: no memory");
		f->without = list;
		f->without_size = size;
	}
	f->without[f->without_count++] = phone;
	return 0;
}

/* A phone whose certificate is revoked is not let in, so nothing is opened for it. */
static int
phone_take(const struct db_phone *p, void *arg, struct err *e)
{
	struct load *l = arg;
	enum phone_stand stand = phone_stand(p, NULL);

	if (stand == STAND_TURNED_DOWN || stand == STAND_REVOKED)
		return 0;
	if (p->vpn_host == 0 && without_add(l->fleet, p->id, e) != 0)
		return -1;
	return client_add(l->fleet, model_find(p->model), &l->now, e);
}

static int
use_take(const struct db_profile_use *use, void *arg, struct err *e)
{
	struct load *l = arg;
	const struct model *m = model_find(use->model);
	struct profile_needs needs;
	struct firmware f;
	bool known = use->firmware[0] != '\0' && firmware_parse(use->firmware, &f, NULL) == 0;

	if (m == NULL || model_check_openvpn(m, known ? &f : NULL, NULL) != 0)
		return 0;
	if (profile_read_needs(use->text, use->len, &needs, e) != 0)
		return -1;
	if (needs.proto != l->now.proto) {
		/* It finds nobody listening, whatever else there is. */
		l->fleet->other_proto += use->phones;
		return 0;
	}
	if (!profile_needs_port(&needs, l->now.port[0]))
		l->fleet->other_port += use->phones;
	if (needs.auth != l->now.auth)
		l->fleet->other_auth += use->phones;
	return client_add(l->fleet, m, &needs, e);
}

static int
kind_take(const char *model, const char *firmware, void *arg, struct err *e)
{
	struct load *l = arg;
	const struct model *m = model_find(model);
	struct firmware f;
	bool known = firmware[0] != '\0' && firmware_parse(firmware, &f, NULL) == 0;

	if (m == NULL || model_check_openvpn(m, known ? &f : NULL, NULL) != 0)
		return 0;
	return client_add(l->fleet, m, &l->now, e);
}

static int
load_open(struct load *l, const struct settings *s, struct err *e)
{
	struct profile_params profile;

	*l->fleet = (struct server_fleet)SERVER_FLEET_INIT;
	if (settings_profile(s, &profile, e) != 0 || profile_parse_cipher(profile.cipher, &l->now.cipher, e) != 0 ||
	    profile_parse_auth(profile.auth, &l->now.auth, e) != 0)
		return -1;
	l->now.proto = profile.proto;
	l->now.port[l->now.ports++] = profile.remotes[0].port;
	l->now.comp_lzo = profile.comp_lzo;
	return 0;
}

int
server_fleet_load(struct db *db, const struct settings *s, bool offered, struct server_fleet *ret, struct err *e)
{
	const struct db_phone_filter all = DB_ALL_PHONES;
	struct load l = { .fleet = ret };

	if (load_open(&l, s, e) != 0 || db_phone_each(db, &all, phone_take, &l, e) != 0)
		return -1;
	return db_profile_use_each(db, time(NULL), offered, use_take, &l, e);
}

int
server_fleet_load_needs(struct db *db, const struct settings *s, struct server_fleet *ret, struct err *e)
{
	struct load l = { .fleet = ret };

	if (load_open(&l, s, e) != 0 || db_kind_each(db, kind_take, &l, e) != 0)
		return -1;
	return db_kind_profile_each(db, time(NULL), use_take, &l, e);
}

void
server_fleet_release(struct server_fleet *f)
{
	free(f->clients);
	free(f->without);
	*f = (struct server_fleet)SERVER_FLEET_INIT;
}
