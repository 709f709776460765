/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_DIGEST_WINDOW_H
#define PROVISIONER_DIGEST_WINDOW_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Inside provisioner/ and its tests only: which counts (nc, RFC 7616 section 3.4) of a nonce have been used, so that a
 * login heard on the way serves once. It remembers the nonces used last, each by a slot of a table of fixed size, and the
 * last 64 counts of each, in whatever order they come. What it has forgotten, or what another server on the same state
 * has seen, counts as new: the nonce's own age and address bound what that is worth to a listener. Threads may share it.
 */
struct digest_window;

#define DIGEST_WINDOW_SLOTS 8192

/* NULL on failure. digest_window_free() takes NULL. */
struct digest_window *digest_window_new(struct err *e);
void digest_window_free(struct digest_window *w);

/*
 * Use a count of a nonce, which is known by tag, a part of it that nobody can choose. False when it is used already, or
 * too old to tell: the client then is to be given a new nonce.
 */
bool digest_window_use(struct digest_window *w, uint64_t tag, uint32_t count);

#endif
