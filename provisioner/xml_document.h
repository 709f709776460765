/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_XML_DOCUMENT_H
#define PROVISIONER_XML_DOCUMENT_H

#include "common/buf.h"
#include "common/err.h"

#include <libxml/tree.h>
#include <stddef.h>

/* A string for libxml2; its own BAD_CAST casts const away. */
#define XML(s) ((const xmlChar *)(s))

/*
 * Inside provisioner/ only: a phone's document between bytes and libxml2's tree.
 *
 * Read one: well-formed, <config> as its root, no DOCTYPE; nothing is fetched or expanded. NULL with ERR_INPUT, line
 * and reason otherwise. The caller frees it with xml_document_free().
 */
xmlDocPtr xml_document_read(const void *data, size_t len, const char *name, struct err *e);

/* Append it in its own encoding and with the declaration that it came with; indent lays out a tree made here. */
int xml_document_write(xmlDocPtr doc, bool indent, struct buf *out, struct err *e);

/* Free it; text and attributes are cleansed first, as passwords are among them. NULL is taken. */
void xml_document_free(xmlDocPtr doc);

#endif
