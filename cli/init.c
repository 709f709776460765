/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/identity.h"
#include "cli/init_options.h"
#include "cli/state.h"
#include "common/text.h"

#include <stdio.h>

enum {
	OPT_CA_BITS = INIT_OPTION_COUNT,
	OPT_CA_DAYS,
};

static const struct option_def options[] = {
	INIT_OPTIONS,
	[OPT_CA_BITS] = { "ca-bits", "BITS", "RSA key of the CA and the server: 2048, 3072 or 4096 (3072)" },
	[OPT_CA_DAYS] = { "ca-days", "DAYS", "life of the CA certificate (7300)" },
	OPTION_END,
};

static int
options_take(const struct invocation *in, struct settings *s, unsigned int *ret_bits, struct err *e)
{
	if (init_settings(in, s, e) != 0)
		return -1;
	if (in->option[OPT_CA_DAYS] != NULL && settings_put(s, SET_CA_DAYS, in->option[OPT_CA_DAYS], e) != 0)
		return err_usage(e);
	return identity_bits(in->option[OPT_CA_BITS], ret_bits, e);
}

static int
state_create(const struct db_location *where, const struct settings *s, unsigned int bits, time_t *ret_ca_end,
    struct err *e)
{
	struct identity ca = IDENTITY_INIT, server = IDENTITY_INIT;
	struct db_crl crl = { .der = BUF_INIT(DB_CRL_MAX) };
	struct db_setting list[SET_COUNT];
	struct db_certificate_new server_new;
	char name[CA_NAME_MAX + 1];
	time_t now = time(NULL);
	int rc = -1;

	if (ca_root_name(s->value[SET_ORG], name, e) != 0)
		return -1;
	ca.params = identity_root(s, name, now);
	server.params = identity_server(s, now);
	if (identity_make(&ca, bits, s, NULL, NULL, e) != 0 ||
	    identity_make(&server, bits, s, ca.cert, ca.key, e) != 0 || identity_crl(&ca, s, now, &crl, e) != 0)
		goto out;
	server_new = identity_certificate(&server);
	settings_list(s, list);
	rc = db_create(where,
	    &(struct db_init){
		.settings = list,
		.setting_count = SET_COUNT,
		.authority_name = name,
		.authority_cert = &ca.cert_der,
		.authority_key = &ca.key_der,
		.crl = &crl,
		.server_name = server.params.common_name,
		.server = &server_new,
	    },
	    e);
	*ret_ca_end = ca.not_after;
out:
	identity_release(&ca);
	identity_release(&server);
	buf_release(&crl.der);
	return rc;
}

static int
init_run(const struct invocation *in, struct err *e)
{
	char actor[STATE_ACTOR_SIZE], end[TEXT_TIME_SIZE];
	struct db_location where;
	struct settings s;
	unsigned int bits = 0;
	time_t ca_end = 0;

	state_location(in, actor, &where);
	if (options_take(in, &s, &bits, e) != 0 || init_state_absent(&where, e) != 0)
		return -1;
	if (state_create(&where, &s, bits, &ca_end, e) != 0)
		return -1;
	text_time(ca_end, end);
	if (in->json)
		return command_print_json(json_pack("{s:s,s:i,s:s}", "dir", where.dir, "ca_bits", (int)bits,
					      "ca_not_after", end),
		    e);
	if (!in->quiet)
		(void)printf("%s: made, with a CA of RSA-%u until %s\n"
			     "next: phonevpn phone import FLEET.csv, then phonevpn mint --all\n",
		    where.dir, bits, end);
	return 0;
}

const struct command command_init = {
	.name = "init",
	.summary = "Make the state folder with a CA, a server certificate and the settings",
	.details =
	    "The folder must not hold a state yet. Keep a copy of master.key apart from the folder: without it no "
	    "key in the database can be read.",
	.options = options,
	.run = init_run,
};
