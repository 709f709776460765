/* SPDX-License-Identifier: ISC */
#include "provisioner/dhcp.h"

#include "provisioner/url.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX 2048
#define OPTION_MAX 255 /* bytes of one option: RFC 2132 section 2 */
#define NAME "phonevpn"
#define CLASS "digium_D" /* before the model's number and "_" with the firmware */

#define HEAD                                                                           \
	" Made by phonevpn: option 66 for phones from the factory, without a login.\n" \
	"# A phone that has a configuration server already stays with it.\n"

/* A '"' and a '\\' within the quotes of dhcpd and dnsmasq. */
static void
quoted_add(struct buf *out, const char *s)
{
	buf_add_string(out, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_add_string(out, "\\");
		buf_add(out, s, 1);
	}
	buf_add_string(out, "\"");
}

/* The option by the vendor's own name for it: dhcpd's, tftp-server-name, says of what it is not. */
static void
isc_add(enum dhcp_match match, const char *url, struct buf *out)
{
	buf_add_string(out, "#" HEAD "option boot-server code 66 = string;\n\nclass \"" NAME "\" {\n");
	buf_add_string(out, match == DHCP_MATCH_OUI
				? "\tmatch if substring(hardware, 1, 3) = 00:0f:d3;\n"
				: "\tmatch if substring(option vendor-class-identifier, 0, 8) = \"" CLASS "\";\n");
	buf_add_string(out, "\toption boot-server ");
	quoted_add(out, url);
	buf_add_string(out, ";\n}\n");
}

static void
dnsmasq_add(enum dhcp_match match, const char *url, struct buf *out)
{
	buf_add_string(out, "#" HEAD);
	buf_add_string(out, match == DHCP_MATCH_OUI ? "dhcp-mac=set:" NAME ",00:0f:d3:*:*:*\n"
						    : "dhcp-vendorclass=set:" NAME "," CLASS "\n");
	buf_add_string(out, "dhcp-option=tag:" NAME ",66,");
	quoted_add(out, url);
	buf_add_string(out, "\n");
}

/* Kea splits the data of an option at commas that have no '\\' before them. */
static void
kea_data(const char *s, struct buf *out)
{
	for (; *s != '\0'; s++) {
		if (*s == ',')
			buf_add_string(out, "\\");
		buf_add(out, s, 1);
	}
}

static int
kea_add(enum dhcp_match match, const char *url, struct buf *out, struct err *e)
{
	struct buf data = BUF_INIT(2 * URL_MAX);
	json_t *document;
	char *text = NULL;

	kea_data(url, &data);
	document = json_pack("{s:{s:[{s:s,s:s,s:[{s:s,s:s}]}]}}", "Dhcp4", "client-classes", "name", NAME, "test",
	    match == DHCP_MATCH_OUI ? "substring(pkt4.mac, 0, 3) == 0x000fd3"
				    : "substring(option[60].hex, 0, 8) == '" CLASS "'",
	    "option-data", "name", "tftp-server-name", "data", buf_string(&data));
	if (document != NULL)
		text = json_dumps(document, JSON_INDENT(2));
	if (text != NULL)
		buf_addf(out, "%s\n", text);
	free(text);
	json_decref(document);
	buf_release(&data);
	return text != NULL ? 0 : err_set(e, ERR_FAILED, "Kea's configuration: no memory");
}

int
dhcp_render(enum dhcp_server server, enum dhcp_match match, const char *url, struct buf *out, struct err *e)
{
	struct buf base = BUF_INIT(URL_MAX);
	int rc = -1;

	/* Without a user, so nothing that every client on the network may read is a secret. */
	if (url_login(url, NULL, NULL, &base, e) != 0)
		goto out;
	if (base.len > OPTION_MAX) {
		err_set(e, ERR_INPUT, "url: expected at most %d bytes for a DHCP option, found %zu", OPTION_MAX,
		    base.len);
		goto out;
	}
	rc = 0;
	switch (server) {
	case DHCP_ISC:
		isc_add(match, buf_string(&base), out);
		break;
	case DHCP_KEA:
		rc = kea_add(match, buf_string(&base), out, e);
		break;
	case DHCP_DNSMASQ:
		dnsmasq_add(match, buf_string(&base), out);
		break;
	}
	if (rc == 0)
		rc = buf_check(out, "DHCP configuration", e);
out:
	buf_release(&base);
	return rc;
}
