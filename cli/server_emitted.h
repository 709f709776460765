/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVER_EMITTED_H
#define CLI_SERVER_EMITTED_H

#include "cli/settings.h"
#include "common/buf.h"

#define SERVER_EMITTED "emit server" /* its name in messages */

/*
 * Append the server.conf that "emit server" would write now, with its certificate, its key and the CAs inline: no key
 * reaches a disk. For check_server_open_text(); the caller releases out, which holds a private key. Codes other than
 * ERR_FAILED say why "emit server" would not write one.
 */
int server_emitted_render(struct db *db, const struct settings *s, struct buf *out, struct err *e);

#endif
