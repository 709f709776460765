/* SPDX-License-Identifier: ISC */
#ifndef CLI_KEYPOOL_WORKER_H
#define CLI_KEYPOOL_WORKER_H

#include "cli/keygen.h"
#include "common/pool.h"

#include <stdbool.h>

/* What the threads share. */
struct keypool_common {
	struct keygen keygen;
	bool is_idle;	/* they run only when nothing else wants the processor */
};

/* One key as PKCS#8 DER, or why there is none. */
struct keypool_job {
	struct buf key;
	struct err error;
};

/* Threads that make keys; common is a struct keypool_common, a job a struct keypool_job. */
extern const struct pool_kind keypool_kind;

#endif
