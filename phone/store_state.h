/* SPDX-License-Identifier: ISC */
#ifndef PHONE_STORE_STATE_H
#define PHONE_STORE_STATE_H

#include "phone/store.h"

#include <jansson.h>

/* state.json, as a document: inside phone/store*.c only. */

/* Fill the fields of s. ERR_CONFLICT when another version wrote it, ERR_INPUT or ERR_INTEGRITY when a field is bad. */
int store_state_decode(struct store *s, const json_t *doc, struct err *e);

/* A new reference, or NULL when there is no memory. */
json_t *store_state_encode(const struct store *s);

#endif
