/* SPDX-License-Identifier: ISC */
#ifndef PHONE_HTML_H
#define PHONE_HTML_H

#include "common/buf.h"

/*
 * Append text to an HTML document, so that it is text there and in a quoted attribute. Control characters and broken
 * UTF-8 become U+FFFD: the WHATWG's HTML, section 13.1.2.3, "Attributes", and 13.1.3, "Text".
 */
void html_text(struct buf *out, const char *text);

#endif
