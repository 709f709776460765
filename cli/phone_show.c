/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/event_report.h"
#include "cli/phone_fields.h"
#include "cli/phone_report.h"
#include "cli/state.h"
#include "cli/session_report.h"
#include "common/table.h"
#include "common/text.h"

#include <stdio.h>

#define EVENTS_SHOWN 10

static int
generation_json(const struct db_generation *g, void *arg, struct err *e)
{
	char serial[SERIAL_HEX_SIZE], created[TEXT_TIME_SIZE], end[TEXT_TIME_SIZE];

	serial_hex(g->serial, serial);
	text_time(g->created, created);
	text_time(g->not_after, end);
	if (json_array_append_new(arg,
		json_pack("{s:I,s:s,s:s,s:I,s:s,s:s,s:s,s:b,s:b}", "number", (json_int_t)g->number, "serial", serial,
		    "md5", g->md5, "bytes", (json_int_t)g->size, "profile", g->profile, "created", created, "not_after",
		    end, "offered", g->offered, "revoked", g->revoked != 0)) != 0)
		return err_set(e, ERR_FAILED, "JSON: no memory");
	return 0;
}

static int
generation_table(const struct db_generation *g, void *arg, struct err *e)
{
	char number[24], serial[SERIAL_HEX_SIZE], end[TEXT_TIME_SIZE];

	(void)e;
	(void)snprintf(number, sizeof(number), "%lld", (long long)g->number);
	serial_hex(g->serial, serial);
	text_time(g->not_after, end);
	table_row(arg, (const char *[]){ number, serial, g->md5, end,
			   g->revoked != 0 ? "revoked"
			   : g->offered    ? "offered"
					   : "kept" });
	return 0;
}

static int
show_json(struct db *db, const struct db_phone *p, const struct addresses *addresses, struct err *e)
{
	json_t *generations = json_array(), *events = json_array(), *proof = json_array(), *session = NULL,
	       *o = phone_report(p, addresses);

	if (db_generation_each(db, p->id, generation_json, generations, e) != 0 ||
	    db_ladder_each(db, p->id, step_json, proof, e) != 0 || session_json(db, p->id, &session, e) != 0 ||
	    db_event_each(db, p->mac, EVENTS_SHOWN, event_json, events, e) != 0) {
		json_decref(generations);
		json_decref(events);
		json_decref(proof);
		json_decref(o);
		return -1;
	}
	(void)json_object_set_new(o, "generations", generations);
	(void)json_object_set_new(o, "proof", proof);
	(void)json_object_set_new(o, "session", session);
	(void)json_object_set_new(o, "events", events);
	return command_print_json(o, e);
}

static void
show_line(const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)printf("%-11s %s\n", name, value);
}

static void
show_login(const struct db_phone *p)
{
	char when[TEXT_TIME_SIZE];

	show_line("HTTP user", p->http_user);
	if (p->enrolled != 0) {
		text_time(p->enrolled, when);
		(void)printf("%-11s %s from %s\n", "enrolled", when, p->enrolled_from);
	}
	if (p->login != 0) {
		text_time(p->login, when);
		show_line("first login", when);
	}
}

static int
show_text(struct db *db, const struct db_phone *p, const struct addresses *addresses, struct err *e)
{
	static const char *const headings[] = { "GEN", "SERIAL", "MD5", "VALID UNTIL", "STATE" };
	struct err why = ERR_INIT;
	enum phone_stand stand = phone_stand(p, &why);
	char address[NETWORK_ADDRESS_SIZE];
	struct table *table;
	int rc = -1;

	show_line("MAC", p->mac);
	show_line("model", p->model);
	show_line("firmware", p->firmware[0] != '\0' ? p->firmware : "not known; the recommended one is assumed");
	show_line("extension", p->extension);
	show_line("secret", p->has_secret ? "(hidden)" : "");
	show_line("label", p->label);
	show_line("group", p->group);
	show_login(p);
	show_line("VPN", phone_stand_name(stand));
	show_line("VPN address", address_text(addresses, p->vpn_host, address));
	if (session_line(db, p->id, e) != 0)
		return -1;
	show_line("reason", stand == STAND_TURNED_DOWN ? why.text : "");
	table = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	if (table == NULL)
		return err_set(e, ERR_FAILED, "table: no memory");
	if (db_generation_each(db, p->id, generation_table, table, e) == 0) {
		if (p->newest != 0)
			(void)puts("");
		rc = p->newest != 0 && table_print(table, stdout) != 0 ? err_set(e, ERR_FAILED, "table: no memory") : 0;
	}
	table_free(table);
	if (rc != 0 || steps_print(db, p->id, e) != 0)
		return -1;
	(void)printf("\nlast events\n");
	return db_event_each(db, p->mac, EVENTS_SHOWN, event_line, NULL, e);
}

static int
show_run(const struct invocation *in, struct err *e)
{
	char mac[DB_MAC_SIZE];
	struct addresses addresses;
	struct settings s;
	struct db_phone p;
	struct db *db;
	int rc = -1;

	if (phone_argument(in->argv[0], mac, e) != 0)
		return -1;
	db = state_open(in, e);
	if (db != NULL && db_phone_get(db, mac, &p, e) == 0 && settings_load(db, &s, e) == 0 &&
	    addresses_of(&s, &addresses, e) == 0)
		rc = in->json ? show_json(db, &p, &addresses, e) : show_text(db, &p, &addresses, e);
	db_close(db);
	return rc;
}

const struct command command_phone_show = {
	.name = "phone show",
	.arguments = "MAC",
	.summary = "Show one phone, its generations and its last events",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = show_run,
};
