/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_XML_DOCUMENT_H
#define PROVISIONER_XML_DOCUMENT_H

#include "common/buf.h"
#include "common/err.h"

#include <libxml/tree.h>
#include <stdbool.h>
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

/* The same in steps, for who has to tell what is wrong with it. */
enum xml_fault_kind {
	XML_FAULT_MEMORY,
	XML_FAULT_SIZE,		/* of the document or of a tag */
	XML_FAULT_DOCTYPE,
	XML_FAULT_SYNTAX,	/* not well-formed */
	XML_FAULT_ROOT,
	XML_FAULT_ENCODING,	/* read all the same, and none that a phone's documents come in */
};

struct xml_fault {
	enum xml_fault_kind kind;
	unsigned int line;	/* 0 where none can be named */
	char text[400];		/* expected and found, fit to be shown */
};

/* NULL with *fault filled. Elements have their lines (xmlGetLineNo(): of the '>' of a tag over several;
 * from 65535 on it may be the next). */
xmlDocPtr xml_document_parse(const void *data, size_t len, struct xml_fault *fault);
bool xml_document_check_root(const xmlDoc *doc, struct xml_fault *fault);
bool xml_document_check_encoding(const xmlDoc *doc, struct xml_fault *fault);

/* Append it in its own encoding and with the declaration that it came with. */
int xml_document_write(xmlDocPtr doc, struct buf *out, struct err *e);

/* Free it; text and attributes are cleansed first, as passwords are among them. NULL is taken. */
void xml_document_free(xmlDocPtr doc);

#endif
