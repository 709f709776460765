/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_SERVER_H
#define CLI_IMPORT_SERVER_H

#include "cli/import_pki.h"

/* The server's certificate of an imported CA. */
struct import_server {
	const struct pki_certificate *chosen;	/* NULL: none can go on */
	struct identity identity;		/* its key and bytes */
	const char *name;	/* the common name that phones may ask for, or NULL when it cannot be told */
};

#define IMPORT_SERVER_INIT { .identity = IDENTITY_INIT }

/*
 * The newest certificate in force for a server, with its key: the one of the common name name, or (NULL) the only name
 * that there is. ERR_NOT_FOUND when there is none of that name; what is odd else goes to the pki's findings.
 */
int import_server_choose(const struct pki *pki, const char *name, struct import_server *ret, struct err *e);

#endif
