/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_XML_READ_H
#define PROVISIONER_XML_READ_H

#include "common/err.h"

#include <stddef.h>

/* What a phone's document says of the VPN; NULL where it says nothing. Of a setting that stands there twice the last. */
struct xml_said {
	char *enable, *logging;		/* values */
	char *use, *url, *md5;		/* of the bundle; use is its value, url may hold a password */
};

/* ERR_INPUT as xml_merge(). Release it with xml_said_release(), also after a failure. */
int xml_read(const void *document, size_t len, const char *name, struct xml_said *ret, struct err *e);
void xml_said_release(struct xml_said *s);

#define XML_SECRET_SIZE 64

/*
 * Whether a document holds a secret that nobody but one phone should read: a password, or a URL with one. 1, with what
 * it stands in; 0; or -1 with ERR_INPUT.
 */
int xml_find_secret(const void *document, size_t len, const char *name, char ret_where[XML_SECRET_SIZE],
    struct err *e);

#endif
