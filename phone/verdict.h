/* SPDX-License-Identifier: ISC */
#ifndef PHONE_VERDICT_H
#define PHONE_VERDICT_H

/* What came of a boot, as scripts and CI jobs tell it apart: each class with an exit status of its own. */
enum verdict {
	VERDICT_OK,
	VERDICT_FAILED,		/* this machine could not do its part: no openvpn, no TUN device, a full disk */
	VERDICT_XML_UNREACHABLE,
	VERDICT_LOGIN_REFUSED,	/* to the XML or to the bundle */
	VERDICT_XML_BAD,
	VERDICT_VPN_UNSUPPORTED,
	VERDICT_VPN_DISABLED,
	VERDICT_MD5_MISSING,
	VERDICT_MD5_MISMATCH,
	VERDICT_BUNDLE_UNREACHABLE,
	VERDICT_BUNDLE_BAD,
	VERDICT_CERTIFICATE_BAD,
	VERDICT_VPN_REFUSED,	/* the server answered, and there is no tunnel */
	VERDICT_VPN_TIMEOUT,	/* it did not answer */
	VERDICT_COUNT,
};

/* Stable name for scripts ("md5_mismatch"). */
const char *verdict_name(enum verdict v);

/* The class in words, as a heading. */
const char *verdict_text(enum verdict v);

/* Exit status of "refphone verify": 0, 1, and from 10 on the classes above in their order. */
int verdict_exit_status(enum verdict v);

#endif
