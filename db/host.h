/* SPDX-License-Identifier: ISC */
#ifndef DB_HOST_H
#define DB_HOST_H

#include "db/db.h"

/*
 * VPN addresses, as numbers in the VPN's network, so that they survive a change of it. All that db/db.h says of its calls
 * holds for these.
 */

#define DB_HOST_MAX 65534	/* of a /16, the largest network that OpenVPN's server takes */

/*
 * Give each of these phones (by id) that has none a number of its own: one that no phone has had yet, or else the one
 * that was given back first. All or none; ERR_CONFLICT when there are not enough.
 */
int db_host_assign(struct db *db, const int64_t *phones, size_t count, const struct db_host_range *range,
    struct err *e);

/* How many of the range phones have. */
int db_host_taken(struct db *db, const struct db_host_range *range, size_t *ret, struct err *e);

/*
 * Set the setting that holds the network; phones whose number is not in its range get others in the same transaction.
 * ERR_CONFLICT when there are not enough. *ret_kept, *ret_moved: phones.
 */
int db_network_set(struct db *db, const struct db_setting *network, const struct db_host_range *range,
    size_t *ret_kept, size_t *ret_moved, struct err *e);

/*
 * Every phone that has a number, once for each name that its certificates have which are in force: neither revoked nor
 * of a dropped authority (its MAC when there is none); in the order of numbers, as db_phone_each().
 */
struct db_host {
	uint32_t host;
	char name[65];
};
int db_host_each(struct db *db, int (*each)(const struct db_host *host, void *arg, struct err *e), void *arg,
    struct err *e);

#endif
