/* SPDX-License-Identifier: ISC */
#ifndef DSERIES_CIPHER_H
#define DSERIES_CIPHER_H

#include "dseries/model.h"

#include <stdbool.h>
#include <stddef.h>

/* What the vendor's page, section "Ciphers", says of a cipher and a phone. */
enum cipher_support {
	CIPHER_NO,		/* not in the list */
	CIPHER_YES,
	CIPHER_MAY_DIFFER,	/* in the D6x list, and the model may support a different set */
};

/* Control channel: OpenSSL's suite names, as the page writes them. f NULL: recommended firmware. */
enum cipher_support cipher_control_support(const struct model *m, const struct firmware *f, const char *name);

/* Data channel: OpenVPN's cipher names in either case. */
enum cipher_support cipher_data_support(const struct model *m, const char *name);

/* The lists in the page's order; NULL behind the last. */
const char *cipher_control_at(size_t index);
const char *cipher_control_before_2_3_9_at(size_t index);
const char *cipher_data_at(size_t index);

#endif
