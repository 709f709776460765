/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVER_WRITE_H
#define CLI_SERVER_WRITE_H

#include "cli/server_render.h"

#include <jansson.h>

/* What a server that runs with the files has to be told after a change of them. */
enum server_then {
	SERVER_THEN_NOTHING,	/* it reads CRL and client-config files at each login */
	SERVER_THEN_RELOAD,	/* SIGHUP */
	SERVER_THEN_RESTART,	/* it has given up the right to read its key again, or has not run yet */
};

struct server_change {
	bool dry_run;
	bool is_new;		/* there was no server.conf */
	json_t *changed;	/* names in the folder, with that of their own folder */
	json_t *removed;
	json_t *foreign;	/* somebody else's client-config files in the place of ours, which stay */
	size_t clients, clients_removed, serials;	/* of these, in ccd and crl */
	enum server_then then;
	mode_t key_mode;	/* that server.key had, where others could read or write it; else 0 */
};

/* "nothing", "reload", "restart" */
const char *server_then_name(enum server_then then);

/*
 * ERR_CONFLICT when the folder holds somebody else's server.conf. One client-config file of somebody else's keeps nothing
 * else from being written: ret->foreign names it. Release ret with server_change_release(), also after a failure.
 */
int server_write(struct db *db, const struct settings *s, const char *dir, const struct server_files *files,
    bool dry_run, struct server_change *ret, struct err *e);

/* Only the folder of revoked serials, where it lacks some. */
int server_write_serials(struct db *db, const char *dir, struct err *e);

void server_change_release(struct server_change *c);

#endif
