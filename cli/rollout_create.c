/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/mint_means.h"
#include "cli/phone_fields.h"
#include "cli/rollout_ca.h"
#include "cli/rollout_guard.h"
#include "cli/rollout_options.h"
#include "cli/rollout_stranded.h"
#include "cli/rollout_waves.h"
#include "cli/state.h"
#include "common/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	OPT_ALL = OPT_PLAN_COUNT,
	OPT_GROUP,
	OPT_MODEL,
	OPT_EXPIRING,
	OPT_CANARIES,
	OPT_FORCE,
	OPT_SERVER,
	OPT_CA,
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	PLAN_OPTIONS,
	[OPT_ALL] = { "all", NULL, "every phone of the fleet" },
	[OPT_GROUP] = { "group", "NAME", "only phones of this group" },
	[OPT_MODEL] = { "model", "MODEL", "only phones of this model" },
	[OPT_EXPIRING] = { "expiring", "TIME", "only phones whose certificate ends within this time" },
	[OPT_CANARIES] = { "canaries", "MAC,...", "these phones first, as a wave of their own" },
	[OPT_FORCE] = { "force", "MAC,...", "the lock-out guard does not hold these phones back" },
	[OPT_SERVER] = { "server", "FILE", "the server.conf that runs, where it is not that of 'emit server'" },
	[OPT_CA] = { "ca", "NAME", "move all phones to this CA, that 'ca add' has made, stage by stage" },
	[OPT_DRY_RUN] = { "dry-run", NULL, "show the waves, their time and who would be stranded, change nothing" },
	OPTION_END,
};

struct chosen {
	struct db_member member;
	bool is_canary;
	uint64_t order; /* within the rollout */
	/* for the lock-out guard */
	const struct guard_kind *kind;
	time_t offered_end;
	bool is_seen_revoked;
};

struct create {
	const struct invocation *in;
	struct db *db;
	struct mint_means means;
	struct plan plan;
	struct db_rollout rollout;
	time_t end_before; /* of --expiring; 0: any */
	struct chosen *chosen;
	size_t count, size, canaries;
	json_t *left_out;
	size_t waves, sizes[DB_WAVES_MAX];
	time_t now;
	struct rollout_guard *guard;
	struct stranded_report stranded, forced;
	json_t *force, *notes; /* phones that --force lists; and of them, against what */
};

/* ---- which phones ---- */

/*
 * Neighbours in the fleet were bought together and stand in one office; a wave shall hold some of each. FNV-1a (Fowler,
 * Noll, Vo) of both names: another order for each rollout, and the same whenever it is looked at.
 */
