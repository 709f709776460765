/* SPDX-License-Identifier: ISC */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "bundler/bundle.h"
#include "ca/cert.h"
#include "cli/settings.h"
#include "db/db.h"
#include "provisioner/xml.h"

/*
 * Append a stored bundle (by db_bundle_get()'s number and md5) and make sure that it still has the md5 and the size
 * that it was stored with: ERR_INTEGRITY otherwise, and out is emptied. ret_md5 (may be NULL) gets the md5. The caller
 * releases out.
 */
int render_bundle(struct db *db, const char *mac, int64_t number, const char *md5, struct buf *out,
    char ret_md5[BUNDLE_MD5_SIZE], struct err *e);

/* The same from parts that were read before. */
int render_parts(struct db *db, const struct db_bundle *b, const char *mac, struct buf *out,
    char ret_md5[BUNDLE_MD5_SIZE], struct err *e);

/*
 * What a server does all day: of the bundle that db_bundle_offered() gave, with its profile at hand. base is its
 * profile's.
 */
int render_served(struct db *db, const struct db_bundle *b, const char *mac, struct bundle_base *base, struct buf *out,
    struct err *e);

/* Append every authority's CRL as PEM, one behind the other, as OpenVPN's crl-verify takes them. */
int render_crls(struct db *db, struct buf *out, struct err *e);

/*
 * Append the phone's XML as of now. document (NULL: a minimal one) is the admin's own, called name in messages. It
 * holds the phone's passwords; the caller releases out.
 */
int render_xml(struct db *db, const struct settings *s, const struct db_phone *p, const struct buf *document,
    const char *name, struct buf *out, struct err *e);

/* Whether that document names the md5 of the generation that the phone is offered. */
bool render_xml_offers(const struct db_phone *p);

/* The same with the phone's HTTP password at hand; of p, what db_phone_login() tells is enough where one is offered. */
int render_xml_login(struct db *db, const struct settings *s, const struct db_phone *p, const struct buf *password,
    const struct buf *document, const char *name, struct buf *out, struct err *e);

#endif
