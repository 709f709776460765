/* SPDX-License-Identifier: ISC */
#ifndef CLI_ADDRESS_H
#define CLI_ADDRESS_H

#include "bundler/network.h"
#include "cli/settings.h"
#include "db/host.h"

/* Phones' fixed addresses in the network of the setting vpn-network. */
struct addresses {
	struct network network;
	struct db_host_range range;	/* the numbers for phones */
	const char *setting;		/* borrowed from the settings */
};

int addresses_of(const struct settings *s, struct addresses *ret, struct err *e);

/* "10.8.0.2", or "" for number 0. Returns out. */
const char *address_text(const struct addresses *a, uint32_t host, char out[NETWORK_ADDRESS_SIZE]);

/*
 * How many of so many phones can get an address: all of them, or else ERR_CONFLICT that asks for a larger network. Where
 * there is none, since OpenVPN takes no larger one, as many as there are; the others use the server's pool.
 */
int addresses_plan(struct db *db, const struct addresses *a, size_t phones, size_t *ret, struct err *e);

/* The same without an error: as many as there are. */
int addresses_room(struct db *db, const struct addresses *a, size_t phones, size_t *ret, struct err *e);

/* May a phone like this one use the VPN, so that it needs an address, and has none? */
bool address_is_needed(const struct db_phone *p);

/* The setting vpn-network, onto new addresses for those that do not fit into it; prints what became of them. */
struct invocation;
int addresses_move(const struct invocation *in, struct db *db, const char *network, struct err *e);

#endif
