/* SPDX-License-Identifier: ISC */
#include "provisioner/check_xml.h"
#include "provisioner/xml.h"
#include "provisioner/xml_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A check of anything ends, and says of every document that the merger turns down that it is wrong. */
static void
check(const uint8_t *data, size_t size, bool refused)
{
	const struct check_xml_params params = { .model = model_find("D65"), .vpn = { .mask = UINT32_MAX << 24 } };
	struct findings found = FINDINGS_INIT;
	char where[XML_SECRET_SIZE];
	struct xml_said said;

	if (check_xml("fuzz", data, size, &params, &found, NULL) != 0 || (refused && found.count == 0))
		abort();
	(void)xml_read(data, size, "fuzz", &said, NULL);
	xml_said_release(&said);
	(void)xml_find_secret(data, size, "fuzz", where, NULL);
	findings_release(&found);
}

/* What was merged once can be merged again, and is the same then: else a phone's document would change by itself. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xml_vpn offer = { .mode = XML_VPN_OFFER, .url = "http://u:p%26@h/?a=1&b=\"2\"", .md5 = MD5 };
	const struct xml_vpn off = { .mode = XML_VPN_OFF };
	struct buf once = BUF_INIT(XML_MAX), twice = BUF_INIT(XML_MAX), without = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	if (xml_merge(data, size, "fuzz", &offer, &once, &e) == 0) {
		if (xml_merge(once.data, once.len, "fuzz", &offer, &twice, &e) != 0 || once.len != twice.len ||
		    memcmp(once.data, twice.data, once.len) != 0)
			abort();
		if (xml_merge(once.data, once.len, "fuzz", &off, &without, &e) != 0)
			abort();
	} else if (e.code != ERR_INPUT && e.code != ERR_FAILED) {
		abort();
	}
	check(data, size, e.code == ERR_INPUT);
	buf_release(&once);
	buf_release(&twice);
	buf_release(&without);
	return 0;
}
