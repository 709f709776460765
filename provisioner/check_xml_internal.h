/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_CHECK_XML_INTERNAL_H
#define PROVISIONER_CHECK_XML_INTERNAL_H

/* Inside check_xml*.c only. */
#include "provisioner/check_xml.h"

#include <libxml/tree.h>
#include <libxml/uri.h>
#include <stdbool.h>

/* In the order of check_xml_rules[]. */
enum check_xml_rule {
	RULE_SYNTAX,
	RULE_SIZE,
	RULE_DOCTYPE,
	RULE_ENCODING,
	RULE_ROOT,
	RULE_VPN_ABSENT,
	RULE_MODEL,
	RULE_FIRMWARE_DEPRECATED,
	RULE_FIRMWARE_OLD,
	RULE_TWICE,
	RULE_MISPLACED,
	RULE_MISSPELT,
	RULE_UNKNOWN,
	RULE_ATTRIBUTE,
	RULE_SWITCH,
	RULE_ENABLE_MISSING,
	RULE_ENABLE_OFF,
	RULE_LOGGING_ON,
	RULE_BUNDLE_MISSING,
	RULE_INLINE_VALUE,
	RULE_MD5_MISSING,
	RULE_MD5_MALFORMED,
	RULE_MD5_CASE,
	RULE_URL_MISSING,
	RULE_URL_SYNTAX,
	RULE_URL_SCHEME,
	RULE_URL_ENCODING,
	RULE_URL_BARE,
	RULE_URL_CLEAR,
	RULE_URL_LOGIN,
	RULE_URL_IN_VPN,
	RULE_URL_LOOPBACK,
	RULE_CONFIG_PATH,
	RULE_CONFIG_IN_VPN,
	RULE_CONFIG_LOGIN,
	RULE_ADMIN_FACTORY,
	RULE_ADMIN_DIGITS,
	RULE_COUNT,
};

struct xml_check {
	const char *file;
	const struct check_xml_params *params;
	struct findings *out;
};

#define FOUND(c, rule, place, ...) findings_add((c)->out, &check_xml_rules[rule], place, __VA_ARGS__)

/*
 * Judge the URL of a bundle, or of the server of the XML itself (config_server_url). Returns its parts, which the
 * caller frees with check_url_free(), or NULL when it has none worth looking at.
 */
xmlURIPtr check_url_bundle(const struct xml_check *c, const struct finding_place *place, const char *url);
xmlURIPtr check_url_config(const struct xml_check *c, const struct finding_place *place, const char *url);

/* The login is cleansed. NULL is taken. */
void check_url_free(xmlURIPtr uri);

#endif
