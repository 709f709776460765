/* SPDX-License-Identifier: ISC */
#include "provisioner/xml.h"

#include "common/text.h"
#include "dseries/setting.h"
#include "provisioner/xml_document.h"

#include <libxml/tree.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <string.h>

#define MD5_LEN 32
#define INDENT "\n  "

/* A name and its value; a list ends with a NULL name. */
struct attribute {
	const char *name, *value;
};

static bool
is_setting(const xmlNode *node)
{
	return node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, XML("setting")) &&
	       (node->ns == NULL || node->ns->prefix == NULL);
}

static bool
has_id(xmlNodePtr node, const char *id)
{
	xmlChar *found = xmlGetNoNsProp(node, XML("id"));
	bool same = xmlStrEqual(found, XML(id)) == 1;

	xmlFree(found);
	return same;
}

/* The next <setting id="..."> among node and the siblings behind it. */
static xmlNodePtr
setting_from(xmlNodePtr node, const char *id)
{
	while (node != NULL && !(is_setting(node) && has_id(node, id)))
		node = node->next;
	return node;
}

/* Remove all settings of that id from node on, each with the line break and the blanks before it. */
static void
settings_remove(xmlNodePtr node, const char *id)
{
	while ((node = setting_from(node, id)) != NULL) {
		xmlNodePtr gone = node, blank = node->prev;

		node = node->next;
		if (blank != NULL && blank->type == XML_TEXT_NODE && xmlIsBlankNode(blank)) {
			xmlUnlinkNode(blank);
			xmlFreeNode(blank);
		}
		xmlUnlinkNode(gone);
		xmlFreeNode(gone);
	}
}

/* The line break and the blanks that end a text node, or "" when it ends otherwise. */
static const char *
text_indent(const xmlNode *text)
{
	const char *s, *line;

	if (text == NULL || text->type != XML_TEXT_NODE || text->content == NULL)
		return "";
	s = (const char *)text->content;
	line = strrchr(s, '\n');
	return line != NULL && line[1 + strspn(line + 1, " \t")] == '\0' ? line : "";
}

/* How a line for a new setting begins: as those of its neighbours do. */
static const char *
new_indent(const xmlNode *root, const xmlNode *last)
{
	const xmlNode *child = last;

	if (child == NULL) {
		for (child = root->children; child != NULL && child->type != XML_ELEMENT_NODE; child = child->next)
			;
	}
	if (child != NULL)
		return text_indent(child->prev);
	return text_indent(root->last)[0] != '\0' ? INDENT : "";
}

/* Put a new element behind the last setting, or in front of all else when there is none. */
static int
setting_place(xmlNodePtr root, xmlNodePtr setting)
{
	xmlNodePtr last = NULL, indent = NULL;
	const char *blanks;

	for (xmlNodePtr child = root->children; child != NULL; child = child->next) {
		if (is_setting(child))
			last = child;
	}
	blanks = new_indent(root, last);
	if (blanks[0] != '\0' && (indent = xmlNewDocText(root->doc, XML(blanks))) == NULL)
		return -1;
	if (last != NULL)
		(void)xmlAddNextSibling(last, setting);
	else if (root->children != NULL)
		(void)xmlAddPrevSibling(root->children, setting);
	else
		(void)xmlAddChild(root, setting);
	if (indent != NULL)
		(void)xmlAddPrevSibling(setting, indent);
	return 0;
}

/* Make the document say so once: in the first setting of that id where there is one, in a new one otherwise. */
static int
setting_set(xmlNodePtr root, const char *id, const struct attribute *attributes)
{
	xmlNodePtr setting = setting_from(root->children, id);

	if (setting != NULL) {
		settings_remove(setting->next, id);
	} else {
		setting = xmlNewDocNode(root->doc, root->ns, XML("setting"), NULL);
		if (setting == NULL || xmlNewProp(setting, XML("id"), XML(id)) == NULL ||
		    setting_place(root, setting) != 0) {
			xmlFreeNode(setting);
			return -1;
		}
	}
	for (const struct attribute *a = attributes; a->name != NULL; a++) {
		if (xmlSetNsProp(setting, NULL, XML(a->name), XML(a->value)) == NULL)
			return -1;
	}
	return 0;
}

