/* SPDX-License-Identifier: ISC */
#include "cli/ca.h"
#include "cli/commands.h"
#include "cli/rollout_change.h"
#include "cli/stranded.h"
#include "rollout/stage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * The admin says that the OpenVPN server has what a stage waits for. Each of these may be interrupted anywhere, and be said
 * again.
 */

/* The servers trust the new CA: it issues from now on. */
static int
confirm_trust(struct rollout_change *c, const struct db_authority *ca, struct err *e)
{
	if (ca->role == DB_ROLE_NEXT && db_authority_promote(c->db, ca->id, e) != 0)
		return -1;
	c->rollout.stage = STAGE_PHONES;
	return rollout_state_store(c, DB_ROLLOUT_RUNNING, "rollout.confirm", "the server trusts the new CA", e);
}

static int
former_drop(struct rollout_change *c, const struct db_authority *former, const struct db_authority *ca, struct err *e)
{
	char text[STRANDED_TEXT_SIZE];
	struct stranded s;

	if (stranded_find(c->db, former->id, ca, &s, e) != 0)
		return -1;
	if (s.phones == 0)
		return db_authority_drop(c->db, former->id, e);
	stranded_print(&s, text);
	return err_set(e, ERR_CONFLICT,
	    "rollout %s: expected no phone to need the CA \"%s\" any more, found %s; phones that were taken out of the "
	    "rollout still do: 'phonevpn mint' them, or 'phonevpn phone remove' those that are gone",
	    c->rollout.name, former->name, text);
}

/* The server's certificate is of the new CA: nobody has to trust the old one any more. */
static int
confirm_server(struct rollout_change *c, const struct db_authority *ca, struct err *e)
{
	struct db_authority *former = NULL;
	struct db_certificate server;
	size_t count = 0, phones;
	int rc = 0;

	if (db_certificate_server(c->db, &server, e) != 0)
		return -1;
	if (server.authority != ca->id)
		return err_set(e, ERR_CONFLICT,
		    "rollout %s: expected the server's certificate to be of the CA \"%s\", found the former one's; 'phonevpn "
		    "server renew' makes one",
		    c->rollout.name, ca->name);
	if (db_authority_list(c->db, DB_ROLES(DB_ROLE_FORMER), &former, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = former_drop(c, &former[i], ca, e);
	db_authority_free(former, count);
	if (rc != 0)
		return -1;
	c->rollout.stage = STAGE_FORGET;
	c->rollout.wave = 0;
	c->rollout.good_since = 0;
	c->rollout.state = DB_ROLLOUT_RUNNING;
	c->rollout.why[0] = '\0';
	return db_member_restart(c->db, &c->rollout, time(NULL), "rollout.confirm",
	    "the server has moved to the new CA", &phones, e);
}

/* The admin may have dropped the CA, or let yet another one issue. */
static int
check_role(const struct rollout_change *c, const struct db_authority *ca, struct err *e)
{
	if (ca->role == DB_ROLE_ISSUING || (ca->role == DB_ROLE_NEXT && c->rollout.stage == STAGE_TRUST))
		return 0;
	return err_set(e, ERR_CONFLICT,
	    "rollout %s: expected the CA \"%s\" to issue from now on, found it is %s; 'phonevpn rollout abort' ends the "
	    "rollout",
	    c->rollout.name, ca->name, db_role_name(ca->role));
}

/* One that failed since, or that was put in, may not have taken what it needs; the thresholds are not asked here. */
static int
check_settled(const struct rollout_change *c, struct err *e)
{
	const size_t *n = c->tally.phones[0];
	const size_t open = n[DB_MEMBER_WAITING] + n[DB_MEMBER_OFFERED] + n[DB_MEMBER_FAILED];

	if (open == 0 || c->rollout.stage == STAGE_TRUST)
		return 0;
	return err_set(e, ERR_CONFLICT,
	    "rollout %s: expected all its phones to have settled, found %zu that have not; 'phonevpn rollout retry' gives "
	    "those that failed another try, 'phonevpn rollout drop' takes phones out",
	    c->rollout.name, open);
}

static int
confirm(struct rollout_change *c, struct err *e)
{
	struct db_authority ca;
	int rc = -1;

	if (c->rollout.stage == STAGE_NONE)
		return err_set(e, ERR_CONFLICT,
		    "rollout %s: expected one that moves phones to another CA, found another", c->rollout.name);
	if (c->rollout.state != DB_ROLLOUT_RUNNING)
		return rollout_expected(c, "running", e);
	if (stage_has_waves((enum stage)c->rollout.stage))
		return err_set(e, ERR_CONFLICT, "rollout %s: expected a stage that waits for the admin, found that %s",
		    c->rollout.name, stage_text((enum stage)c->rollout.stage));
	if (ca_find(c->db, c->plan.ca, &ca, e) != 0)
		return -1;
	if (check_role(c, &ca, e) != 0 || check_settled(c, e) != 0)
		rc = -1;
	else if (c->rollout.stage == STAGE_TRUST)
		rc = confirm_trust(c, &ca, e);
	else if (c->rollout.stage == STAGE_SERVER)
		rc = confirm_server(c, &ca, e);
	else
		rc = rollout_state_store(c, DB_ROLLOUT_DONE, "rollout.done", "the server has given up the old CA", e);
	db_authority_release(&ca);
	return rc == 0 ? rollout_change_report(c, "confirmed", e) : -1;
}

static int
confirm_run(const struct invocation *in, struct err *e)
{
	return rollout_change_run(in, confirm, e);
}

const struct command command_rollout_confirm = {
	.name = "rollout confirm",
	.arguments = "NAME",
	.summary = "Say that the OpenVPN server has what a rollout to another CA waits for",
	.details =
	    "Such a rollout has five stages: the server has to trust the new CA; phones get certificates of it, and both CAs to "
	    "trust; the server's certificate is moved; phones get bundles with the new CA alone; the server gives up the old "
	    "one. The first, third and last wait for the admin and this command; 'rollout status' tells what has to be done. No "
	    "stage is begun before all phones of the one before have settled.",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = confirm_run,
};
