/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_PKI_H
#define CLI_IMPORT_PKI_H

#include "ca/easyrsa_index.h"
#include "cli/identity.h"
#include "common/finding.h"

#include <stdbool.h>

/*
 * An easy-rsa 3 pki/ folder, which is only read. What the certificates say counts; where index.txt, the files' names or
 * crl.pem say otherwise it is found odd.
 */
struct pki_certificate {
	unsigned long line;		/* of index.txt; 0: not in it */
	enum easyrsa_status status;	/* as the index, and crl.pem, say */
	unsigned char serial[CA_SERIAL_SIZE];
	time_t not_before, not_after;	/* not_before 0 when the certificate is not there */
	time_t revoked;			/* EASYRSA_REVOKED: when and why */
	enum ca_reason reason;
	char name[CA_NAME_MAX + 1];	/* common name */
	char *stem;			/* of the file that has its name, "000fd3006501", or NULL */
	struct buf der;			/* empty when the certificate is not there */
	bool server, client;		/* extendedKeyUsage has it */
	bool listed;			/* in crl.pem */
	struct pki_certificate *next;	/* of the same phone, for whoever sorts them */
};

struct pki {
	const char *dir;
	struct identity ca;
	char ca_name[CA_NAME_MAX + 1];	/* common name, or what there is of a subject */
	uint64_t crl_number;		/* of crl.pem, 0: none */
	bool has_crl;
	struct pki_certificate **list;	/* the index's rows in their order, then what is not in it */
	size_t count, size;
	void *by_serial;		/* tsearch(3) */
	struct findings *findings;
	size_t issuer_serials;		/* certificates whose authorityKeyIdentifier has issuer and serial */
};

#define PKI_INIT { .ca = IDENTITY_INIT }

/*
 * Read dir. passphrase (NULL: none) is the CA key's. Oddities go to findings, which outlives the pki. -1 when there is
 * no CA to be taken over. Release it with pki_release() in any case.
 */
int pki_read(const char *dir, const char *passphrase, struct findings *findings, struct pki *ret, struct err *e);

/*
 * The certificate's own private key, from where easy-rsa puts keys and inline files; the caller frees it. NULL with why:
 * ERR_NOT_FOUND when there is none, ERR_DENIED when it is encrypted, ERR_INTEGRITY when it is another certificate's.
 */
EVP_PKEY *pki_key(const struct pki *pki, const struct pki_certificate *c, const X509 *cert, struct err *why);

/* Neither revoked nor past its end, whatever the index's status says of the latter. */
bool pki_in_force(const struct pki_certificate *c, time_t now);

void pki_release(struct pki *pki);

#endif
