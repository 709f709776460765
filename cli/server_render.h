/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVER_RENDER_H
#define CLI_SERVER_RENDER_H

#include "cli/server_fleet.h"

#include <sys/types.h>

/* The files of the server's folder, in the order in which they are written. */
enum server_file_kind {
	SERVER_FILE_CRL,
	SERVER_FILE_CA,
	SERVER_FILE_CERT,
	SERVER_FILE_KEY,
	SERVER_FILE_CONF,
	SERVER_FILE_COUNT,
};

struct server_files {
	struct buf text[SERVER_FILE_COUNT];
};

const char *server_file_name(enum server_file_kind kind);
mode_t server_file_mode(enum server_file_kind kind);

void server_files_init(struct server_files *f);
void server_files_release(struct server_files *f);

/* Render them all for a server that finds them in dir, an absolute path. */
int server_files_render(struct db *db, const struct settings *s, const struct server_fleet *fleet, const char *dir,
    struct server_files *f, struct err *e);

#endif
