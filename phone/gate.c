/* SPDX-License-Identifier: ISC */
#include "phone/gate.h"

#include <string.h>

#define SECTION_OVERVIEW "Requirements and Overview"
#define SECTION_ELEMENTS "Configuration Elements"
#define SECTION_REPLACING "Replacing Configuration when using openvpn_inline_config"

static const struct gate_verdict verdicts[] = {
	[GATE_NO_ELEMENT] = { GATE_NO_ELEMENT, false, VERDICT_OK, "no_element",
	    "the configuration has no openvpn_inline_config: nothing to fetch, what is stored stays", NULL },
	[GATE_NOT_USED] = { GATE_NOT_USED, false, VERDICT_XML_BAD, "not_used",
	    "openvpn_inline_config needs value=\"1\" to be used: not fetched, what is stored stays", SECTION_ELEMENTS },
	[GATE_NO_MD5_FRESH] = { GATE_NO_MD5_FRESH, false, VERDICT_MD5_MISSING, "no_md5_fresh",
	    "no md5 on a factory-fresh phone: not downloaded", SECTION_OVERVIEW },
	[GATE_NO_MD5_KEPT] = { GATE_NO_MD5_KEPT, false, VERDICT_MD5_MISSING, "no_md5_kept",
	    "no md5, and what a provisioned phone does then is not known: not fetched, what is stored stays", NULL },
	[GATE_BAD_ATTRIBUTE] = { GATE_BAD_ATTRIBUTE, false, VERDICT_XML_BAD, "bad_attribute",
	    "url or md5 of openvpn_inline_config cannot be read: not fetched, what is stored stays", NULL },
	[GATE_UNCHANGED] = { GATE_UNCHANGED, false, VERDICT_OK, "unchanged",
	    "md5 unchanged and the file is stored: not fetched", SECTION_OVERVIEW },
	[GATE_NO_URL] = { GATE_NO_URL, false, VERDICT_XML_BAD, "no_url",
	    "openvpn_inline_config has an md5 and no url: nowhere to fetch from, what is stored stays", NULL },
	[GATE_FETCH_MISSING] = { GATE_FETCH_MISSING, true, VERDICT_OK, "missing",
	    "the phone does not have the file: fetched whether the VPN is enabled or not", SECTION_ELEMENTS },
	[GATE_FETCH_CHANGED] = { GATE_FETCH_CHANGED, true, VERDICT_OK, "changed",
	    "md5 changed: fetched whether the VPN is enabled or not", SECTION_REPLACING },
	[GATE_MATCH] = { GATE_MATCH, true, VERDICT_OK, "match", "md5 of the file equals the md5 parameter: installed",
	    SECTION_REPLACING },
	[GATE_MISMATCH] = { GATE_MISMATCH, false, VERDICT_MD5_MISMATCH, "mismatch",
	    "md5 of the file differs from the md5 parameter: discarded, what is stored stays in use",
	    SECTION_REPLACING },
};

static enum gate_decision
decide(const struct gate_stored *stored, const struct settings_bundle *asked)
{
	bool fresh = stored->md5[0] == '\0';

	if (!asked->present)
		return GATE_NO_ELEMENT;
	if (!asked->use.on)
		return GATE_NOT_USED;
	if (asked->md5.state == SETTING_ABSENT)
		return fresh ? GATE_NO_MD5_FRESH : GATE_NO_MD5_KEPT;
	if (asked->md5.state == SETTING_INVALID || asked->url.state == SETTING_INVALID)
		return GATE_BAD_ATTRIBUTE;
	if (stored->file_present && strcmp(stored->md5, asked->md5.text) == 0)
		return GATE_UNCHANGED;
	if (asked->url.state == SETTING_ABSENT)
		return GATE_NO_URL;
	return stored->file_present ? GATE_FETCH_CHANGED : GATE_FETCH_MISSING;
}

const struct gate_verdict *
gate_decide(const struct gate_stored *stored, const struct settings_bundle *asked)
{
	return &verdicts[decide(stored, asked)];
}

const struct gate_verdict *
gate_compare(const char *asked, const char *found)
{
	return &verdicts[strcmp(asked, found) == 0 ? GATE_MATCH : GATE_MISMATCH];
}
