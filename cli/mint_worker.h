/* SPDX-License-Identifier: ISC */
#ifndef CLI_MINT_WORKER_H
#define CLI_MINT_WORKER_H

#include "cli/issuer.h"
#include "cli/keygen.h"
#include "cli/mint_plan.h"
#include "common/pool.h"
#include "db/db.h"

#include <stddef.h>

/* One phone's piece of work, and what came of it. */
struct mint_job {
	/* in */
	int64_t phone;
	char mac[DB_MAC_SIZE];
	enum mint_action action;
	unsigned char serial[DB_SERIAL_SIZE];	/* of the certificate that there is */
	int64_t newest;
	int64_t pool_key;	/* the number of the key in the pool that key holds already, or 0 */
	/* out: the parts of a generation, or why not */
	struct err error;
	struct buf cert, key;
	struct db_certificate_new certificate;
	char md5[DB_MD5_SIZE];
	size_t size;
};

/* What all threads share. Nothing of it changes while they run. */
struct mint_common {
	const struct db_location *where;
	const struct issuer *issuer;
	struct ca_cert_params params;	/* what all certificates say */
	const struct buf *profile;
	const struct keygen *keygen;
};

/* Threads that make keys, certificates and md5s; common is a struct mint_common, a job a struct mint_job. */
extern const struct pool_kind mint_pool_kind;

#endif
