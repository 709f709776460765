/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_CHECK_XML_H
#define PROVISIONER_CHECK_XML_H

#include "common/cidr.h"
#include "common/finding.h"
#include "dseries/model.h"

#include <stddef.h>

/* The addresses inside the VPN as "10.8.0.0/16", IPv4. ERR_INPUT otherwise; what names it. */
int check_network_parse(const char *s, const char *what, struct cidr *ret, struct err *e);

/* What the check knows beside the document; all optional. */
struct check_xml_params {
	const struct model *model;
	const struct firmware *firmware;
	struct cidr vpn;		/* none: not known */
};

extern const struct finding_rule check_xml_rules[];

/*
 * What in a phone's XML would keep the phone off the VPN, by the vendor's page "Sangoma Phones and OpenVPN": whoever
 * wrote the document. file (may be NULL) is its name in the findings. A document that cannot be read is a finding, too; -1 only when
 * memory ran out. No password of the document is in a finding.
 */
int check_xml(const char *file, const void *text, size_t len, const struct check_xml_params *params,
    struct findings *out, struct err *e);

#endif
