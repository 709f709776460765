/* SPDX-License-Identifier: ISC */
#include "provisioner/check_xml_internal.h"

#include "common/text.h"
#include "dseries/setting.h"
#include "provisioner/xml_document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MD5_LEN 32
#define HEX "0123456789ABCDEFabcdef"
#define ID_MAX 64      /* a longer id is no slip of one of ours */
#define SLIPS_MAX 2    /* letters wrong, missing or too many */
#define SEEN_MAX 8     /* settings of one id that are compared with each other */
#define NEEDED_COUNT 2 /* the first of them no phone connects without */
#define OURS_COUNT 3   /* the first of them are the VPN's */
#define KNOWN_COUNT 5

enum known {
	KNOWN_ENABLE,
	KNOWN_BUNDLE,
	KNOWN_LOGGING,
	KNOWN_ADMIN,
	KNOWN_SETTING_CONFIG_URL,
};

static const char *const ids[KNOWN_COUNT] = {
	[KNOWN_ENABLE] = SETTING_ENABLE,
	[KNOWN_BUNDLE] = SETTING_BUNDLE,
	[KNOWN_LOGGING] = SETTING_LOGGING,
	[KNOWN_ADMIN] = SETTING_ADMIN_PASSWORD,
	[KNOWN_SETTING_CONFIG_URL] = SETTING_CONFIG_URL,
};

/* What the walk over the document has come upon. */
struct walk {
	struct xml_check check;
	const xmlNode *seen[KNOWN_COUNT][SEEN_MAX];
	size_t count[KNOWN_COUNT];
	bool enabled;
	xmlURIPtr bundle_url, config_url; /* of the last that has one */
};

/* Where a finding is: a setting of the document; element is its id. */
static struct finding_place
place_of(const struct xml_check *c, const xmlNode *node, const char *element)
{
	long line = node == NULL ? 0 : xmlGetLineNo(node);

	return (struct finding_place){
		.file = c->file,
		.line = line > 0 ? (unsigned int)line : 0,
		.element = element,
	};
}

/* An attribute's text, borrowed; NULL when it is absent. Without a DOCTYPE it is one piece. */
static const char *
attribute0(const xmlNode *node, const char *name)
{
	const xmlAttr *a = xmlHasNsProp(node, XML(name), NULL);

	if (a == NULL)
		return NULL;
	return a->children == NULL || a->children->content == NULL ? "" : (const char *)a->children->content;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* ---- names ---- */

/* Letters to change, add or take away (Levenshtein); case, and '-' for '_', count as none. */
static size_t
slips(const char *a, const char *b)
{
	size_t row[ID_MAX + 1], len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t corner = row[0], c = (size_t)(a[i] == '-' ? '_' : tolower((unsigned char)a[i]));

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t change = corner + (c != (unsigned char)b[j]), best;

			corner = row[j + 1];
			best = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
			row[j + 1] = change < best ? change : best;
		}
	}
	return row[len];
}

/* The VPN setting that a name is a slip of, or NULL. */
static const char *
meant(const char *name)
{
	if (strlen(name) > ID_MAX)
		return NULL;
	for (size_t i = 0; i < OURS_COUNT; i++)
		if (slips(name, ids[i]) <= SLIPS_MAX)
			return ids[i];
	return NULL;
}

static void
check_other_id(const struct xml_check *c, const xmlNode *node, const char *id)
{
	const char *ours = meant(id);
	struct finding_place place = place_of(c, node, id);

	/* Of the log alone no phone loses its VPN. */
	if (ours != NULL)
		FOUND(c, strcmp(ours, SETTING_LOGGING) == 0 ? RULE_UNKNOWN : RULE_MISSPELT, &place,
		    "expected %s, found another id", ours);
	else if (strcasestr(id, "openvpn") != NULL)
		FOUND(c, RULE_UNKNOWN, &place, "expected one of the three settings, found another id");
}

