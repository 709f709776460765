/* SPDX-License-Identifier: ISC */
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/fleet_csv.h"
#include "cli/phone_report.h"
#include "cli/state.h"
#include "common/file.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_DRY_RUN,
};

static const struct option_def options[] = {
	[OPT_DRY_RUN] = { "dry-run", NULL, "check the file, change nothing" },
	OPTION_END,
};

/* What the database has already is one more problem of its row. */
static int
problem_if_known(struct fleet *f, const struct fleet_row *row, enum phone_field field, int found, const struct err *why,
    struct err *e)
{
	const struct db_phone *p = &row->draft.phone;
	char text[160];

	if (found != 0)
		return why->code == ERR_NOT_FOUND ? 0 : err_set(e, why->code, "%s", why->text);
	(void)snprintf(text, sizeof(text), "%s: %s is in the fleet already", phone_field_name(field),
	    field == FIELD_MAC ? p->mac : p->http_user);
	return fleet_problem_add(f, row->line, text, e);
}

static int
find_known(struct db *db, struct fleet *f, struct err *e)
{
	struct db_phone known;

	for (size_t i = 0; i < f->row_count; i++) {
		const struct fleet_row *row = &f->rows[i];
		struct err why = ERR_INIT;
		int found = db_phone_get(db, row->draft.phone.mac, &known, &why);

		if (problem_if_known(f, row, FIELD_MAC, found, &why, e) != 0)
			return -1;
		if (found == 0)
			continue;
		found = db_phone_get_by_user(db, row->draft.phone.http_user, &known, &why);
		if (problem_if_known(f, row, FIELD_HTTP_USER, found, &why, e) != 0)
			return -1;
	}
	fleet_problem_sort(f);
	return 0;
}

static int
report_problems(const struct invocation *in, const struct fleet *f, const char *file, struct err *e)
{
	json_t *rows = in->json ? json_array() : NULL;

	for (size_t i = 0; i < f->problem_count; i++) {
		if (in->json)
			(void)json_array_append_new(rows,
			    json_pack("{s:I,s:s}", "line", (json_int_t)f->problems[i].line, "text",
				f->problems[i].text));
		else
			(void)fprintf(stderr, "%s:%lu: %s\n", file, f->problems[i].line, f->problems[i].text);
	}
	if (in->json && command_print_json(json_pack("{s:i,s:o}", "imported", 0, "problems", rows), e) != 0)
		return -1;
	return err_set(e, ERR_INPUT, "%s: found %zu problem%s in %zu rows; nothing was imported", file,
	    f->problem_count, f->problem_count == 1 ? "" : "s", f->total);
}

/* Who gets an address, and how many there are to be had. */
struct address_need {
	struct db_host_range range;
	size_t needed, given;
};

static int
plan_addresses(struct db *db, const struct fleet *f, struct address_need *ret, struct err *e)
{
	struct addresses addresses;
	struct settings s;

	if (settings_load(db, &s, e) != 0 || addresses_of(&s, &addresses, e) != 0)
		return -1;
	*ret = (struct address_need){ .range = addresses.range };
	for (size_t i = 0; i < f->row_count; i++)
		ret->needed += address_is_needed(&f->rows[i].draft.phone);
	return addresses_plan(db, &addresses, ret->needed, &ret->given, e);
}

static int
store(struct db *db, const struct fleet *f, const struct address_need *need, struct err *e)
{
	struct db_phone_new *phones;
	size_t given = 0;
	int rc;

	if (f->row_count == 0)
		return 0;
	phones = calloc(f->row_count, sizeof(*phones));
	if (phones == NULL)
		return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", f->row_count);
	for (size_t i = 0; i < f->row_count; i++) {
		phones[i] = phone_draft_new(&f->rows[i].draft);
		if (given < need->given && address_is_needed(&phones[i].phone)) {
			phones[i].hosts = need->range;
			given++;
		}
	}
	rc = db_phone_add(db, phones, f->row_count, e);
	free(phones);
	return rc;
}

/* Phones without a way to the VPN belong to the fleet all the same; the admin is told now and not in a year. */
static int
report_done(const struct invocation *in, const struct fleet *f, const struct address_need *need, struct err *e)
{
	const char *done = in->option[OPT_DRY_RUN] != NULL ? "would be imported" : "imported";
	json_t *turned_down = in->json ? json_array() : NULL;
	size_t count = 0;

	for (size_t i = 0; i < f->row_count; i++) {
		const struct db_phone *p = &f->rows[i].draft.phone;
		struct err why = ERR_INIT;

		if (!in->json)
			phone_warn_mac(in, p->mac);
		if (phone_stand(p, &why) != STAND_TURNED_DOWN)
			continue;
		count++;
		if (in->json)
			(void)json_array_append_new(turned_down,
			    json_pack("{s:s,s:s,s:s}", "mac", p->mac, "model", p->model, "reason", why.text));
		else if (!in->quiet)
			(void)printf("%s (%s): turned down for the VPN: %s\n", p->mac, p->model, why.text);
	}
	if (in->json)
		return command_print_json(json_pack("{s:I,s:o,s:I}",
					      in->option[OPT_DRY_RUN] != NULL ? "importable" : "imported",
					      (json_int_t)f->row_count, "turned_down", turned_down, "without_address",
					      (json_int_t)(need->needed - need->given)),
		    e);
	if (need->given < need->needed)
		log_warn(
		    "%zu phones have no fixed VPN address: all of the network are taken, and OpenVPN takes no larger "
		    "one; they use the server's pool",
		    need->needed - need->given);
	if (!in->quiet)
		(void)printf("%zu phone%s %s, %zu of them turned down for the VPN\n", f->row_count,
		    f->row_count == 1 ? "" : "s", done, count);
	return 0;
}

static int
import_run(const struct invocation *in, struct err *e)
{
	const char *file = strcmp(in->argv[0], "-") == 0 ? "standard input" : in->argv[0];
	struct buf text = BUF_INIT(FLEET_CSV_MAX);
	struct fleet fleet = FLEET_INIT;
	struct address_need need;
	struct db *db = NULL;
	int rc = -1;

	if (file_read(in->argv[0], &text, e) != 0)
		goto out;
	if (fleet_parse(text.data, text.len, &fleet, e) != 0) {
		err_prefix(e, "%s", file);
		goto out;
	}
	db = in->option[OPT_DRY_RUN] != NULL ? state_open(in, e) : state_open_writer(in, e);
	if (db == NULL || find_known(db, &fleet, e) != 0)
		goto out;
	if (fleet.problem_count > 0) {
		report_problems(in, &fleet, file, e);
		goto out;
	}
	if (plan_addresses(db, &fleet, &need, e) != 0)
		goto out;
	if (in->option[OPT_DRY_RUN] == NULL && store(db, &fleet, &need, e) != 0)
		goto out;
	rc = report_done(in, &fleet, &need, e);
out:
	buf_release(&text);
	fleet_release(&fleet);
	db_close(db);
	return rc;
}

const struct command command_phone_import = {
	.name = "phone import",
	.arguments = "FILE.csv|-",
	.summary = "Add a fleet from a CSV file, all of it or nothing",
	.details =
	    "The first row names the columns: mac and model, and where wanted firmware, extension, secret, label, group, "
	    "http_user and http_password, in any order. Every bad row is named with its line. See fleet.csv(5).",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = import_run,
};
