/* SPDX-License-Identifier: ISC */
#include "phone/settings.h"

#include "common/text.h"
#include "dseries/setting.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <openssl/crypto.h>
#include <string.h>

#define PIECE 4096
#define TAG_MAX 32768

/* The value of an attribute without a namespace, borrowed: NULL when absent. *ret_odd: it is not plain text. */
static const char *
attribute0(const xmlNode *node, const char *name, bool *ret_odd)
{
	const xmlAttr *a = xmlHasNsProp(node, (const xmlChar *)name, NULL);

	*ret_odd = false;
	if (a == NULL)
		return NULL;
	if (a->children == NULL)
		return "";
	/* More than one text node: an entity that nothing declares. */
	*ret_odd = a->children->type != XML_TEXT_NODE || a->children->next != NULL;
	return (const char *)a->children->content;
}

static void
read_switch(const xmlNode *node, struct setting_switch *ret)
{
	bool odd;
	const char *value = attribute0(node, "value", &odd);

	*ret = (struct setting_switch){ .state = SETTING_ABSENT };
	if (value == NULL)
		return;
	ret->state = !odd && (strcmp(value, "0") == 0 || strcmp(value, "1") == 0) ? SETTING_GOOD : SETTING_INVALID;
	ret->on = ret->state == SETTING_GOOD && value[0] == '1';
}

/* Text of at least one character that fits. An empty attribute counts as absent: it says nothing. */
static enum setting_state
read_text(const xmlNode *node, const char *name, char *out, size_t size)
{
	bool odd;
	const char *value = attribute0(node, name, &odd);

	out[0] = '\0';
	if (value == NULL || value[0] == '\0')
		return SETTING_ABSENT;
	if (odd || !text_is_clean(value, strlen(value)) || text_copy(out, size, value, name, NULL) != 0)
		return SETTING_INVALID;
	return SETTING_GOOD;
}

static void
read_enable(const xmlNode *node, struct settings *ret)
{
	read_switch(node, &ret->enable);
}

static void
read_logging(const xmlNode *node, struct settings *ret)
{
	read_switch(node, &ret->logging);
}

static void
read_bundle(const xmlNode *node, struct settings *ret)
{
	struct settings_bundle *b = &ret->bundle;

	b->present = true;
	read_switch(node, &b->use);
	b->url.state = read_text(node, "url", b->url.text, sizeof(b->url.text));
	b->md5.state = read_text(node, "md5", b->md5.text, sizeof(b->md5.text));
}

static void
read_admin(const xmlNode *node, struct settings *ret)
{
	ret->admin.state = read_text(node, "value", ret->admin.text, sizeof(ret->admin.text));
}

static void
read_config_url(const xmlNode *node, struct settings *ret)
{
	ret->config.state = read_text(node, "value", ret->config.text, sizeof(ret->config.text));
}

static bool
is_named(const xmlNode *node, const char *name)
{
	return strcmp((const char *)node->name, name) == 0 && (node->ns == NULL || node->ns->prefix == NULL);
}

/* The settings that count on this phone. A later one of the same id replaces an earlier one. */
static const struct {
	const char *id;
	void (*read)(const xmlNode *node, struct settings *ret);
} readers[] = {
	{ SETTING_ENABLE, read_enable },
	{ SETTING_BUNDLE, read_bundle },
	{ SETTING_LOGGING, read_logging },
	{ SETTING_ADMIN_PASSWORD, read_admin },
	{ SETTING_CONFIG_URL, read_config_url },
};

#define READER_COUNT (sizeof(readers) / sizeof(readers[0]))

/* Only children of <config> are the phone's: a <setting> inside of <locale> belongs to the locale. */
static void
read_root(const xmlNode *root, struct settings *ret)
{
	bool seen[READER_COUNT] = { false }, odd;

	for (const xmlNode *n = root->children; n != NULL; n = n->next) {
		const char *id;

		if (n->type != XML_ELEMENT_NODE || !is_named(n, "setting"))
			continue;
		id = attribute0(n, "id", &odd);
		/* What holds in one network only: which one this phone is in, nobody says. */
		if (id == NULL || odd || xmlHasProp(n, (const xmlChar *)"network_id") != NULL)
			continue;
		for (size_t i = 0; i < READER_COUNT; i++) {
			if (strcmp(id, readers[i].id) != 0)
				continue;
			readers[i].read(n, ret);
			if (seen[i])
				ret->repeated = readers[i].id;
			seen[i] = true;
		}
	}
}

/* libxml2 takes a NUL for the end, and what is behind it for nothing. UTF-16 is full of them from the start. */
static bool
has_nul(const unsigned char *xml, size_t len)
{
	bool utf16 = len >= 4 &&
	             (memcmp(xml, "\xfe\xff", 2) == 0 || memcmp(xml, "\xff\xfe", 2) == 0 || memchr(xml, 0, 4) != NULL);

	return !utf16 && memchr(xml, 0, len) != NULL;
}

/* Called where <!DOCTYPE begins, before anything in it is read. */
static void
doctype_found(void *context, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;

	(void)name;
	(void)external_id;
	(void)system_id;
	*(bool *)parser->_private = true;
	xmlStopParser(parser);
}

