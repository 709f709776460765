/* SPDX-License-Identifier: ISC */
#ifndef PHONE_CERTIFICATE_H
#define PHONE_CERTIFICATE_H

#include "common/buf.h"
#include "common/err.h"
#include "dseries/client.h"

#include <openssl/types.h>
#include <stddef.h>
#include <time.h>

/*
 * What stands in <ca>, <cert> and <key> of a bundle, read as the phone's OpenVPN reads it (tls_ctx_load_ca() and its
 * neighbours in ssl_openssl.c of 2.3.2), and checked at the phone's clock.
 */

#define CERTIFICATE_NAME_SIZE 192
#define CERTIFICATE_SERIAL_SIZE 68 /* RFC 5280 section 4.1.2.2: 20 octets; of up to 33 nothing is cut */
#define CERTIFICATE_NOTES_MAX 4
#define CERTIFICATE_NOTE_SIZE 192

/* The three blocks, without their tags, as they stand in the file. Borrowed. */
struct certificate_pem {
	const void *ca, *cert, *key;
	size_t ca_len, cert_len, key_len;
};

struct certificate_info {
	char subject[CERTIFICATE_NAME_SIZE];	/* "CN=phone,O=Lab", RFC 2253; a longer one is cut */
	char serial[CERTIFICATE_SERIAL_SIZE];	/* lower-case hex */
	char key[32];				/* "RSA 2048": its kind and bits */
	char signature[64];			/* "sha256WithRSAEncryption" */
	time_t not_before, not_after;
	/* The CA that signed it. */
	char ca_subject[CERTIFICATE_NAME_SIZE];
	time_t ca_not_before, ca_not_after;
	/* Taken by the phone, and yet worth a word. */
	char notes[CERTIFICATE_NOTES_MAX][CERTIFICATE_NOTE_SIZE];
	size_t note_count;
};

/*
 * The CAs last read, and the one whose certificate was last found good, for a caller that checks many bundles of one
 * <ca>. The caller owns it, uses it from one thread at a time, and releases it; it may be released at any time, and used
 * again.
 */
struct certificate_cache {
	struct buf pem;
	X509_STORE *store;
	struct certificate_issuer *issuer;	/* certificate_issuer.h's */
};

#define CERTIFICATE_CACHE_INIT { .pem = BUF_INIT(CLIENT_BLOCK_MAX) }

/*
 * All three can be read; the key has no password (none is ever asked for) and is the certificate's; a CA in <ca> has
 * signed the certificate, directly or through others in <cert> or <ca>; all of them are valid at clock, seconds since
 * 1970. -1 with ERR_INTEGRITY otherwise (ERR_FAILED without memory), and *ret as it was. No text repeats anything of the
 * key. cache may be NULL; without one, the private half of the key is tried as well.
 */
int certificate_check(const struct certificate_pem *pem, time_t clock, struct certificate_cache *cache,
    struct certificate_info *ret, struct err *e);

void certificate_cache_release(struct certificate_cache *cache);

#endif
