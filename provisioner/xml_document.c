/* SPDX-License-Identifier: ISC */
#include "provisioner/xml_document.h"

#include "common/text.h"
#include "provisioner/xml.h"

#include <libxml/encoding.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlsave.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAG_MAX 32768

/* The first thing that the parser could not go on from, or else the first that it complained of. */
struct complaint {
	bool doctype;
	bool any, fatal;
	int line;
	char reason[256];
};

static void
on_error(void *arg, xmlErrorPtr error)
{
	struct complaint *c = arg;

	if (error->level < XML_ERR_ERROR || c->fatal || (c->any && error->level < XML_ERR_FATAL))
		return;
	c->any = true;
	c->fatal = error->level == XML_ERR_FATAL;
	c->line = error->line;
	(void)snprintf(c->reason, sizeof(c->reason), "%s", error->message != NULL ? error->message : "unknown error");
	c->reason[strcspn(c->reason, "\n")] = '\0';
}

/* Called with the name and the identifiers of a DOCTYPE, before anything is declared: the earliest place to stop. */
static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
	xmlParserCtxtPtr ctxt = arg;
	struct complaint *c = ctxt->_private;

	(void)name;
	(void)external_id;
	(void)system_id;
	c->doctype = true;
	c->line = xmlSAX2GetLineNumber(ctxt);
	xmlStopParser(ctxt);
}

/* libxml2 takes a NUL for the end of its input and would drop what follows without a word. */
static bool
all_consumed(const xmlParserCtxt *ctxt)
{
	const xmlParserInput *in = ctxt->input;

	if (in == NULL || in->cur < in->end)
		return false;
	return in->buf == NULL || in->buf->raw == NULL || xmlBufUse(in->buf->raw) == 0;
}

