/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_CHECK_SERVER_H
#define BUNDLER_CHECK_SERVER_H

#include "bundler/check.h"
#include "bundler/check_client.h"
#include "common/buf.h"
#include "common/finding.h"
#include "dseries/model.h"

/*
 * What keeps phones off the VPN, or their packets out of it, though their own files are right: a server.conf with the
 * files that it names, as OpenVPN 2.6 reads them, by itself and against what the phones say. The phone is taken for
 * OpenVPN 2.3.2 with TLS 1.0 and the suites of the vendor's page, section "Ciphers".
 */
extern const struct finding_rule check_server_rules[];	/* ids "server-..." */

struct check_server;

/*
 * Read a server.conf and the files that it names (relative to its "cd", else to the folder that it is in), and judge
 * what is wrong whatever the phones say. -1 only when the file itself cannot be read or is no configuration. clock must
 * live as long as *ret, which check_server_close() takes.
 */
int check_server_open(const char *file, const struct check_clock *clock, struct findings *out,
    struct check_server **ret, struct err *e);
void check_server_close(struct check_server *s);

/* The same for a text that is in no file, and may hold the key inline; name stands for the file in the places. */
int check_server_open_text(const char *name, const struct buf *text, const struct check_clock *clock,
    struct findings *out, struct check_server **ret, struct err *e);

/*
 * What depends on the phone's profile, once for each that differs: client_name names it in the texts, m (NULL: a D6x)
 * is its model. What stands behind its own certificate in <cert> counts for check_server_phone() as well, until the
 * next call.
 */
void check_server_against(struct check_server *s, const char *client_name, const struct client_side *c,
    const struct model *m, struct findings *out);

/* The part of it that depends on the model alone, for a phone whose profile was judged with another. */
void check_server_model(struct check_server *s, const char *name, const struct model *m, struct findings *out);

/* In place of check_server_against() where no phone's profile is at hand: what any phone of the page runs into. */
void check_server_alone(struct check_server *s, struct findings *out);

/*
 * What depends on the phone's certificate: whether the server takes it, and what its client-config file says. Runs once
 * a phone, behind check_server_against() for its profile. cert may be one of ca_reader_decode().
 */
void check_server_phone(struct check_server *s, const char *name, X509 *cert, struct findings *out);

/*
 * A certificate that its CA has revoked: serial is its number, big-endian, name its common name. Where the server lets
 * it in all the same it is counted; check_server_revoked_report() tells each reason once, with the number of
 * certificates and the first of them. Cheap: no certificate is decoded.
 */
void check_server_revoked(struct check_server *s, const char *name, X509 *ca, const unsigned char *serial, size_t len);
void check_server_revoked_report(const struct check_server *s, struct findings *out);

/* Whether there is room for so many phones; network is the VPN network that they are given addresses of, or NULL. */
void check_server_fleet(struct check_server *s, size_t phones, const char *network, struct findings *out);

#endif