/* The attributes that any setting has in public templates and the vendor's examples. */
static void
check_attributes(const struct xml_check *c, const xmlNode *node, const char *id)
{
	static const char *const known[] = { "id", "value", "url", "md5", "path", "network", "network_id", "type" };
	struct finding_place place = place_of(c, node, id);

	for (const xmlAttr *a = node->properties; a != NULL; a = a->next) {
		bool good = false;
		char shown[64];

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			good = good || (a->ns == NULL && strcmp((const char *)a->name, known[i]) == 0);
		if (!good)
			FOUND(c, RULE_ATTRIBUTE, &place, "expected url, value and md5, found %s",
			    text_printable((const char *)a->name, shown, sizeof(shown)));
	}
}

/* A setting may be there once for each network. */
static void
check_twice(struct walk *w, const xmlNode *node, enum known which)
{
	struct finding_place place = place_of(&w->check, node, ids[which]);
	size_t seen = w->count[which] < SEEN_MAX ? w->count[which] : SEEN_MAX;

	for (size_t i = 0; i < seen; i++) {
		const xmlNode *first = w->seen[which][i];

		if (same_text(attribute0(first, "network"), attribute0(node, "network")) &&
		    same_text(attribute0(first, "network_id"), attribute0(node, "network_id"))) {
			FOUND(&w->check, RULE_TWICE, &place, "expected once, found again; the first is in line %ld",
			    xmlGetLineNo(first));
			break;
		}
	}
	if (w->count[which] < SEEN_MAX)
		w->seen[which][w->count[which]] = node;
	w->count[which]++;
}

/* ---- the settings ---- */

/* True for "1". */
static bool
check_switch(const struct xml_check *c, const xmlNode *node, const char *id)
{
	const char *value = attribute0(node, "value");
	struct finding_place place = place_of(c, node, id);
	char shown[32];

	if (value == NULL)
		FOUND(c, RULE_SWITCH, &place, "expected value=\"0\" or \"1\", found no value");
	else if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		FOUND(c, RULE_SWITCH, &place, "expected value=\"0\" or \"1\", found \"%s\"",
		    text_printable(value, shown, sizeof(shown)));
	return value != NULL && strcmp(value, "1") == 0;
}

static void
check_md5(const struct xml_check *c, const struct finding_place *place, const char *md5)
{
	char shown[80];

	if (md5 == NULL || md5[0] == '\0')
		FOUND(c, RULE_MD5_MISSING, place, "expected the file's md5, found none");
	else if (strlen(md5) != MD5_LEN || strspn(md5, HEX) != MD5_LEN)
		FOUND(c, RULE_MD5_MALFORMED, place, "expected 32 lower-case hex digits, found \"%s\"",
		    text_printable(md5, shown, sizeof(shown)));
	else if (!text_is_hex(md5, MD5_LEN))
		FOUND(c, RULE_MD5_CASE, place, "expected 32 lower-case hex digits, found upper case in %s", md5);
}

static void
check_bundle(struct walk *w, const xmlNode *node)
{
	const struct xml_check *c = &w->check;
	const char *value = attribute0(node, "value"), *url = attribute0(node, "url");
	struct finding_place place = place_of(c, node, SETTING_BUNDLE);
	char shown[32];

	if (value == NULL || strcmp(value, "1") != 0)
		FOUND(c, RULE_INLINE_VALUE, &place, "expected value=\"1\", found %s%s%s",
		    value == NULL ? "no value" : "\"", value == NULL ? "" : text_printable(value, shown, sizeof(shown)),
		    value == NULL ? "" : "\"");
	check_md5(c, &place, attribute0(node, "md5"));
	check_url_free(w->bundle_url);
	w->bundle_url = NULL;
	if (url == NULL || url[0] == '\0')
		FOUND(c, RULE_URL_MISSING, &place, "expected the file's URL, found none");
	else
		w->bundle_url = check_url_bundle(c, &place, url);
}

