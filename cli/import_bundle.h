/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_BUNDLE_H
#define CLI_IMPORT_BUNDLE_H

#include "bundler/config.h"
#include "common/buf.h"
#include "common/finding.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* An inline .ovpn file that a phone has, whoever wrote it: its certificate, its key, and the directives. */
struct import_bundle {
	const char *file;
	bool found;		/* the file could be read, whatever it holds */
	struct config config;
	X509 *cert;
	EVP_PKEY *key;
	struct buf cert_der, key_der;
};

/*
 * Read file, which outlives it; an RSA key without a passphrase, in PKCS#8 or PKCS#1, is expected. Release it with
 * import_bundle_release() in any case.
 */
int import_bundle_read(const char *file, struct import_bundle *ret, struct err *e);

/* Note what the present server may ask for and the profile does not have; element is the phone. */
void import_bundle_differences(const struct import_bundle *b, const struct config *profile, const char *element,
    struct findings *findings);

void import_bundle_release(struct import_bundle *b);

#endif
