/* SPDX-License-Identifier: ISC */
#ifndef PHONE_WEB_FORM_H
#define PHONE_WEB_FORM_H

#include "common/buf.h"
#include "phone/store.h"

#include <microhttpd.h>
#include <stdbool.h>

/* The form of the page, as it comes in: multipart/form-data (RFC 7578), bounded. */

#define WEB_BODY_MAX ((size_t)STORE_BUNDLE_MAX + 16384) /* the file, and room for the rest */
#define WEB_DRAIN_MAX ((size_t)16 << 20) /* of a body that is too large, to be thrown away */

enum web_action {
	WEB_ACTION_NONE,
	WEB_ACTION_SUBMIT,
	WEB_ACTION_DELETE,
	WEB_ACTION_REVERT,
};

struct web_form {
	struct MHD_PostProcessor *reader;
	struct buf token, action, enable_value;
	struct buf file;
	bool has_file;		/* one was chosen, be it empty */
	bool enable;
	const char *problem;	/* NULL while it is a form that the page could have sent */
};

/* NULL without memory, or when the body is no multipart/form-data with a boundary. */
struct web_form *web_form_new(struct MHD_Connection *connection);
void web_form_free(struct web_form *f);

/* The next piece of the body. What is wrong shows in problem. */
void web_form_take(struct web_form *f, const char *data, size_t len);

/* The end of the body: problem is final then. */
enum web_action web_form_action(struct web_form *f);

#endif