static uint64_t
order_of(const char *rollout, const char *mac)
{
	uint64_t h = 14695981039346656037u;

	for (const char *s = rollout; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	for (const char *s = mac; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h ^ (h >> 29);
}

static int
leave_out(struct create *c, const struct db_phone *p, const char *why, struct err *e)
{
	if (json_array_append_new(c->left_out, json_pack("{s:s,s:s}", "mac", p->mac, "reason", why)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
phone_add(struct create *c, const struct db_candidate *found, struct err *e)
{
	const struct db_phone *p = &found->phone;
	struct chosen *one;

	if (c->count == c->size) {
		size_t size = c->size == 0 ? 1024 : c->size * 2;
		struct chosen *more = reallocarray(c->chosen, size, sizeof(*more));

		if (more == NULL)
			return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", size);
		c->chosen = more;
		c->size = size;
	}
	one = &c->chosen[c->count];
	*one = (struct chosen){
		.member = { .phone = p->id },
		.order = order_of(c->rollout.name, p->mac),
		.kind = rollout_guard_kind(c->guard, found, NULL, e),
		.offered_end = found->offered_end,
		.is_seen_revoked = found->is_seen_revoked,
	};
	memcpy(one->member.mac, p->mac, sizeof(p->mac));
	if (one->kind == NULL)
		return -1;
	c->count++;
	return 0;
}

static int
phone_take(const struct db_candidate *found, void *arg, struct err *e)
{
	struct create *c = arg;
	const struct db_phone *p = &found->phone;
	struct err why = ERR_INIT;
	struct mint_wish wish = c->means.wish;
	enum mint_action action;

	if (c->end_before != 0 && (p->newest == 0 || p->not_after >= c->end_before))
		return 0;
	wish.renew = c->plan.what == PLAN_RENEW;
	wish.rekey = c->plan.what == PLAN_REKEY;
	if (p->offered == 0 && p->newest == 0)
		return leave_out(c, p, "nothing was minted for it; 'phonevpn mint' makes its first certificate", e);
	action = mint_plan(p, &wish, false, &why);
	if (action == MINT_TURNED_DOWN)
		return leave_out(c, p, why.text, e);
	if (action == MINT_NOTHING)
		return leave_out(c, p, "it has all that the settings say already", e);
	return phone_add(c, found, e);
}

static int
phones_choose(struct create *c, struct err *e)
{
	const struct invocation *in = c->in;
	const struct db_phone_filter filter = { .group = in->option[OPT_GROUP], .model = in->option[OPT_MODEL] };
	bool is_filtered = filter.group != NULL || filter.model != NULL || in->option[OPT_EXPIRING] != NULL;
	char mac[DB_MAC_SIZE];
	struct db_candidate p;

	if ((in->argc > 1) + is_filtered + (in->option[OPT_ALL] != NULL) != 1)
		return err_set(e, ERR_USAGE,
		    "rollout: expected MACs, --all, or --group, --model or --expiring, found %s",
		    in->argc > 1 || is_filtered ? "several of them" : "none of them");
	if (in->argc == 1)
		return db_candidate_each(c->db, &filter, phone_take, c, e);
	for (int i = 1; i < in->argc; i++) {
		if (phone_argument(in->argv[i], mac, e) != 0 || db_candidate_get(c->db, mac, &p, e) != 0 ||
		    phone_take(&p, c, e) != 0)
			return -1;
	}
	return 0;
}

/* Those that --canaries lists. */
static int
canaries_mark(struct create *c, const char *option, struct err *e)
{
	char *text = strdup(option), *rest = text, mac[DB_MAC_SIZE];
	int rc = text != NULL ? 0 : err_set(e, ERR_FAILED, "canaries: no memory");

	while (rc == 0 && rest != NULL) {
		size_t i = 0;

		rc = phone_argument(strsep(&rest, ","), mac, e);
		while (rc == 0 && i < c->count && strcmp(c->chosen[i].member.mac, mac) != 0)
			i++;
		if (rc == 0 && i == c->count) {
			rc = err_set(e, ERR_INPUT,
			    "canaries: phone %s: expected one of the rollout's phones, found another", mac);
		} else if (rc == 0) {
			c->canaries += !c->chosen[i].is_canary;
			c->chosen[i].is_canary = true;
		}
	}
	free(text);
	return rc;
}

static int
compare(const void *left, const void *right)
{
	const struct chosen *a = left, *b = right;

	if (a->is_canary != b->is_canary)
		return a->is_canary ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return strcmp(a->member.mac, b->member.mac);
}

static int
waves_cut(struct create *c, struct err *e)
{
	size_t at = 0;

	if (c->count == 0)
		return err_set(e, ERR_NOT_FOUND, "rollout %s: no phone has anything to get by it", c->rollout.name);
	if (c->in->option[OPT_CANARIES] != NULL && canaries_mark(c, c->in->option[OPT_CANARIES], e) != 0)
		return -1;
	qsort(c->chosen, c->count, sizeof(*c->chosen), compare);
	c->waves = plan_waves(&c->plan, c->count, c->canaries, c->sizes);
	for (size_t wave = 0; wave < c->waves; wave++) {
		for (size_t i = 0; i < c->sizes[wave]; i++)
			c->chosen[at++].member.wave = (int)wave + 1;
	}
	return 0;
}

/* ---- who would be stranded ---- */

static int
note_take(struct create *c, struct chosen *one, const char *detail, struct err *e)
{
	json_t *note = json_string(detail[0] != '\0' ? detail : "the lock-out guard has nothing against it");

	one->member.forced = true;
	one->member.note = json_string_value(note);
	(void)json_object_del(c->force, one->member.mac);
	return json_array_append_new(c->notes, note) == 0 ? 0 : err_set(e, ERR_FAILED, "JSON: no memory");
}

static int
phone_guard(struct create *c, struct chosen *one, struct err *e)
{
	const size_t wave = (size_t)one->member.wave - 1;
	const struct guard_phone p = {
		.offered = c->now + (time_t)guard_wave_offered(&c->plan, c->sizes, wave),
		.settled = c->now + (time_t)guard_wave_over(&c->plan, c->sizes, wave),
		.not_after = one->offered_end,
		.is_revoked = one->is_seen_revoked,
	};
	char detail[GUARD_DETAIL_SIZE];
	enum guard_reason reason = rollout_guard_judge(c->guard, one->kind, &p, detail);
	const bool is_forced = json_object_get(c->force, one->member.mac) != NULL;

	if (is_forced && note_take(c, one, detail, e) != 0)
		return -1;
	if (reason == GUARD_FINE)
		return 0;
	return stranded_report_add(is_forced ? &c->forced : &c->stranded, one->member.mac, reason, detail, e);
}

static int
phones_guard(struct create *c, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		if (phone_guard(c, &c->chosen[i], e) != 0)
			return -1;
	}
	return stranded_force_check(c->force, e);
}

/* ---- the answer ---- */

static int
report(const struct create *c, bool created, struct err *e)
{
	size_t left_out = json_array_size(c->left_out);

	if (c->in->json)
		return command_print_json(json_pack("{s:s,s:b,s:I,s:o,s:o,s:O,s:O,s:O}", "name", c->rollout.name,
					      "created", created, "phones", (json_int_t)c->count, "plan",
					      json_loads(c->rollout.plan, 0, NULL), "waves",
					      rollout_waves_json(&c->plan, c->sizes, c->waves), "left_out", c->left_out,
					      "stranded", c->stranded.groups, "forced", c->forced.groups),
		    e);
	if (c->in->quiet)
		return 0;
	for (size_t i = 0; i < left_out; i++) {
		const json_t *one = json_array_get(c->left_out, i);

		(void)printf("left out %s: %s\n", json_string_value(json_object_get(one, "mac")),
		    json_string_value(json_object_get(one, "reason")));
	}
	stranded_report_print(&c->stranded, "would strand");
	stranded_report_print(&c->forced, "forced");
	if (rollout_waves_print(&c->plan, c->sizes, c->waves, e) != 0)
		return -1;
	(void)printf("%s %s: %zu phones, %zu left out\n",
	    created                  ? "created"
	    : c->stranded.phones > 0 ? "did not create"
				     : "would create",
	    c->rollout.name, c->count, left_out);
	if (created)
		(void)printf("'phonevpn rollout start %s' begins it\n", c->rollout.name);
	return 0;
}

/* ---- the command ---- */

/* Names are arguments, events' subjects and parts of messages. */
static int
name_take(const char *s, char ret[DB_ROLLOUT_NAME_SIZE], struct err *e)
{
	char shown[80];

	if (s[0] == '\0' || strlen(s) >= DB_ROLLOUT_NAME_SIZE ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(s) || s[0] == '-')
		return err_set(e, ERR_USAGE,
		    "rollout: expected a name of at most %d letters, digits, '.', '_' and '-', found \"%s\"",
		    DB_ROLLOUT_NAME_SIZE - 1, text_printable(s, shown, sizeof(shown)));
	return text_copy(ret, DB_ROLLOUT_NAME_SIZE, s, "rollout", e);
}

static int
store(struct create *c, struct err *e)
{
	struct db_member *members = calloc(c->count, sizeof(*members));
	int rc;

	if (members == NULL)
		return err_set(e, ERR_FAILED, "rollout of %zu phones: no memory", c->count);
	for (size_t i = 0; i < c->count; i++)
		members[i] = c->chosen[i].member;
	c->rollout.state = DB_ROLLOUT_DRAFT;
	rc = db_rollout_create(c->db, &c->rollout, members, c->count, e);
	free(members);
	return rc;
}

static int
options_parse(struct create *c, struct err *e)
{
	const struct invocation *in = c->in;
	unsigned long expiring = 0;
	char path[PATH_MAX];

	plan_default(&c->plan);
	if (name_take(in->argv[0], c->rollout.name, e) != 0 || rollout_plan_parse(in, &c->plan, e) != 0)
		return -1;
	if (in->option[OPT_EXPIRING] != NULL) {
		if (text_duration(in->option[OPT_EXPIRING], 100UL * 366 * 24 * 3600, "expiring", &expiring, e) != 0)
			return err_usage(e);
		c->end_before = c->now + (time_t)expiring;
	}
	/* Who moves the rollout on is in another folder. */
	if (in->option[OPT_SERVER] != NULL && realpath(in->option[OPT_SERVER], path) == NULL)
		return err_errno(e, ERR_NOT_FOUND, errno, "%s", in->option[OPT_SERVER]);
	if (in->option[OPT_SERVER] != NULL && text_copy(c->plan.server, sizeof(c->plan.server), path, "server", e) != 0)
		return -1;
	if (in->option[OPT_CA] != NULL && (in->option[OPT_ALL] == NULL || c->plan.what == PLAN_SETTINGS))
		return err_set(e, ERR_USAGE, "rollout: expected --ca with --all and without --settings, found %s",
		    in->option[OPT_ALL] == NULL ? "it without --all" : "--settings");
	c->force = stranded_force_parse(in->option[OPT_FORCE], e);
	return c->force != NULL ? 0 : -1;
}

static int
create(struct create *c, bool dry, struct err *e)
{
	int rc;

	c->db = dry ? state_open(c->in, e) : state_open_writer(c->in, e);
	if (c->db == NULL ||
	    (c->in->option[OPT_CA] != NULL &&
		rollout_ca_take(c->db, c->in->option[OPT_CA], &c->plan, &c->rollout, e) != 0) ||
	    mint_means_open(c->db, NULL, &c->means, e) != 0)
		return -1;
	c->guard = rollout_guard_open(c->db, &c->means, &c->plan, c->now, e);
	if (c->guard == NULL || phones_choose(c, e) != 0 || waves_cut(c, e) != 0 || phones_guard(c, e) != 0 ||
	    plan_write(&c->plan, c->rollout.plan, e) != 0)
		return -1;
	if (dry || c->stranded.phones > 0)
		rc = report(c, false, e);
	else
		rc = store(c, e) == 0 ? report(c, true, e) : -1;
	return rc == 0 && c->stranded.phones > 0 ? stranded_refuse(&c->stranded, c->rollout.name, e) : rc;
}

static int
create_run(const struct invocation *in, struct err *e)
{
	struct create c = { .in = in, .left_out = json_array(), .notes = json_array(), .now = time(NULL) };
	int rc = -1;

	if (stranded_report_init(&c.stranded, e) == 0 && stranded_report_init(&c.forced, e) == 0 &&
	    options_parse(&c, e) == 0)
		rc = create(&c, in->option[OPT_DRY_RUN] != NULL, e);
	free(c.chosen);
	json_decref(c.left_out);
	json_decref(c.force);
	json_decref(c.notes);
	stranded_report_release(&c.stranded);
	stranded_report_release(&c.forced);
	rollout_guard_free(c.guard);
	mint_means_release(&c.means);
	db_close(c.db);
	return rc;
}

const struct command command_rollout_create = {
	.name = "rollout create",
	.arguments = "NAME [MAC...]",
	.summary = "Plan how phones get their next generation, wave by wave",
	.details =
	    "The list of phones is fixed from here on; 'rollout add' and 'rollout drop' change it by name. Each phone gets a new "
	    "certificate for its key, in an order that mixes the fleet. The next wave begins when enough of the present one "
	    "have settled, that is, when 'phonevpn watch' has seen them stay on the VPN with the new certificate. Nothing is "
	    "revoked, so that 'rollout rollback' can offer what was there before. A rollout that would strand phones is refused, "
	    "with their reasons and exit status 5: the CA, the server certificate or the CRL ends before they can have settled; "
	    "the certificate that a phone last connected with is revoked; its new bundle fails 'check' by itself or against the "
	    "server; its XML is reachable only through the VPN, and the change breaks that. TIME is a number with s, m, h or d.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = create_run,
};