/* A setting that the document is to have. */
struct setting {
	const char *id;
	struct attribute attributes[4];
};

#define SETTINGS_MAX 4

/* All of them, in their order; how many. */
static size_t
settings_of(const struct xml_vpn *vpn, struct setting out[SETTINGS_MAX])
{
	bool offer = vpn->mode == XML_VPN_OFFER;
	size_t n = 0;

	if (vpn->config_url != NULL)
		out[n++] = (struct setting){ SETTING_CONFIG_URL, { { "value", vpn->config_url } } };
	if (vpn->mode == XML_VPN_UNTOUCHED)
		return n;
	out[n++] = (struct setting){ SETTING_ENABLE, { { "value", offer && vpn->enable ? "1" : "0" } } };
	if (!offer)
		return n;
	out[n++] = (struct setting){ SETTING_BUNDLE, { { "url", vpn->url }, { "value", "1" }, { "md5", vpn->md5 } } };
	out[n++] = (struct setting){ SETTING_LOGGING, { { "value", vpn->logging ? "1" : "0" } } };
	return n;
}

static int
settings_set(xmlNodePtr root, const struct xml_vpn *vpn)
{
	struct setting settings[SETTINGS_MAX] = { 0 };
	size_t count = settings_of(vpn, settings);

	/* One with a network_id would count in that network alone. */
	if (vpn->config_url != NULL)
		settings_remove(root->children, SETTING_CONFIG_URL);
	for (size_t i = 0; i < count; i++) {
		if (setting_set(root, settings[i].id, settings[i].attributes) != 0)
			return -1;
	}
	if (vpn->mode != XML_VPN_UNTOUCHED && vpn->mode != XML_VPN_OFFER)
		settings_remove(root->children, SETTING_BUNDLE);
	return 0;
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_FAILED, "phone's document: no memory is left to make it");
}

/* XML has no way to write a control character; libxml2 would write it all the same. */
static int
check_text(const char *s, const char *what, struct err *e)
{
	if (!text_is_clean(s, strlen(s)))
		return err_set(e, ERR_INPUT, "%s: expected UTF-8 text without control characters, found others", what);
	return 0;
}

static int
check_vpn(const struct xml_vpn *vpn, struct err *e)
{
	if (vpn->config_url != NULL && check_text(vpn->config_url, "configuration server's URL", e) != 0)
		return -1;
	if (vpn->mode != XML_VPN_OFFER)
		return 0;
	if (!text_is_hex(vpn->md5, MD5_LEN))
		return err_set(e, ERR_INPUT, "bundle's md5: expected 32 lower-case hex digits, found others");
	return check_text(vpn->url, "bundle's URL", e);
}

int
xml_merge(const void *document, size_t len, const char *name, const struct xml_vpn *vpn, struct buf *out, struct err *e)
{
	xmlDocPtr doc = NULL;
	int rc = -1;

	if (check_vpn(vpn, e) != 0)
		return -1;
	doc = xml_document_read(document, len, name, e);
	if (doc == NULL)
		return -1;
	if (vpn->mode == XML_VPN_UNTOUCHED && vpn->config_url == NULL) {
		buf_add(out, document, len);
		rc = buf_check(out, name, e);
		goto out;
	}
	if (settings_set(xmlDocGetRootElement(doc), vpn) != 0) {
		(void)no_memory(e);
		goto out;
	}
	if (xml_document_write(doc, out, e) != 0) {
		(void)err_prefix(e, "%s", name);
		goto out;
	}
	rc = 0;
out:
	xml_document_free(doc);
	return rc;
}

static int
check_account(const struct xml_account *a, struct err *e)
{
	if (check_text(a->extension, "account's extension", e) != 0 ||
	    check_text(a->server, "account's server", e) != 0 ||
	    check_text(a->transport, "account's transport", e) != 0)
		return -1;
	if (a->label != NULL && check_text(a->label, "account's label", e) != 0)
		return -1;
	return a->secret != NULL ? check_text(a->secret, "account's secret", e) : 0;
}

