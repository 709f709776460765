/* SPDX-License-Identifier: ISC */
#ifndef CLI_KEYGEN_H
#define CLI_KEYGEN_H

#include "ca/key.h"
#include "ca/keygen.h"
#include "cli/settings.h"
#include "db/db.h"

/* How phones' keys are made, and what they are called in the pool. */
struct keygen {
	enum ca_keygen_how how;
	struct db_key_kind kind;
};

/* What the option says, or where it is NULL the setting. ERR_USAGE for another word. */
int keygen_choose(const char *option, const struct settings *s, struct keygen *ret, struct err *e);

/* The maker's next key, appended as PKCS#8 DER. The caller releases out. */
int keygen_make(struct ca_keygen *maker, struct buf *out, struct err *e);

#endif