static void
check_admin(const struct xml_check *c, const xmlNode *node)
{
	const char *value = attribute0(node, "value");
	struct finding_place place = place_of(c, node, SETTING_ADMIN_PASSWORD);

	if (value == NULL || value[0] == '\0' || strcmp(value, FACTORY_ADMIN_PASSWORD) == 0)
		FOUND(c, RULE_ADMIN_FACTORY, &place, "expected a password of your own, found %s",
		    value == NULL || value[0] == '\0' ? "none" : "the factory's");
	else if (strspn(value, "0123456789") != strlen(value))
		FOUND(c, RULE_ADMIN_DIGITS, &place, "expected digits, found other characters");
}

static void
check_config_url(struct walk *w, const xmlNode *node)
{
	const char *value = attribute0(node, "value");
	struct finding_place place = place_of(&w->check, node, SETTING_CONFIG_URL);

	check_url_free(w->config_url);
	w->config_url = value == NULL ? NULL : check_url_config(&w->check, &place, value);
}

static void
check_known(struct walk *w, const xmlNode *node, enum known which)
{
	check_twice(w, node, which);
	if (which < OURS_COUNT)
		check_attributes(&w->check, node, ids[which]);
	switch (which) {
	case KNOWN_ENABLE:
		w->enabled |= check_switch(&w->check, node, SETTING_ENABLE);
		break;
	case KNOWN_BUNDLE:
		check_bundle(w, node);
		break;
	case KNOWN_LOGGING:
		if (check_switch(&w->check, node, SETTING_LOGGING)) {
			struct finding_place place = place_of(&w->check, node, SETTING_LOGGING);

			FOUND(&w->check, RULE_LOGGING_ON, &place, "expected 0, found 1");
		}
		break;
	case KNOWN_ADMIN:
		check_admin(&w->check, node);
		break;
	case KNOWN_SETTING_CONFIG_URL:
		check_config_url(w, node);
		break;
	}
}

/* ---- the document ---- */

static bool
is_setting(const xmlNode *node)
{
	return strcmp((const char *)node->name, "setting") == 0 && (node->ns == NULL || node->ns->prefix == NULL);
}

/* A setting that the phone does not see: deeper down, with a prefix, as an element of its own or <Setting>. */
static void
check_misplaced(const struct xml_check *c, const xmlNode *node, bool top)
{
	const char *id = attribute0(node, "id"), *name = (const char *)node->name;
	struct finding_place place;

	for (size_t i = 0; i < NEEDED_COUNT; i++) {
		bool has_id = id != NULL && strcmp(id, ids[i]) == 0;

		place = place_of(c, node, ids[i]);
		if (has_id || strcmp(name, ids[i]) == 0)
			FOUND(c, RULE_MISPLACED, &place, "expected <setting id=\"%s\"> right under <config>, found %s",
			    ids[i],
			    !has_id                                ? "an element of that name"
			    : !top && strcmp(name, "setting") == 0 ? "it inside of another element"
								   : "an element of another name");
	}
}

/* The parser's depth limit bounds the recursion. */
static void
walk_below(const struct xml_check *c, const xmlNode *parent)
{
	for (const xmlNode *n = parent->children; n != NULL; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		check_misplaced(c, n, false);
		walk_below(c, n);
	}
}

static void
walk_setting(struct walk *w, const xmlNode *node)
{
	const char *id = attribute0(node, "id");

	for (size_t i = 0; id != NULL && i < KNOWN_COUNT; i++) {
		if (strcmp(id, ids[i]) == 0) {
			check_known(w, node, (enum known)i);
			return;
		}
	}
	if (id != NULL)
		check_other_id(&w->check, node, id);
}

static void
walk_root(struct walk *w, const xmlNode *root)
{
	for (const xmlNode *n = root->children; n != NULL; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (is_setting(n))
			walk_setting(w, n);
		else
			check_misplaced(&w->check, n, true);
		walk_below(&w->check, n);
	}
}

