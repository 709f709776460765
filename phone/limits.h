/* SPDX-License-Identifier: ISC */
#ifndef PHONE_LIMITS_H
#define PHONE_LIMITS_H

#include "common/buf.h"
#include "common/err.h"
#include "dseries/firmware.h"
#include "dseries/model.h"
#include "phone/ovpn.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The limits of the phone's OpenVPN, put on the one that is installed here: TLS 1.0 alone (TLSv1_client_method() in
 * ssl_openssl.c of 2.3.2), and the ciphers of the vendor's page, section "Ciphers". OpenSSL has dropped some of these
 * since: what it still has can be proved here.
 */

#define LIMITS_LIST_MAX 20
#define LIMITS_NOTES_MAX 4
#define LIMITS_NOTE_SIZE 192

/* Names of dseries/cipher.h: they outlive everything. */
struct limits_list {
	const char *name[LIMITS_LIST_MAX];
	size_t count;
};

/* What the page lists for a model and firmware, by what the installed OpenSSL makes of it. */
struct limits_offer {
	struct limits_list control;		/* with TLS 1.0, in OpenSSL's order of preference */
	struct limits_list control_missing;	/* in the page's order */
	struct limits_list data;		/* from the default provider, in the page's order */
	struct limits_list data_legacy;		/* from the legacy provider only */
	struct limits_list data_missing;
};

struct limits {
	struct buf config;	/* the bundle's effective lines and the limits: for tunnel_start(). Holds the key */
	struct limits_list control;	/* what openvpn is held to, in the order in which it offers them */
	/* The page's that the bundle asks for, or does not rule out, and the installed OpenSSL lacks: not proved here. */
	struct limits_list control_missing;
	bool legacy;		/* the bundle's data cipher needs the legacy provider */
	char notes[LIMITS_NOTES_MAX][LIMITS_NOTE_SIZE];
	size_t note_count;
};

/* Ask OpenSSL, in library contexts of its own. f NULL: recommended firmware. ERR_FAILED when it cannot be asked. */
int limits_look(const struct model *m, const struct firmware *f, struct limits_offer *ret, struct err *e);

/*
 * ERR_INTEGRITY when the bundle's tls-cipher leaves none of the page's suites: the phone cannot connect. ERR_FAILED when
 * it leaves none, or has a data cipher, that the installed OpenSSL has: it may connect, and this machine cannot prove it.
 */
int limits_apply(const struct limits_offer *offer, const struct model *m, const struct ovpn *o, struct limits *ret,
    struct err *e);
void limits_release(struct limits *l);

#endif
