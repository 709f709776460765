/* SPDX-License-Identifier: ISC */
#include "provisioner/xml_read.h"

#include "common/text.h"
#include "dseries/setting.h"
#include "provisioner/xml_document.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
secret_free(char *s)
{
	if (s != NULL)
		OPENSSL_cleanse(s, strlen(s));
	free(s);
}

void
xml_said_release(struct xml_said *s)
{
	free(s->enable);
	free(s->logging);
	free(s->use);
	free(s->md5);
	secret_free(s->url);
	*s = (struct xml_said){ .enable = NULL };
}

/* An attribute's text, borrowed; NULL when it is absent. */
static const char *
text_of(const xmlAttr *a)
{
	return a->children == NULL || a->children->content == NULL ? "" : (const char *)a->children->content;
}

static const char *
attribute0(const xmlNode *node, const char *name)
{
	const xmlAttr *a = xmlHasNsProp(node, XML(name), NULL);

	return a == NULL ? NULL : text_of(a);
}

static bool
copy(const xmlNode *node, const char *name, char **ret)
{
	const char *value = attribute0(node, name);

	secret_free(*ret);
	*ret = value != NULL ? strdup(value) : NULL;
	return (value != NULL) == (*ret != NULL);
}

static bool
read_setting(const xmlNode *node, struct xml_said *ret)
{
	const char *id = attribute0(node, "id");

	if (id == NULL)
		return true;
	if (strcmp(id, SETTING_ENABLE) == 0)
		return copy(node, "value", &ret->enable);
	if (strcmp(id, SETTING_LOGGING) == 0)
		return copy(node, "value", &ret->logging);
	if (strcmp(id, SETTING_BUNDLE) == 0)
		return copy(node, "value", &ret->use) && copy(node, "url", &ret->url) && copy(node, "md5", &ret->md5);
	return true;
}

int
xml_read(const void *document, size_t len, const char *name, struct xml_said *ret, struct err *e)
{
	xmlDocPtr doc = xml_document_read(document, len, name, e);
	bool good = true;

	*ret = (struct xml_said){ .enable = NULL };
	if (doc == NULL)
		return -1;
	for (const xmlNode *n = xmlDocGetRootElement(doc)->children; n != NULL && good; n = n->next) {
		if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, "setting") == 0 &&
		    (n->ns == NULL || n->ns->prefix == NULL))
			good = read_setting(n, ret);
	}
	xml_document_free(doc);
	return good ? 0 : err_set(e, ERR_FAILED, "%s: no memory is left to read it", name);
}

/* ---- secrets ---- */

static bool
is_one_of(const char *s, const char *const *list)
{
	while (*list != NULL && strcasecmp(s, *list) != 0)
		list++;
	return *list != NULL;
}

/* "scheme://user:password@host"; a port is none, and a bare '/' may be in one. */
static bool
url_has_password(const char *s)
{
	const char *begin = strstr(s, "://"), *at, *colon;

	if (begin == NULL)
		return false;
	begin += strlen("://");
	at = strrchr(begin, '@');
	colon = strchr(begin, ':');
	if (at == NULL || colon == NULL || colon + 1 >= at)
		return false;
	return colon[1 + strspn(colon + 1, "0123456789")] != '/';
}

static bool
attribute_is_secret(const xmlNode *node, const xmlAttr *a)
{
	static const char *const names[] = { "password", "passcode", "pass", "secret", "pin", NULL };
	static const char *const ids[] = { SETTING_ADMIN_PASSWORD, "8021x_password", "8021x_client_key", NULL };
	const char *value = text_of(a), *id = attribute0(node, "id");

	if (value[0] == '\0')
		return false;
	if (is_one_of((const char *)a->name, names) || url_has_password(value))
		return true;
	return strcmp((const char *)a->name, "value") == 0 && id != NULL && is_one_of(id, ids);
}

/* The parser's depth limit bounds the recursion. */
static bool
find_below(const xmlNode *node, char where[XML_SECRET_SIZE])
{
	const char *id;

	for (; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (const xmlAttr *a = node->properties; a != NULL; a = a->next) {
			if (!attribute_is_secret(node, a))
				continue;
			id = attribute0(node, "id");
			(void)text_printable(id != NULL ? id : (const char *)node->name, where, XML_SECRET_SIZE);
			return true;
		}
		if (find_below(node->children, where))
			return true;
	}
	return false;
}

int
xml_find_secret(const void *document, size_t len, const char *name, char ret_where[XML_SECRET_SIZE], struct err *e)
{
	xmlDocPtr doc = xml_document_read(document, len, name, e);
	int found;

	if (doc == NULL)
		return -1;
	found = find_below(xmlDocGetRootElement(doc), ret_where) ? 1 : 0;
	xml_document_free(doc);
	return found;
}
