/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/rollout_change.h"
#include "cli/stranded.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *
way_text(enum db_way_back way)
{
	static const char *const texts[] = {
		[DB_WAY_BACK] = "it is offered what it was before",
		[DB_WAY_BACK_NONE] = "it was offered nothing before",
		[DB_WAY_BACK_REVOKED] = "the certificate that it had before is revoked, or of a CA that is dropped",
		[DB_WAY_BACK_ENDED] = "the certificate that it had before has ended",
		[DB_WAY_BACK_LATER] = "it was offered another bundle since",
	};

	return texts[way];
}

static int
members_find(struct rollout_change *c, struct err *e)
{
	/* Who waits for another try is offered its generation still. */
	static const enum db_member_state states[] = { DB_MEMBER_WAITING, DB_MEMBER_OFFERED, DB_MEMBER_SETTLED,
		DB_MEMBER_FAILED };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (rollout_members_in(c, states[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
members_roll_back(struct rollout_change *c, enum db_way_back *ret_ways, struct err *e)
{
	int64_t *phones = calloc(c->count + 1, sizeof(*phones));
	int rc;

	if (phones == NULL)
		return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", c->count);
	for (size_t i = 0; i < c->count; i++)
		phones[i] = c->members[i].phone;
	rc = db_member_roll_back(c->db, &c->rollout, phones, c->count, time(NULL), ret_ways, e);
	free(phones);
	return rc;
}

/* It was not offered anything: there is nothing to take back. */
static bool
is_untouched(const struct db_member *m)
{
	return (m->state == DB_MEMBER_FAILED || m->state == DB_MEMBER_WAITING) && m->former == 0;
}

static int
report(const struct rollout_change *c, const enum db_way_back *ways, struct err *e)
{
	json_t *left = json_array();
	size_t back = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct db_member *m = &c->members[i];

		if (ways[i] == DB_WAY_BACK) {
			back++;
		} else if (!is_untouched(m)) {
			(void)json_array_append_new(left,
			    json_pack("{s:s,s:s}", "mac", m->mac, "reason", way_text(ways[i])));
			if (!c->in->json && !c->in->quiet)
				(void)printf("left %s as it is: %s\n", m->mac, way_text(ways[i]));
		}
	}
	if (c->in->json)
		return command_print_json(json_pack("{s:s,s:s,s:I,s:o}", "name", c->rollout.name, "state",
					      db_rollout_state_name(c->rollout.state), "phones", (json_int_t)back,
					      "left", left),
		    e);
	if (!c->in->quiet)
		(void)printf("rolled %s back: %zu phones, %zu left as they are\n", c->rollout.name, back,
		    json_array_size(left));
	json_decref(left);
	return 0;
}

static int
check_trust(const struct rollout_change *c, const struct db_authority *ca, struct err *e)
{
	char first[DB_MAC_SIZE];
	size_t phones;

	if (stranded_former_find(c->db, c->rollout.id, ca, &phones, first, e) != 0)
		return -1;
	if (phones == 0)
		return 0;
	return err_set(e, ERR_CONFLICT,
	    "rollout %s: the server's certificate is of the CA \"%s\" already, which %zu phones (%s%s) would not trust any "
	    "more with what they had before",
	    c->rollout.name, ca->name, phones, first, phones > 1 ? ", ..." : "");
}

/* What phones had before they trusted both CAs does not trust a server that has moved to the new one since. */
static int
check_server(const struct rollout_change *c, struct err *e)
{
	struct db_certificate server;
	struct db_authority *all = NULL;
	struct err why = ERR_INIT;
	size_t count = 0;
	int rc = 0;

	if (db_certificate_server(c->db, &server, &why) != 0) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		*e = why;
		return -1;
	}
	if (db_authority_list(c->db, DB_ROLES_PHONES, &all, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (all[i].id == server.authority)
			rc = check_trust(c, &all[i], e);
	}
	db_authority_free(all, count);
	return rc;
}

static int
roll_back(struct rollout_change *c, struct err *e)
{
	enum db_way_back *ways;
	int rc;

	if (c->rollout.state == DB_ROLLOUT_DRAFT || c->rollout.state == DB_ROLLOUT_ROLLED_BACK)
		return rollout_expected(c, "begun", e);
	if (db_rollout_check_busy(c->db, c->rollout.id, e) != 0 || check_server(c, e) != 0)
		return -1;
	c->rollout.state = DB_ROLLOUT_ROLLED_BACK;
	c->rollout.why[0] = '\0';
	if (members_find(c, e) != 0)
		return -1;
	ways = calloc(c->count + 1, sizeof(*ways));
	rc = ways != NULL ? members_roll_back(c, ways, e)
	                  : err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", c->count);
	if (rc == 0)
		rc = report(c, ways, e);
	free(ways);
	return rc;
}

static int
back_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, roll_back, e);
}

const struct command command_rollout_rollback = {
	.name = "rollout rollback",
	.arguments = "NAME",
	.summary = "Offer each phone again what it was offered before the rollout",
	.details =
	    "Phones fetch it as they fetched the new one, for its md5 is another. It works because nothing that they had was "
	    "revoked meanwhile; a phone whose former certificate is revoked or has ended, or that was offered another bundle "
	    "since, is left as it is, and named. Where the server has moved to a CA that phones did not trust before, there is "
	    "no way back. 'phonevpn mint' does not offer what was taken back, unless --renew or --rekey makes it another one.",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = back_run,
};
