/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_PHONES_H
#define CLI_IMPORT_PHONES_H

#include "cli/fleet_csv.h"
#include "cli/import_pki.h"

/* A phone and the certificates of an imported CA that are its own. */
struct import_phone {
	struct phone_draft draft;	/* borrowed from the fleet, or own when made for --model */
	bool own;
	const char *certificate;	/* common name that the fleet gives, or NULL */
	bool found;			/* there is one of that name */
	struct pki_certificate *first, *last;	/* its certificates, in the order of issue */
	struct pki_certificate *chosen;	/* becomes its first generation, with: */
	struct buf key;
	bool left_out;			/* revoked: it is not added */
};

struct import_phones {
	struct import_phone **list;
	size_t count, size;
	void *by_mac, *by_certificate;	/* tsearch(3) */
	const char *model;		/* for phones that only their certificate names, or NULL */
};

#define IMPORT_PHONES_INIT { .list = NULL }

/* Begin with the fleet's phones; fleet, which may be empty, outlives it. */
int import_phones_begin(struct import_phones *phones, const struct fleet *fleet, const char *model, struct err *e);

/*
 * Find each certificate's phone: the one whose certificate the fleet says it is, else the one whose MAC is its common
 * name, else its file's name. Then choose for each phone the certificate that it can go on with. What is odd goes to
 * the pki's findings. quiet: no progress line.
 */
int import_phones_match(struct import_phones *phones, const struct pki *pki, bool quiet, struct err *e);

/* The phone of a certificate, or NULL. */
struct import_phone *import_phone_of(const struct import_phones *phones, const struct pki_certificate *c);

/* The certificate's own name is not the phone's MAC. */
bool import_phone_is_declared(const struct import_phone *phone, const struct pki_certificate *c);

void import_phones_release(struct import_phones *phones);

#endif
