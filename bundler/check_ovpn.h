/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CHECK_OVPN_H
#define BUNDLER_CHECK_OVPN_H

#include "bundler/check.h"
#include "bundler/config.h"
#include "ca/bulk.h"
#include "common/err.h"
#include "common/finding.h"
#include "dseries/model.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/types.h>

/* What would keep a phone with this bundle off the VPN. */
struct check_ovpn_params {
	const struct model *model;		/* NULL: any with OpenVPN, judged by what the vendor's page says of the D6x */
	const struct firmware *firmware;	/* NULL: not known, taken for recommended */
	struct check_clock clock;
};

/* All that can be found; ids begin with "ovpn-". Ends with a NULL id. */
extern const struct finding_rule check_ovpn_rules[];

/* All of a file, which is named in the places. 0, or -1 when it could not be judged at all (memory). */
int check_ovpn(const char *file, const void *text, size_t len, const struct check_ovpn_params *p, struct findings *out,
    struct err *e);

/* Its first half, for phones that share a profile: all that can be said without the certificate and the key. */
void check_ovpn_profile(const char *file, const struct config *c, const struct check_ovpn_params *p,
    struct findings *out);

/* What stands in <ca>, <cert> and <key>. Borrowed. The certificate may be one of ca_reader_decode(). */
struct check_identity {
	STACK_OF(X509) *cas;	/* the chain is not judged when there are none */
	STACK_OF(X509) *certs;	/* the phone's own first; at least one */
	EVP_PKEY *key;		/* NULL: not looked at */
	struct ca_voucher *voucher;	/* of many with these CAs, or NULL */
	unsigned int cert_line, key_line;	/* of the blocks; 0 without */
};

/* The other half. file names the bundle or the phone. */
void check_ovpn_identity(const char *file, const struct check_identity *id, const struct check_ovpn_params *p,
    struct findings *out);

/* A file with a private key, of this mode, that anybody on the machine may read. */
void check_ovpn_mode(const char *file, mode_t mode, struct findings *out);

#endif
