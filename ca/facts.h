/* SPDX-License-Identifier: ISC */
#ifndef CA_FACTS_H
#define CA_FACTS_H

#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * What a certificate or CRL says of itself, whoever made it, for a check to judge. Nothing here is judged; the clock is
 * the caller's.
 */
#define CA_FACTS_NAME_SIZE 192
#define CA_FACTS_SERIAL_SIZE 64

/* A name for a message: RFC 2253 with its controls escaped, cut to the size. */
void ca_name_print(const X509_NAME *name, char out[CA_FACTS_NAME_SIZE]);

/* The subject as OpenVPN 2.3 and later write it ("O=Lab, CN=phone"), for verify-x509-name. False when it does not fit. */
bool ca_subject_openvpn(const X509 *cert, char *out, size_t size);

struct ca_cert_facts {
	char subject[CA_FACTS_NAME_SIZE], issuer[CA_FACTS_NAME_SIZE];	/* RFC 2253, cut */
	char common_name[65];		/* "" without exactly one of up to 64 bytes */
	char serial[CA_FACTS_SERIAL_SIZE];	/* lower-case hex, without leading zeros; "" when it is longer */
	time_t not_before, not_after;	/* 0 when it is no time */
	bool rsa;			/* the public key is RSA, of bits; */
	int bits;			/* of another key its own size; 0 when it cannot be decoded */
	char key_name[24];		/* "rsaEncryption", "id-ecPublicKey" */
	char signature_digest[24];	/* "SHA256"; "" when the signature's algorithm names none */
	bool v3;			/* has extensions at all */
	bool ca;			/* basicConstraints CA:TRUE */
	bool has_key_usage;
	uint32_t key_usage;		/* KU_... of openssl/x509v3.h, when has_key_usage */
	bool has_purpose;		/* extendedKeyUsage; */
	bool purpose_server, purpose_client;	/* serverAuth, clientAuth in it */
	bool netscape_server, netscape_client;	/* nsCertType server, client */
	bool has_netscape;
	bool authority_by_serial;	/* AKI with issuer and serial: breaks when the CA is renewed */
};

void ca_cert_facts(X509 *cert, struct ca_cert_facts *ret);

/* The issuer's name fits and its key verifies the signature. False for one that cannot be checked at all. */
bool ca_cert_signed_by(X509 *cert, X509 *issuer);

/* The key is that of the certificate. */
bool ca_cert_owns(const X509 *cert, const EVP_PKEY *key);

/*
 * The same for RSA, without decoding the key, which is a hundred times faster: key is its PKCS#8 DER, whose modulus and
 * exponent are compared.
 */
bool ca_cert_owns_der(const X509 *cert, const void *key, size_t len);

/* The private half of the key makes what the public half verifies: it is tried. */
bool ca_key_signs(EVP_PKEY *key);

/* A CRL of the database. The caller frees it with X509_CRL_free(). ERR_INTEGRITY when it is none. */
X509_CRL *ca_crl_decode(const void *der, size_t len, struct err *e);

struct ca_crl_facts {
	char issuer[CA_FACTS_NAME_SIZE];
	time_t this_update, next_update;	/* next_update 0: none, so that it never expires */
	int count;				/* entries */
};

void ca_crl_facts(X509_CRL *crl, struct ca_crl_facts *ret);
bool ca_crl_signed_by(X509_CRL *crl, X509 *issuer);
bool ca_crl_lists(X509_CRL *crl, X509 *cert);

/* The same by the serial alone, big-endian, of a certificate that the CRL's issuer has signed. */
bool ca_crl_lists_serial(X509_CRL *crl, const unsigned char *serial, size_t len);

#endif