static int
parse_error(xmlParserCtxt *parser, struct err *e)
{
	const xmlError *why = xmlCtxtGetLastError(parser);
	char text[200];

	if (why == NULL || why->message == NULL)
		return err_set(e, ERR_INPUT, "XML: expected a well-formed document, found none");
	(void)text_printable(why->message, text, sizeof(text));
	/* libxml2 ends its messages with a line feed, now a '?'. */
	if (text[0] != '\0' && why->message[strlen(why->message) - 1] == '\n' && text[strlen(text) - 1] == '?')
		text[strlen(text) - 1] = '\0';
	return err_set(e, ERR_INPUT, "XML: line %d: expected a well-formed document, found: %s", why->line, text);
}

/*
 * Feed the parser piece by piece, so that it can be stopped: libxml2 compares each attribute of a tag with each other
 * one, which for a tag of a megabyte takes a minute. -1 when it was stopped for that.
 */
static int
parse(xmlParserCtxt *parser, const char *xml, size_t len)
{
	const bool *doctype = parser->_private;
	size_t take;

	for (size_t at = 0; at < len && !*doctype && parser->wellFormed; at += take) {
		take = len - at < PIECE ? len - at : PIECE;
		(void)xmlParseChunk(parser, xml + at, (int)take, 0);
		if (parser->input != NULL && parser->input->end - parser->input->cur > TAG_MAX)
			return -1;
	}
	(void)xmlParseChunk(parser, NULL, 0, 1);
	return 0;
}

static xmlParserCtxt *
parser_new(bool *doctype)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
	xmlParserCtxt *parser = xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, NULL);

	if (parser == NULL)
		return NULL;
	(void)xmlCtxtUseOptions(parser, options);
	parser->_private = doctype;
	parser->sax->internalSubset = doctype_found;
	return parser;
}

int
settings_read(const void *xml, size_t len, struct settings *ret, struct err *e)
{
	xmlParserCtxt *parser = NULL;
	const xmlNode *root;
	bool doctype = false;
	char shown[64];
	int rc = -1, stopped;

	if (len == 0)
		return err_set(e, ERR_INPUT, "XML: expected a <config> document, found nothing");
	if (len > SETTINGS_XML_MAX)
		return err_set(e, ERR_INPUT, "XML: expected at most %d bytes, found %zu", SETTINGS_XML_MAX, len);
	if (has_nul(xml, len))
		return err_set(e, ERR_INPUT, "XML: expected text, found a NUL byte");
	parser = parser_new(&doctype);
	if (parser == NULL)
		return err_set(e, ERR_FAILED, "XML: no memory");
	stopped = parse(parser, xml, len);
	root = parser->myDoc != NULL ? xmlDocGetRootElement(parser->myDoc) : NULL;
	if (doctype) {
		err_set(e, ERR_INPUT, "XML: expected no DOCTYPE (a phone's settings need none), found one");
	} else if (stopped != 0) {
		err_set(e, ERR_INPUT, "XML: expected tags and comments of at most %d bytes, found a longer one",
		    TAG_MAX);
	} else if (!parser->wellFormed || root == NULL) {
		parse_error(parser, e);
	} else if (!is_named(root, "config")) {
		err_set(e, ERR_INPUT, "XML: expected <config> as the root, found <%s>",
		    text_printable((const char *)root->name, shown, sizeof(shown)));
	} else {
		memset(ret, 0, sizeof(*ret));
		read_root(root, ret);
		rc = 0;
	}
	xmlFreeDoc(parser->myDoc);
	parser->myDoc = NULL;
	xmlFreeParserCtxt(parser);
	return rc;
}

void
settings_release(struct settings *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}

static int
check_switch(const struct setting_switch *s, const char *name, struct err *e)
{
	if (s->state == SETTING_INVALID)
		return err_set(e, ERR_INPUT, "%s: expected value=\"0\" or \"1\", found another one; it counts as 0",
		    name);
	return 0;
}

int
settings_check(const struct settings *s, struct err *e)
{
	if (check_switch(&s->enable, SETTING_ENABLE, e) != 0 || check_switch(&s->logging, SETTING_LOGGING, e) != 0)
		return -1;
	if (s->bundle.url.state == SETTING_INVALID)
		return err_set(e, ERR_INPUT, "%s: url: expected at most %d bytes of plain text, found other text",
		    SETTING_BUNDLE, SETTINGS_URL_SIZE - 1);
	if (s->bundle.md5.state == SETTING_INVALID)
		return err_set(e, ERR_INPUT, "%s: md5: expected at most %d bytes of plain text, found other text",
		    SETTING_BUNDLE, SETTINGS_MD5_SIZE - 1);
	if (s->config.state == SETTING_INVALID)
		return err_set(e, ERR_INPUT, "%s: expected at most %d bytes of plain text, found other text",
		    SETTING_CONFIG_URL, SETTINGS_URL_SIZE - 1);
	if (s->admin.state == SETTING_INVALID)
		return err_set(e, ERR_INPUT, "%s: expected at most %d bytes of plain text, found other text",
		    SETTING_ADMIN_PASSWORD, SETTINGS_PASSWORD_SIZE - 1);
	return 0;
}
