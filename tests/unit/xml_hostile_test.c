/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "provisioner/xml.h"

#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xmlIO.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA "tests/data/xml"
#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define URL "https://000fd3054848:a%2Fb%26@pbx.example.com/ovpn/" MD5 "/000fd3054848.ovpn"

static const struct xml_vpn offer = { .mode = XML_VPN_OFFER, .url = URL, .md5 = MD5, .enable = true };

/* Whatever the library would open for a document, of any kind, is noted here. */
static unsigned int opened;

static int
on_match(const char *name)
{
	(void)name;
	opened++;
	return 0;
}

static int
on_read(void *context, char *buffer, int len)
{
	(void)context;
	(void)buffer;
	(void)len;
	return -1;
}

static void *
on_open(const char *name)
{
	(void)name;
	return NULL;
}

static int
on_close(void *context)
{
	(void)context;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	xmlInitParser();
	return xmlRegisterInputCallbacks(on_match, on_open, on_read, on_close) >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	xmlCleanupParser();
	return 0;
}

static void
data_read(const char *name, struct buf *out)
{
	struct err e = ERR_INIT;
	char path[512];

	(void)snprintf(path, sizeof(path), DATA "/%s", name);
	assert_ok(file_read(path, out, &e), e);
}

static void
assert_refused(const char *name, const char *part)
{
	struct buf before = BUF_INIT(XML_MAX), out = BUF_INIT(XML_MAX);
	struct err e = ERR_INIT;

	data_read(name, &before);
	assert_fails(xml_merge(before.data, before.len, name, &offer, &out, &e), e, ERR_INPUT, part);
	assert_int_equal(out.len, 0);
	buf_release(&before);
	buf_release(&out);
}

/* A document that is not one would reach a phone, take the server's memory, or read a file of the server's. */
static void
test_hostile(void **state)
{
	static const char *const cases[][2] = { { "not-xml.cfg", "line 1: expected well-formed XML" },
		{ "empty.cfg", "found 0" }, { "blank-only.cfg", "well-formed" },
		{ "html-error-page.cfg", "expected <config> as the root element, found <html>" },
		{ "root-is-not-config.cfg", "line 2: expected <config> as the root element, found <settings>" },
		{ "root-has-a-prefix.cfg", "found <x:config>" }, { "doctype-only.cfg", "line 2: expected no DOCTYPE" },
		{ "doctype-external-dtd.cfg", "expected no DOCTYPE" }, { "external-entity.cfg", "expected no DOCTYPE" },
		{ "parameter-entity.cfg", "expected no DOCTYPE" }, { "billion-laughs.cfg", "expected no DOCTYPE" },
		{ "quadratic-blowup.cfg", "expected no DOCTYPE" }, { "utf16-with-doctype.cfg", "expected no DOCTYPE" },
		{ "undeclared-entity.cfg", "line 3: expected well-formed XML, found: Entity 'nbsp' not defined" },
		{ "nested-300-deep.cfg", "Excessive depth" }, { "nul-inside.cfg", "well-formed" },
		{ "nul-and-more-behind-the-end.cfg", "NUL" }, { "utf16-nul-behind-the-end.cfg", "NUL" },
		{ "truncated.cfg", "line 3" }, { "end-tag-missing.cfg", "Premature end of data in tag config line 2" },
		{ "two-roots.cfg", "line 2: expected well-formed XML, found: Extra content" },
		{ "text-behind-the-root.cfg", "line 2" }, { "comment-not-closed.cfg", "Comment not terminated" },
		{ "blank-line-before-declaration.cfg",
		    "line 2: expected well-formed XML, found: XML declaration allowed only at the start" },
		{ "latin1-declared-as-utf8.cfg", "well-formed" }, { "unknown-encoding.cfg", "line 1" },
		{ "utf7.cfg", "found \"UTF-7\"; save it as UTF-8" }, { "control-character.cfg", "line 2" },
		{ "attribute-twice.cfg", "line 2" }, { "attribute-unquoted.cfg", "line 2" },
		{ "ampersand-unescaped.cfg", "line 2" }, { "utf16-truncated.cfg", "well-formed" },
		{ "tag-of-34-kilobytes.cfg", "expected tags and comments of at most 32768 bytes" } };
	struct stat st;
	int saved, quiet;

	(void)state;
	opened = 0;
	saved = dup(STDERR_FILENO);
	quiet = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	assert_true(saved >= 0 && quiet >= 0 && dup2(quiet, STDERR_FILENO) >= 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i][0], cases[i][1]);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	assert_int_equal(fstat(quiet, &st), 0);
	assert_int_equal(st.st_size, 0); /* the library did not print on its own */
	(void)close(quiet);
	(void)close(saved);
	assert_int_equal(opened, 0);
}

/* Something far too long would be read, or written, without an end. */
static void
test_size(void **state)
{
	struct buf document = BUF_INIT(XML_MAX + 100), out = BUF_INIT(XML_MAX + 100);
	struct err e = ERR_INIT;

	(void)state;
	buf_add_string(&document, "<config>");
	while (document.len < XML_MAX - strlen("</config>"))
		buf_add_string(&document, " ");
	buf_add_string(&document, "</config>");
	assert_int_equal(document.len, XML_MAX);
	assert_fails(xml_merge(document.data, document.len, "big", &offer, &out, &e), e, ERR_FAILED, "at most");
	assert_int_equal(out.len, 0);
	buf_add_string(&document, "\n");
	assert_fails(xml_merge(document.data, document.len, "big", &offer, &out, &e), e, ERR_INPUT,
	    "of 1 to 1048576 bytes, found more");
	buf_release(&document);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_size),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
