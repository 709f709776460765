/* SPDX-License-Identifier: ISC */
#include "phone/verdict.h"

static const struct {
	int exit_status;
	const char *name, *text;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_OK] = { 0, "ok", "the phone is on the VPN, or would be" },
	[VERDICT_FAILED] = { 1, "failed", "this machine could not do its part" },
	[VERDICT_XML_UNREACHABLE] = { 10, "xml_unreachable", "the XML cannot be fetched" },
	[VERDICT_LOGIN_REFUSED] = { 11, "login_refused", "the web server refused the phone's login" },
	[VERDICT_XML_BAD] = { 12, "xml_bad", "the XML is not what a phone can read" },
	[VERDICT_VPN_UNSUPPORTED] = { 13, "vpn_unsupported", "the model or its firmware has no such VPN" },
	[VERDICT_VPN_DISABLED] = { 14, "vpn_disabled", "the configuration does not enable the VPN" },
	[VERDICT_MD5_MISSING] = { 15, "md5_missing", "openvpn_inline_config has no md5" },
	[VERDICT_MD5_MISMATCH] = { 16, "md5_mismatch", "the md5 of the file is not the one announced" },
	[VERDICT_BUNDLE_UNREACHABLE] = { 17, "bundle_unreachable", "the OpenVPN configuration file cannot be fetched" },
	[VERDICT_BUNDLE_BAD] = { 18, "bundle_bad", "the phone's OpenVPN ends at the file" },
	[VERDICT_CERTIFICATE_BAD] = { 19, "certificate_bad", "certificate, key and CA do not work for the phone" },
	[VERDICT_VPN_REFUSED] = { 20, "vpn_refused", "the VPN server answered, and there is no tunnel" },
	[VERDICT_VPN_TIMEOUT] = { 21, "vpn_timeout", "the VPN server did not answer" },
};

const char *
verdict_name(enum verdict v)
{
	return verdicts[v].name;
}

const char *
verdict_text(enum verdict v)
{
	return verdicts[v].text;
}

int
verdict_exit_status(enum verdict v)
{
	return verdicts[v].exit_status;
}