static void
check_phone(const struct xml_check *c)
{
	const struct finding_place place = { .file = c->file };
	const struct model *m = c->params->model;
	const struct firmware *f = c->params->firmware;
	struct err why = ERR_INIT;
	bool deprecated;

	if (m == NULL || model_check_openvpn(m, f, &why) == 0)
		return;
	deprecated = f != NULL && firmware_compare(f, &m->deprecated_from) >= 0 &&
	             firmware_compare(f, &m->deprecated_to) <= 0;
	FOUND(c,
	    !m->openvpn  ? RULE_MODEL
	    : deprecated ? RULE_FIRMWARE_DEPRECATED
			 : RULE_FIRMWARE_OLD,
	    &place, "%s", why.text);
}

/* What is wrong with no setting alone. */
static void
check_whole(const struct walk *w)
{
	const struct xml_check *c = &w->check;
	const struct finding_place place = { .file = c->file };
	const xmlURI *bundle = w->bundle_url, *config = w->config_url;

	if (w->count[KNOWN_ENABLE] == 0 && w->count[KNOWN_BUNDLE] == 0) {
		FOUND(c, RULE_VPN_ABSENT, &place, "expected " SETTING_ENABLE " and " SETTING_BUNDLE ", found neither");
		return;
	}
	if (w->enabled || w->count[KNOWN_BUNDLE] > 0)
		check_phone(c);
	if (w->count[KNOWN_ENABLE] == 0)
		FOUND(c, RULE_ENABLE_MISSING, &place, "expected " SETTING_ENABLE ", found none");
	else if (!w->enabled)
		FOUND(c, RULE_ENABLE_OFF, &place, "expected " SETTING_ENABLE " to be 1, found it is not");
	if (w->enabled && w->count[KNOWN_BUNDLE] == 0)
		FOUND(c, RULE_BUNDLE_MISSING, &place, "expected " SETTING_BUNDLE ", found none");
	if (w->count[KNOWN_ADMIN] == 0)
		FOUND(c, RULE_ADMIN_FACTORY, &place, "expected " SETTING_ADMIN_PASSWORD ", found none");
	if (bundle != NULL && config != NULL && strcasecmp(bundle->server, config->server) == 0 &&
	    !same_text(bundle->user, config->user))
		FOUND(c, RULE_CONFIG_LOGIN, &place,
		    "expected one login for %s, found two in " SETTING_CONFIG_URL " and " SETTING_BUNDLE,
		    bundle->server);
}

static void
found_fault(const struct xml_check *c, const struct xml_fault *fault)
{
	static const enum check_xml_rule rules[] = {
		[XML_FAULT_SIZE] = RULE_SIZE,
		[XML_FAULT_DOCTYPE] = RULE_DOCTYPE,
		[XML_FAULT_SYNTAX] = RULE_SYNTAX,
		[XML_FAULT_ROOT] = RULE_ROOT,
		[XML_FAULT_ENCODING] = RULE_ENCODING,
	};
	const struct finding_place place = { .file = c->file, .line = fault->line };

	FOUND(c, rules[fault->kind], &place, "%s", fault->text);
}

int
check_xml(const char *file, const void *text, size_t len, const struct check_xml_params *params, struct findings *out,
    struct err *e)
{
	struct walk w = { .check = { .file = file, .params = params, .out = out } };
	struct xml_fault fault;
	xmlDocPtr doc = xml_document_parse(text, len, &fault);

	if (doc == NULL && fault.kind == XML_FAULT_MEMORY)
		return err_set(e, ERR_FAILED, "%s: %s", file != NULL ? file : "XML", fault.text);
	if (doc == NULL || !xml_document_check_root(doc, &fault)) {
		found_fault(&w.check, &fault);
		goto out;
	}
	if (!xml_document_check_encoding(doc, &fault))
		found_fault(&w.check, &fault);
	walk_root(&w, xmlDocGetRootElement(doc));
	check_whole(&w);
out:
	check_url_free(w.bundle_url);
	check_url_free(w.config_url);
	xml_document_free(doc);
	return findings_check(out, e);
}
