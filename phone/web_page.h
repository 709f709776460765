/* SPDX-License-Identifier: ISC */
#ifndef PHONE_WEB_PAGE_H
#define PHONE_WEB_PAGE_H

#include "common/buf.h"
#include "phone/status.h"

#include <stdbool.h>

/* The page at /vpn, as HTML and its style sheet. */

#define WEB_PAGE_MAX 65536

/* What the last form did; the page is asked for by the name of one, so that nobody can put words into it. */
enum web_notice {
	WEB_NOTICE_NONE,
	WEB_NOTICE_SAVED,
	WEB_NOTICE_UPLOADED,
	WEB_NOTICE_DELETED,
	WEB_NOTICE_NO_FILE,
	WEB_NOTICE_REVERTED,
	WEB_NOTICE_COUNT,
};

const char *web_notice_name(enum web_notice n);

/* WEB_NOTICE_NONE for a name that is none, and for NULL. */
enum web_notice web_notice_parse(const char *name);

struct web_page {
	const struct status *status;
	const char *token;
	size_t local_size;	/* of the uploaded file, 0 when there is none that is whole */
	enum web_notice notice;
	const char *problem;	/* why the last form was refused, or NULL */
	const char *file_problem;	/* why the file in it was, or NULL */
	bool changing;		/* the VPN is about to come up */
};

/* Append the document. */
void web_page_render(const struct web_page *p, struct buf *out);

/* The style sheet, and its length. */
const char *web_page_style(size_t *ret_len);

#endif
