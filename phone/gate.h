/* SPDX-License-Identifier: ISC */
#ifndef PHONE_GATE_H
#define PHONE_GATE_H

#include "phone/settings.h"
#include "phone/verdict.h"

#include <stdbool.h>

/*
 * The md5 gate: whether the phone fetches a bundle, and whether it installs what it fetched. Pure functions; each
 * verdict carries the reason in a sentence, and the section of the vendor's page that the rule comes from.
 */
enum gate_decision {
	/* before a download */
	GATE_NO_ELEMENT,	/* no openvpn_inline_config: nothing to do */
	GATE_NOT_USED,		/* its value is not 1 */
	GATE_NO_MD5_FRESH,	/* no md5, and the phone never had a bundle */
	GATE_NO_MD5_KEPT,	/* no md5, and the phone has had a bundle: the page does not say */
	GATE_BAD_ATTRIBUTE,	/* url or md5 cannot be read */
	GATE_UNCHANGED,		/* same md5, and the file is there */
	GATE_NO_URL,		/* a fetch is due, and there is nowhere to fetch from */
	GATE_FETCH_MISSING,	/* the phone has no file */
	GATE_FETCH_CHANGED,	/* another md5 */
	/* after a download */
	GATE_MATCH,
	GATE_MISMATCH,
};

struct gate_verdict {
	enum gate_decision decision;
	bool go;		/* fetch; after a download: install */
	enum verdict verdict;	/* what it means for a deployment: VERDICT_OK when it is in order */
	const char *name;	/* stable, for scripts: "unchanged" */
	const char *reason;
	const char *section;	/* of the vendor's page; NULL: the page does not say */
};

/* What the phone has. md5 is that of the bundle it installed last, "" on a factory-fresh phone. */
struct gate_stored {
	const char *md5;
	bool file_present;
};

const struct gate_verdict *gate_decide(const struct gate_stored *stored, const struct settings_bundle *asked);

/* asked: the attribute, as text; found: that of the bytes. */
const struct gate_verdict *gate_compare(const char *asked, const char *found);

#endif
