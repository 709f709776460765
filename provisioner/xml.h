/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_XML_H
#define PROVISIONER_XML_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Before these are called in several threads, one has to call xmlInitParser(); http_start() does. */

#define XML_MAX (1 << 20) /* bytes of a phone's document, read or written */

/* What a phone's document shall say of the VPN: the vendor's page, section "Configuration Elements". */
enum xml_vpn_mode {
	XML_VPN_UNTOUCHED,	/* leave the three settings as the document has them */
	XML_VPN_OFF,		/* network_default_enable_openvpn 0, no openvpn_inline_config */
	XML_VPN_OFFER,		/* all three */
};

struct xml_vpn {
	enum xml_vpn_mode mode;
	const char *url;	/* XML_VPN_OFFER: with the phone's credential in it */
	const char *md5;	/* XML_VPN_OFFER: 32 lower-case hex digits */
	bool enable;		/* XML_VPN_OFFER: connect at boot; a phone fetches the bundle either way */
	bool logging;
	/*
	 * In every mode: where the phone fetches its document from now on, config_server_url, with its credential in
	 * it. It stands there once, for every network; NULL: as the document has it.
	 */
	const char *config_url;
};

/* The one SIP account of a minimal document. */
struct xml_account {
	const char *extension;	/* account_id, username, authname */
	const char *label;	/* line_label, or NULL for the extension */
	const char *secret;	/* password, or NULL */
	const char *server;
	unsigned int port;
	const char *transport;	/* udp, tcp or tls */
};

/*
 * Set the settings in the admin's own document and append the result; everything else in it stays as it is (as XML:
 * white space, comments, order; not the quoting of attributes). A setting that occurs more than once among the
 * children of <config> is kept once. name stands for the document in error texts. ERR_INPUT, with line and reason,
 * unless it is well-formed XML with <config> as its root and without a DOCTYPE: nothing outside it is ever read and
 * nothing is expanded.
 */
int xml_merge(const void *document, size_t len, const char *name, const struct xml_vpn *vpn, struct buf *out,
    struct err *e);

/* Append the document for 000000000000.cfg, which any phone may read: nothing is in it. */
int xml_generic(struct buf *out, struct err *e);

/* Append a minimal document; account may be NULL. */
int xml_minimal(const struct xml_vpn *vpn, const struct xml_account *account, struct buf *out, struct err *e);

#endif
