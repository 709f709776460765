/* SPDX-License-Identifier: ISC */
#include "ca/cert.h"
#include "cli/ca.h"
#include "cli/commands.h"
#include "cli/profile.h"
#include "cli/state.h"
#include "cli/stranded.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Of both commands. */
enum {
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_DRY_RUN] = { "dry-run", NULL, "say whether it can be done, change nothing" },
	OPTION_END,
};

/* What a command works on. */
struct change {
	const struct invocation *in;
	struct db *db;
	struct settings settings;
	struct db_authority ca, issuing; /* the one that is named, and the one that issues now */
	struct stranded stranded;
	bool dry_run;
};

/* ---- ca promote ---- */

/* What it issued would be worth nothing. */
static int
check_life(const struct change *c, struct err *e)
{
	X509 *cert = ca_cert_decode(c->ca.cert.data, c->ca.cert.len, e);
	time_t now = time(NULL), from = 0, to = 0;
	char text[TEXT_TIME_SIZE];
	int rc = cert == NULL ? -1 : ca_cert_validity(cert, &from, &to, e);

	X509_free(cert);
	if (rc != 0)
		return err_prefix(e, "CA \"%s\"", c->ca.name);
	text_time(from > now ? from : to, text);
	if (from > now || to <= now)
		return err_set(e, ERR_CONFLICT, "CA \"%s\": expected one that is valid now, found it %s %s", c->ca.name,
		    from > now ? "is from" : "ended", text);
	return 0;
}

/* There is room for so many CAs only in what an old OpenVPN reads of a bundle. */
static int
check_profile(const struct change *c, struct err *e)
{
	struct buf text = BUF_INIT(DB_DER_MAX);
	char hash[PROFILE_HASH_SIZE];
	int rc = profile_with(c->db, &c->settings, DB_ROLES_SERVERS, &text, hash, e);

	buf_release(&text);
	return rc == 0 ? 0 : err_prefix(e, "bundles with this CA beside those of before");
}

static int
promote(struct change *c, struct err *e)
{
	if (c->ca.role != DB_ROLE_NEXT)
		return err_set(e, ERR_CONFLICT, "CA \"%s\": expected the next one, found it is %s", c->ca.name,
		    db_role_name(c->ca.role));
	if (check_life(c, e) != 0 || check_profile(c, e) != 0)
		return -1;
	if (!c->dry_run && db_authority_promote(c->db, c->ca.id, e) != 0)
		return -1;
	if (c->in->json)
		return command_print_json(json_pack("{s:s,s:s}", c->dry_run ? "would_issue" : "issuing", c->ca.name,
					      "former", c->issuing.name),
		    e);
	if (c->in->quiet)
		return 0;
	(void)printf("CA \"%s\" %s from now on, \"%s\" %s a former one\n", c->ca.name,
	    c->dry_run ? "would issue" : "issues", c->issuing.name, c->dry_run ? "would be" : "is");
	if (!c->dry_run)
		(void)printf(
		    "the OpenVPN server needs nothing, where it has read its files since 'ca add'; else no phone "
		    "gets in with a new certificate\n"
		    "then: phonevpn mint --all, which gives each phone a certificate of this CA and both to trust\n");
	return 0;
}

/* ---- ca drop ---- */

static int
check_phones(struct change *c, struct err *e)
{
	char text[STRANDED_TEXT_SIZE];

	/* No phone has the next one. */
	if (c->ca.role != DB_ROLE_FORMER)
		return 0;
	if (stranded_find(c->db, c->ca.id, &c->issuing, &c->stranded, e) != 0)
		return -1;
	if (c->stranded.phones == 0)
		return 0;
	stranded_print(&c->stranded, text);
	return err_set(e, ERR_CONFLICT, "CA \"%s\": expected no phone to need it any more, found %s", c->ca.name, text);
}

static int
drop(struct change *c, struct err *e)
{
	if (db_authority_may_drop(c->db, c->ca.id, e) != 0 || check_phones(c, e) != 0)
		return -1;
	if (!c->dry_run && db_authority_drop(c->db, c->ca.id, e) != 0)
		return -1;
	if (c->in->json)
		return command_print_json(json_pack("{s:s,s:I}", c->dry_run ? "would_drop" : "dropped", c->ca.name,
					      "unseen", (json_int_t)c->stranded.unseen),
		    e);
	if (c->in->quiet)
		return 0;
	(void)printf("CA \"%s\" %s: nobody trusts it any more\n", c->ca.name,
	    c->dry_run ? "would be dropped" : "is dropped");
	stranded_unseen_print(&c->stranded);
	if (!c->dry_run)
		(void)printf("%s\n%s", ca_server_step(&c->settings),
		    c->ca.role == DB_ROLE_FORMER
			? "then: phonevpn mint --all, which takes it out of the phones' bundles\n"
			: "");
	return 0;
}

/* ---- both ---- */

static int
change_run(const struct invocation *in, int (*change)(struct change *c, struct err *e), struct err *e)
{
	struct change c = { .in = in, .dry_run = in->option[OPT_DRY_RUN] != NULL };
	int rc = -1;

	c.db = c.dry_run ? state_open(in, e) : state_open_writer(in, e);
	if (c.db != NULL && settings_load(c.db, &c.settings, e) == 0 && ca_find(c.db, in->argv[0], &c.ca, e) == 0 &&
	    db_authority_current(c.db, &c.issuing, e) == 0)
		rc = change(&c, e);
	db_authority_release(&c.ca);
	db_authority_release(&c.issuing);
	db_close(c.db);
	return rc;
}

static int
promote_run(const struct invocation *in, struct err *e)
{
	return change_run(in, promote, e);
}

const struct command command_ca_promote = {
	.name = "ca promote",
	.arguments = "NAME",
	.summary = "Let the next CA issue from now on; the one that did becomes a former one",
	.details =
	    "'mint' then gives each phone a certificate of the new CA, and both CAs to trust. The server keeps its certificate "
	    "until 'server renew' moves it. The server must trust the new CA before: that is what 'ca add' and 'emit server' "
	    "are for.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = promote_run,
};

static int
drop_run(const struct invocation *in, struct err *e)
{
	return change_run(in, drop, e);
}

const struct command command_ca_drop = {
	.name = "ca drop",
	.arguments = "NAME",
	.summary = "Give up a former CA that no phone and no server needs any more",
	.details =
	    "Refused while the server's certificate is of that CA, and while a phone is offered a certificate of it, is offered "
	    "a bundle that does not trust the CA that issues now, or was last seen on the VPN with one of those. The next CA, "
	    "which no phone has yet, can be given up as well. There is no way back.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = drop_run,
};
