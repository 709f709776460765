/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVER_FLEET_H
#define CLI_SERVER_FLEET_H

#include "bundler/server_conf.h"
#include "cli/settings.h"
#include "db/db.h"

/* What the phones of the fleet ask of the server. */
struct server_fleet {
	struct server_conf_client *clients;	/* for server_conf_params */
	size_t count, size;
	int64_t *without;			/* ids of those that need an address and have none */
	size_t without_count, without_size;
	/* phones with bundles that this server cannot serve, whatever stands in its configuration */
	size_t other_proto, other_port, other_auth;
};

#define SERVER_FLEET_INIT { .clients = NULL }

/*
 * Every phone that may use the VPN: with what its next bundle says, and with what all the bundles say that it may still
 * have; with offered, only that which it is offered now. Release it with server_fleet_release(), also after a failure.
 */
int server_fleet_load(struct db *db, const struct settings *s, bool offered, struct server_fleet *ret, struct err *e);

/* The same without the list of those that have no address: one pass over the fleet's kinds, and not over its phones. */
int server_fleet_load_needs(struct db *db, const struct settings *s, struct server_fleet *ret, struct err *e);

void server_fleet_release(struct server_fleet *f);

#endif
