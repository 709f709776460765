/* SPDX-License-Identifier: ISC */
#include "provisioner/check_xml_internal.h"

#include "dseries/setting.h"

#define THREE SETTING_ENABLE ", " SETTING_BUNDLE " and " SETTING_LOGGING

/* "page" is the vendor's, "Sangoma Phones and OpenVPN". */
const struct finding_rule check_xml_rules[RULE_COUNT + 1] = {
	[RULE_SYNTAX] = { "xml-syntax", FINDING_ERROR, "Not well-formed XML",
	    "A phone that cannot read its configuration takes none of its settings.",
	    "Make it well-formed; 'xmllint --noout FILE' points at the same place." },
	[RULE_SIZE] = { "xml-size", FINDING_ERROR, "Empty, or larger than a phone's document ever is",
	    "What a phone can hold is not known, and this is more than 'phonevpn' and 'refphone' take.",
	    "Move contacts and the like into files of their own, which the document links to." },
	[RULE_DOCTYPE] = { "xml-doctype", FINDING_ERROR, "A DOCTYPE",
	    "No phone's document declares anything, and entities make a parser read other files or run out of memory; "
	    "'phonevpn' and 'refphone' refuse it.",
	    "Remove the DOCTYPE and write out what its entities stand for." },
	[RULE_ENCODING] = { "xml-encoding", FINDING_WARNING, "An unusual encoding",
	    "An XML parser has to know UTF-8 and UTF-16 alone (XML 1.0 section 4.3.3); what else the phone's knows is not "
	    "known.",
	    "Save the document as UTF-8." },
	[RULE_ROOT] = { "xml-root", FINDING_ERROR, "The root is not <config>",
	    "The phone's settings are children of <config>; any other document, such as a web server's error page, holds "
	    "none.",
	    "Put the settings into <config> ... </config>." },
	[RULE_VPN_ABSENT] = { "xml-vpn-absent", FINDING_NOTE, "Nothing of the VPN",
	    "By default the phone does not attempt to connect (page, \"Defaults\").",
	    "Set " THREE " where this phone shall use the VPN; 'phonevpn emit xml MAC --merge FILE' does." },
	[RULE_MODEL] = { "xml-model", FINDING_ERROR, "VPN settings for a model without OpenVPN",
	    "The models D40, D45, D50 and D70 do not support OpenVPN (page, \"Compatibility\"): the settings have no effect.",
	    "Take the VPN settings out, or use a D60, D62, D65 or D80." },
	[RULE_FIRMWARE_DEPRECATED] = { "xml-firmware-deprecated", FINDING_ERROR,
	    "VPN settings for a firmware with the deprecated ones",
	    "Firmware 2_2_1_1 to 2_6_6 has other, deprecated OpenVPN parameters (page, \"Recommended Firmware\").",
	    "Upgrade the phone first, with <firmwares> in this document." },
	[RULE_FIRMWARE_OLD] = { "xml-firmware-old", FINDING_ERROR, "VPN settings for a firmware that is too old",
	    "The vendor does not say that a firmware before the recommended one takes " SETTING_BUNDLE ".",
	    "Upgrade the phone first, with <firmwares> in this document." },
	[RULE_TWICE] = { "xml-setting-twice", FINDING_WARNING, "A setting stands there twice",
	    "Which of the two the phone takes is not known.", "Leave one of them." },
	[RULE_MISPLACED] = { "xml-setting-misplaced", FINDING_ERROR, "A VPN setting in the wrong place",
	    "Settings are <setting id=... value=.../> and children of <config>; the same inside of another element, or "
	    "under another name, is none of the phone's.",
	    "Make it a <setting> right under <config>." },
	[RULE_MISSPELT] = { "xml-setting-misspelt", FINDING_ERROR, "The id of a VPN setting is misspelt",
	    "The phone does not know this id, and the setting that was meant keeps its default.",
	    "Correct the id: there are " THREE "." },
	[RULE_UNKNOWN] = { "xml-setting-unknown", FINDING_WARNING, "An OpenVPN setting that the page does not have",
	    "There are " THREE
	    "; firmware 2_2_1_1 to 2_6_6 had others, whose names are not known, and which later firmware "
	    "drops (page, \"Recommended Firmware\").",
	    "Use the three settings, and take this one out once no phone has old firmware." },
	[RULE_ATTRIBUTE] = { "xml-attribute-unknown", FINDING_WARNING, "An attribute that the setting does not have",
	    "It has no effect, and the attribute that was meant is missing.",
	    "A bundle has url, value and md5, the two others value; names are in lower case." },
	[RULE_SWITCH] = { "xml-switch-value", FINDING_ERROR, "A switch that is neither 0 nor 1",
	    "The page knows 0 and 1 alone; what a phone makes of another value is not known.",
	    "Set value=\"1\" or \"0\"." },
	[RULE_ENABLE_MISSING] = { "xml-enable-missing", FINDING_WARNING, SETTING_ENABLE " is missing",
	    "It is disabled by default: the phone fetches the bundle and does not connect.",
	    "Add <setting id=\"" SETTING_ENABLE "\" value=\"1\"/>." },
	[RULE_ENABLE_OFF] = { "xml-enable-off", FINDING_NOTE, "The VPN is switched off",
	    "The phone fetches the bundle and does not connect (page, \"Disabling OpenVPN\").",
	    "Set " SETTING_ENABLE " to 1 when it shall connect." },
	[RULE_LOGGING_ON] = { "xml-logging-on", FINDING_WARNING, SETTING_LOGGING " is left on",
	    "It is meant for a case of the vendor's support, and not to be left on while the phone is normally used (page, "
	    "\"Debugging\").",
	    "Set it to 0; the phone restarts at that." },
	[RULE_BUNDLE_MISSING] = { "xml-bundle-missing", FINDING_WARNING, "The VPN is enabled and there is no bundle",
	    "The phone connects with what it has stored, from its own web page for one; a factory-fresh one has nothing.",
	    "Add " SETTING_BUNDLE " with url, value=\"1\" and md5." },
	[RULE_INLINE_VALUE] = { "xml-inline-value", FINDING_ERROR, SETTING_BUNDLE " whose value is not 1",
	    "Use of this element requires a value of 1 (page, \"Configuration Elements\"): without it the bundle is not "
	    "used.",
	    "Set value=\"1\"." },
	[RULE_MD5_MISSING] = { "xml-md5-missing", FINDING_ERROR, "The bundle has no md5",
	    "A factory-fresh phone downloads nothing without it, and another one keeps what it has (page, \"Requirements "
	    "and Overview\").",
	    "Set md5 to what 'md5sum' says of the served file." },
	[RULE_MD5_MALFORMED] = { "xml-md5-malformed", FINDING_ERROR, "The md5 is none",
	    "The phone compares it with the md5 of what it has downloaded, which is 32 hex digits: the two never match, and "
	    "the file is discarded.",
	    "Set md5 to what 'md5sum' says of the served file." },
	[RULE_MD5_CASE] = { "xml-md5-case", FINDING_WARNING, "The md5 is in upper case",
	    "Whether the phone minds is not known; compared as text it never matches, and the file is discarded.",
	    "Write it in lower case, as 'md5sum' does." },
	[RULE_URL_MISSING] = { "xml-url-missing", FINDING_ERROR, "The bundle has no URL",
	    "The phone does not know where to download it.", "Set url to where the .ovpn file is served." },
	[RULE_URL_SYNTAX] = { "xml-url-syntax", FINDING_ERROR, "The URL is none", "The phone's cURL cannot fetch it.",
	    "Write http://[user:password@]host[:port]/path or https://..." },
	[RULE_URL_SCHEME] = { "xml-url-scheme", FINDING_ERROR, "A protocol that the phone does not fetch by",
	    "Bundles are fetched from an http or https server (page, \"Requirements and Overview\"), the XML by HTTP, HTTPS, "
	    "FTP or FTPS, and nothing by TFTP.",
	    "Serve it over http or https." },
	[RULE_URL_ENCODING] = { "xml-url-encoding", FINDING_ERROR, "User or password are not percent-encoded",
	    "What follows a bare '@', '/', '?' or '#' in them is taken for another part of the URL: the phone asks another "
	    "server.",
	    "Percent-encode them (RFC 3986 section 2.1): '@' is %40, '/' is %2F, '%' is %25. So too an '@' in the path "
	    "behind a host that is one word, which looks the same." },
	[RULE_URL_BARE] = { "xml-url-bare", FINDING_WARNING, "Characters in the URL are not percent-encoded",
	    "A URL has no '\"', '<', '>', '[', '|' and the like, no letters beyond ASCII, and no '%' without two hex digits "
	    "(RFC 3986). This cURL takes them as they stand; whether the phone's and the server do is not known.",
	    "Percent-encode them (RFC 3986 section 2.1): '%' is %25." },
	[RULE_URL_CLEAR] = { "xml-url-clear", FINDING_WARNING, "Fetched over plain http",
	    "The private key in the bundle can be read on the way; so can the password when the server asks for Basic, which "
	    "cannot be seen from here (Digest hides it).",
	    "Serve it over https, or let phones fetch it on a trusted network only." },
	[RULE_URL_LOGIN] = { "xml-url-login", FINDING_NOTE, "The URL has no user and password",
	    "A server that asks for a login refuses the phone; from one that does not, whoever knows the URL gets the "
	    "phone's key.",
	    "Put \"user:password@\" in front of the host." },
	[RULE_URL_IN_VPN] = { "xml-url-in-vpn", FINDING_ERROR, "The bundle is inside the VPN",
	    "The phone must be able to retrieve the file without being connected to the VPN (page, \"Requirements and "
	    "Overview\"): a new phone never gets in, and one whose certificate has ended does not come back.",
	    "Serve it on an address that phones reach without the VPN." },
	[RULE_URL_LOOPBACK] = { "xml-url-loopback", FINDING_WARNING, "The URL's host is the phone itself",
	    "A real phone asks itself, where nothing is served; only software on the server's machine can fetch it.",
	    "Use a name or an address of the server that phones reach." },
	[RULE_CONFIG_PATH] = { "xml-config-url-path", FINDING_WARNING, "config_server_url names a file",
	    "The phone appends <mac>.cfg to it; it then asks for a file that is not there.",
	    "Give the folder, with a '/' at its end." },
	[RULE_CONFIG_IN_VPN] = { "xml-config-url-in-vpn", FINDING_WARNING, "The XML's own server is inside the VPN",
	    "The phone reads its XML at boot, before the VPN is up: it does not see a new md5, and keeps what it has.",
	    "Serve the XML on an address that phones reach without the VPN." },
	[RULE_CONFIG_LOGIN] = { "xml-config-url-login", FINDING_NOTE, "Two logins for one server",
	    "The XML and the bundle are fetched from the same server with different users or passwords; one of them may be "
	    "an old one.",
	    "Use one login in config_server_url and in the bundle's URL." },
	[RULE_ADMIN_FACTORY] = { "xml-admin-password", FINDING_NOTE, "The admin's password is the factory's",
	    "With it anybody on the phone's network can upload another VPN configuration on its web page (page, \"The "
	    "OpenVPN web configuration page\").",
	    "Set " SETTING_ADMIN_PASSWORD " to digits of your own." },
	[RULE_ADMIN_DIGITS] = { "xml-admin-password-digits", FINDING_WARNING, "The admin's password is not all digits",
	    "The phone's keypad can enter digits alone, and other provisioning systems send 789 in place of such a password.",
	    "Set " SETTING_ADMIN_PASSWORD " to digits." },
	[RULE_COUNT] = { .id = NULL },
};