static bool
element_begin(xmlTextWriterPtr w, const char *name, const struct attribute *attributes)
{
	if (xmlTextWriterStartElement(w, XML(name)) < 0)
		return false;
	for (const struct attribute *a = attributes; a->name != NULL; a++) {
		if (a->value != NULL && xmlTextWriterWriteAttribute(w, XML(a->name), XML(a->value)) < 0)
			return false;
	}
	return true;
}

static bool
setting_write(xmlTextWriterPtr w, const struct setting *s)
{
	const struct attribute id[] = { { "id", s->id }, { NULL, NULL } };
	bool good = element_begin(w, "setting", id);

	for (const struct attribute *a = s->attributes; good && a->name != NULL; a++)
		good = xmlTextWriterWriteAttribute(w, XML(a->name), XML(a->value)) >= 0;
	return good && xmlTextWriterEndElement(w) >= 0;
}

/* The form that the public templates agree on; an account's order on the phone is its index. */
static bool
account_write(xmlTextWriterPtr w, const struct xml_account *a)
{
	const struct attribute none[] = { { NULL, NULL } };
	const struct attribute account[] = { { "index", "0" }, { "status", "1" }, { "register", "1" },
		{ "account_id", a->extension }, { "username", a->extension }, { "authname", a->extension },
		{ "password", a->secret }, { "line_label", a->label != NULL ? a->label : a->extension },
		{ NULL, NULL } };
	char port[16];
	const struct attribute host[] = { { "server", a->server }, { "port", port }, { "transport", a->transport },
		{ NULL, NULL } };

	(void)snprintf(port, sizeof(port), "%u", a->port);
	return element_begin(w, "accounts", none) && element_begin(w, "account", account) &&
	       element_begin(w, "host_primary", host) && xmlTextWriterEndElement(w) >= 0 &&
	       xmlTextWriterEndElement(w) >= 0 && xmlTextWriterEndElement(w) >= 0;
}

static bool
minimal_write(xmlTextWriterPtr w, const struct xml_vpn *vpn, const struct xml_account *account)
{
	const struct attribute none[] = { { NULL, NULL } };
	struct setting settings[SETTINGS_MAX] = { 0 };
	size_t count = settings_of(vpn, settings);
	bool good;

	good = xmlTextWriterSetIndent(w, 1) == 0 && xmlTextWriterSetIndentString(w, XML("  ")) == 0 &&
	       xmlTextWriterStartDocument(w, "1.0", "UTF-8", NULL) >= 0 && element_begin(w, "config", none);
	for (size_t i = 0; i < count && good; i++)
		good = setting_write(w, &settings[i]);
	if (good && account != NULL)
		good = account_write(w, account);
	return good && xmlTextWriterEndDocument(w) >= 0;
}

static int
on_write(void *arg, const char *data, int len)
{
	struct buf *out = arg;

	buf_add(out, data, (size_t)len);
	return out->broken ? -1 : len;
}

int
xml_minimal(const struct xml_vpn *vpn, const struct xml_account *account, struct buf *out, struct err *e)
{
	xmlOutputBufferPtr output;
	xmlTextWriterPtr writer;
	bool good;

	if (check_vpn(vpn, e) != 0 || (account != NULL && check_account(account, e) != 0))
		return -1;
	output = xmlOutputBufferCreateIO(on_write, NULL, out, NULL);
	writer = output != NULL ? xmlNewTextWriter(output) : NULL;
	if (writer == NULL) {
		(void)xmlOutputBufferClose(output);
		return no_memory(e);
	}
	good = minimal_write(writer, vpn, account);
	xmlFreeTextWriter(writer);
	if (buf_check(out, "phone's document", e) != 0)
		return -1;
	return good ? 0 : no_memory(e);
}

int
xml_generic(struct buf *out, struct err *e)
{
	const struct xml_vpn nothing = { .mode = XML_VPN_UNTOUCHED };

	return xml_minimal(&nothing, NULL, out, e);
}