static void fault_set(struct xml_fault *fault, enum xml_fault_kind kind, long line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
fault_set(struct xml_fault *fault, enum xml_fault_kind kind, long line, const char *fmt, ...)
{
	va_list ap;

	*fault = (struct xml_fault){ .kind = kind, .line = line > 0 ? (unsigned int)line : 0 };
	va_start(ap, fmt);
	(void)vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
}

static xmlDocPtr
parse(xmlParserCtxtPtr ctxt, const void *data, size_t len, struct complaint *c, struct xml_fault *fault)
{
	char shown[sizeof(c->reason)];
	xmlDocPtr doc;
	int line;

	ctxt->_private = c;
	ctxt->sax->internalSubset = on_doctype;
	doc = xmlCtxtReadMemory(ctxt, data, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_BIG_LINES);
	/* A decoder knows of no lines. */
	line = c->line > 0 ? c->line : xmlSAX2GetLineNumber(ctxt);
	if (c->doctype)
		fault_set(fault, XML_FAULT_DOCTYPE, line,
		    "expected no DOCTYPE, found one; remove it: a phone's document declares nothing");
	else if (doc == NULL)
		fault_set(fault, XML_FAULT_SYNTAX, line, "expected well-formed XML, found: %s",
		    c->any ? text_printable(c->reason, shown, sizeof(shown)) : "no document");
	else if (!all_consumed(ctxt))
		fault_set(fault, XML_FAULT_SYNTAX, 0, "expected well-formed XML, found a NUL character");
	else
		return doc;
	xml_document_free(doc);
	return NULL;
}

/*
 * What phones and editors write. The library would take all that iconv knows, UTF-7 among it, and what it writes in
 * some of them no XML parser can read.
 */
static bool
encoding_known(const char *encoding)
{
	static const char *const names[] = { "UTF-8", "UTF-16", "US-ASCII" };
	static const char *const families[] = { "ISO-8859-", "windows-125" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(encoding, names[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (strncasecmp(encoding, families[i], strlen(families[i])) == 0)
			return true;
	}
	return false;
}

/* The parser does not note what a byte order mark told it. */
static bool
note_encoding(xmlDocPtr doc, const void *data, size_t len)
{
	xmlCharEncoding found = len < 4 ? XML_CHAR_ENCODING_NONE : xmlDetectCharEncoding(data, 4);
	bool wide = found == XML_CHAR_ENCODING_UTF16LE || found == XML_CHAR_ENCODING_UTF16BE;

	return doc->encoding != NULL || !wide || (doc->encoding = xmlStrdup(XML("UTF-16"))) != NULL;
}

bool
xml_document_check_encoding(const xmlDoc *doc, struct xml_fault *fault)
{
	char shown[64];

	if (doc->encoding == NULL || encoding_known((const char *)doc->encoding))
		return true;
	fault_set(fault, XML_FAULT_ENCODING, 1,
	    "expected an encoding of UTF-8, UTF-16, US-ASCII, ISO-8859-x or windows-125x, found \"%s\"; save it as UTF-8",
	    text_printable((const char *)doc->encoding, shown, sizeof(shown)));
	return false;
}

bool
xml_document_check_root(const xmlDoc *doc, struct xml_fault *fault)
{
	const xmlNode *root = xmlDocGetRootElement(doc);
	const char *prefix = root->ns != NULL ? (const char *)root->ns->prefix : NULL;
	char found[128], shown[128];

	if (prefix == NULL && xmlStrEqual(root->name, XML("config")))
		return true;
	(void)snprintf(found, sizeof(found), "%s%s%s", prefix != NULL ? prefix : "", prefix != NULL ? ":" : "",
	    (const char *)root->name);
	fault_set(fault, XML_FAULT_ROOT, xmlGetLineNo(root), "expected <config> as the root element, found <%s>",
	    text_printable(found, shown, sizeof(shown)));
	return false;
}

/*
 * libxml2 compares each attribute of a tag with each other one: half a minute for a tag of a megabyte. Between '<' and
 * '>' stand tags and comments; the phones' own are short.
 */
static bool
tags_are_short(const unsigned char *data, size_t len)
{
	const unsigned char *end = data + len;

	while ((data = memchr(data, '<', (size_t)(end - data))) != NULL) {
		const unsigned char *close = memchr(data, '>', (size_t)(end - data));

		if ((size_t)((close != NULL ? close : end) - data) > TAG_MAX)
			return false;
		if (close == NULL)
			return true;
		data = close;
	}
	return true;
}

xmlDocPtr
xml_document_parse(const void *data, size_t len, struct xml_fault *fault)
{
	xmlStructuredErrorFunc former = xmlStructuredError;
	void *former_arg = xmlStructuredErrorContext;
	struct complaint c = { 0 };
	xmlParserCtxtPtr ctxt;
	xmlDocPtr doc = NULL;

	if (len == 0 || len > XML_MAX) {
		fault_set(fault, XML_FAULT_SIZE, 0, "expected XML of 1 to %d bytes, found %s", XML_MAX,
		    len == 0 ? "0" : "more");
		return NULL;
	}
	if (!tags_are_short(data, len)) {
		fault_set(fault, XML_FAULT_SIZE, 0,
		    "expected tags and comments of at most %d bytes, found a longer one", TAG_MAX);
		return NULL;
	}
	/* The thread's own handler: errors of decoding do not reach the one of the parser's context. */
	xmlSetStructuredErrorFunc(&c, on_error);
	ctxt = xmlNewParserCtxt();
	if (ctxt != NULL)
		doc = parse(ctxt, data, len, &c, fault);
	xmlSetStructuredErrorFunc(former_arg, former);
	if (ctxt == NULL || (doc != NULL && !note_encoding(doc, data, len))) {
		fault_set(fault, XML_FAULT_MEMORY, 0, "no memory is left to read it");
		xml_document_free(doc);
		doc = NULL;
	}
	xmlFreeParserCtxt(ctxt);
	return doc;
}

xmlDocPtr
xml_document_read(const void *data, size_t len, const char *name, struct err *e)
{
	struct xml_fault fault;
	xmlDocPtr doc = xml_document_parse(data, len, &fault);
	enum err_code code;

	if (doc != NULL && xml_document_check_root(doc, &fault) && xml_document_check_encoding(doc, &fault))
		return doc;
	xml_document_free(doc);
	code = fault.kind == XML_FAULT_MEMORY ? ERR_FAILED : ERR_INPUT;
	if (fault.line > 0)
		(void)err_set(e, code, "%s: line %u: %s", name, fault.line, fault.text);
	else
		(void)err_set(e, code, "%s: %s", name, fault.text);
	return NULL;
}

static int
on_write(void *arg, const char *data, int len)
{
	struct buf *out = arg;

	buf_add(out, data, (size_t)len);
	return out->broken ? -1 : len;
}

/*
 * libxml2 writes a declaration only together with an encoding's name, and escapes all but ASCII when there is none.
 * So a document that names none is written as the UTF-8 that it is, behind a declaration of the form that it had: -2
 * is a declaration without "standalone", -1 no declaration at all.
 */
static void
write_declaration(const xmlDoc *doc, struct buf *out)
{
	if (doc->standalone == -1)
		return;
	buf_addf(out, "<?xml version=\"%s\"", (const char *)doc->version);
	if (doc->standalone >= 0)
		buf_addf(out, " standalone=\"%s\"", doc->standalone == 1 ? "yes" : "no");
	buf_add_string(out, "?>\n");
}

int
xml_document_write(xmlDocPtr doc, struct buf *out, struct err *e)
{
	int options = XML_SAVE_AS_XML | XML_SAVE_NO_XHTML;
	xmlStructuredErrorFunc former = xmlStructuredError;
	void *former_arg = xmlStructuredErrorContext;
	struct buf bytes = BUF_INIT(XML_MAX);
	struct complaint c = { 0 };
	const char *encoding = (const char *)doc->encoding;
	xmlSaveCtxtPtr save;
	int rc = -1;

	xmlSetStructuredErrorFunc(&c, on_error);
	if (encoding == NULL) {
		write_declaration(doc, &bytes);
		encoding = "UTF-8";
		options |= XML_SAVE_NO_DECL;
	}
	save = xmlSaveToIO(on_write, NULL, &bytes, encoding, options);
	if (save == NULL || xmlSaveDoc(save, doc) < 0) {
		(void)err_set(e, ERR_FAILED, "phone's document: cannot be written as %s: %s", encoding, c.reason);
		goto out;
	}
	if (xmlSaveClose(save) < 0)
		bytes.broken = true;
	save = NULL;
	if (buf_check(&bytes, "phone's document", e) != 0)
		goto out;
	buf_add(out, bytes.data, bytes.len);
	rc = buf_check(out, "phone's document", e);
out:
	if (save != NULL)
		(void)xmlSaveClose(save);
	xmlSetStructuredErrorFunc(former_arg, former);
	buf_release(&bytes);
	return rc;
}

static void
cleanse_text(xmlNodePtr text, xmlDictPtr dict)
{
	for (; text != NULL; text = text->next) {
		if ((text->type == XML_TEXT_NODE || text->type == XML_CDATA_SECTION_NODE) && text->content != NULL &&
		    (dict == NULL || !xmlDictOwns(dict, text->content)))
			OPENSSL_cleanse(text->content, strlen((char *)text->content));
	}
}

/* The parser's depth limit bounds the recursion. */
static void
cleanse_element(xmlNodePtr node, xmlDictPtr dict)
{
	for (; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (xmlAttrPtr a = node->properties; a != NULL; a = a->next)
			cleanse_text(a->children, dict);
		cleanse_text(node->children, dict);
		cleanse_element(node->children, dict);
	}
}

void
xml_document_free(xmlDocPtr doc)
{
	if (doc == NULL)
		return;
	cleanse_element(doc->children, doc->dict);
	xmlFreeDoc(doc);
}
