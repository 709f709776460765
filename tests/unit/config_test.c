/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/config.h"
#include "dseries/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the installed OpenVPN says of a configuration: it prints the words of "echo msg ..." as it has read them. */
static void
openvpn_reads(const char *text, size_t len, struct buf *out)
{
	struct buf input = BUF_INIT(CONFIG_MAX);
	char *folder = support_folder(), *file = support_file(folder, "c.ovpn", text, len);

	support_shell(out, &input,
	    "{ PATH=$PATH:/usr/sbin; timeout -k 1 10 openvpn --config %s 2>&1 | sed 's/^[-0-9]* [0-9:]* //'; }", file);
	free(file);
	support_remove(folder);
	buf_release(&input);
}

/* The same words of ours, in the same form. */
static void
config_echoes(const struct config *c, struct buf *out)
{
	for (const struct config_line *at = NULL; (at = config_next(c, at, "echo")) != NULL;) {
		buf_add_string(out, "ECHO:");
		for (size_t i = 1; i < at->words; i++)
			buf_addf(out, "%s%s", i > 1 ? " " : "", at->word[i]);
		buf_add_string(out, "\n");
	}
}

static void
read_text(const char *text, struct config *ret)
{
	struct err e = ERR_INIT;

	assert_ok(config_read(text, strlen(text), ret, &e), e);
}

/* A word that we read and OpenVPN reads otherwise would make a check judge another configuration than the phone's. */
static void
test_words_are_openvpns(void **state)
{
	static const char text[] = "echo msg a \"b  c\" 'd  e' \\\"x x\\  y # c\n"
				   "echo msg \"a \\\"q\\\" \\\\ b\" '\\' \"\" z;z#z ; c\n"
				   "echo msg a b c d e f g h i j k l m n o p q r s t\n"
				   "  echo msg --indented\t\r\n"
				   "--echo msg\tdashed '\"' \"'\"\n"
				   "echo msg 1\\\t2 \\# not\n"
				   "echo msg x \\\n"
				   "echo msg \"#\" ';' it's\n"
				   "; echo msg comment\n"
				   "\n"
				   "# echo msg comment\n"
				   "echo msg the last without a line feed";
	struct buf theirs = BUF_INIT(CONFIG_MAX), ours = BUF_INIT(CONFIG_MAX);
	struct config c;
	char *end;

	(void)state;
	openvpn_reads(text, strlen(text), &theirs);
	end = strstr(buf_string(&theirs), "Options error: You must define");
	assert_non_null(end);
	*end = '\0';
	read_text(text, &c);
	config_echoes(&c, &ours);
	assert_string_equal(buf_string(&ours), buf_string(&theirs));
	config_release(&c);
	buf_release(&theirs);
	buf_release(&ours);
}

/* A line at which OpenVPN ends must not pass as one that says something. */
static void
test_faults_are_openvpns(void **state)
{
	static const struct {
		const char *line, *openvpn;
		enum config_fault fault;
	} cases[] = {
		{ "dev \"tun", "No closing quotation", CONFIG_QUOTE_OPEN },
		{ "dev 'tun", "No closing single quotation", CONFIG_QUOTE_OPEN },
		{ "dev t\\un", "Bad backslash", CONFIG_BACKSLASH },
		{ "dev \\tun", "Bad backslash", CONFIG_BACKSLASH },
		{ "dev \"\\'\"", "Bad backslash", CONFIG_BACKSLASH },
		{ "dev tun\\", "Residual parse state", CONFIG_BACKSLASH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf said = BUF_INIT(CONFIG_MAX);
		struct config c;

		openvpn_reads(cases[i].line, strlen(cases[i].line), &said);
		if (strstr(buf_string(&said), cases[i].openvpn) == NULL)
			fail_msg("%s: openvpn says %s", cases[i].line, buf_string(&said));
		read_text(cases[i].line, &c);
		assert_int_equal(c.count, 1);
		if (c.line[0].fault != cases[i].fault)
			fail_msg("%s: fault %d", cases[i].line, (int)c.line[0].fault);
		config_release(&c);
		buf_release(&said);
	}
}

/* A comment that is too long is a directive from its 256th byte on, to the phone's OpenVPN. */
static void
test_long_lines(void **state)
{
	struct buf text = BUF_INIT(CONFIG_MAX), said = BUF_INIT(CONFIG_MAX);
	struct err e = ERR_INIT;
	struct config c;

	(void)state;
	for (size_t total = CLIENT_LINE_MAX; total <= CLIENT_LINE_MAX + 1; total++) {
		buf_clear(&text);
		for (size_t i = 0; i < total; i++)
			buf_add_string(&text, "#");
		buf_add_string(&text, "\r\ndev tun\n");
		assert_ok(config_read(text.data, text.len, &c, &e), e);
		assert_int_equal(c.count, total > CLIENT_LINE_MAX ? 2 : 1);
		assert_int_equal(c.line[0].fault, total > CLIENT_LINE_MAX ? CONFIG_LONG : CONFIG_FINE);
		assert_string_equal(config_word(config_find(&c, "dev"), 1), "tun");
		config_release(&c);
	}
	openvpn_reads(buf_string(&text), text.len, &said);
	assert_non_null(strstr(buf_string(&said), "Maximum option line length"));
	buf_release(&said);
	buf_release(&text);
}

static void
assert_block(const struct config *c, const char *name, const char *content, unsigned int line, bool closed,
    bool indented)
{
	const struct config_line *at = config_find(c, name);

	assert_non_null(at);
	assert_non_null(at->content);
	assert_string_equal(at->content, content);
	assert_int_equal(at->content_len, strlen(content));
	assert_int_equal(at->content_line, line);
	assert_int_equal(at->closed, closed);
	assert_int_equal(at->close_indented, indented);
}

/* A certificate must come out of its block as it went in, and the directives behind it must be read. */
static void
test_blocks(void **state)
{
	struct config c;

	(void)state;
	read_text(
	    "client\n<ca>\na\r\n\n </cert>\n</ca> behind\r\n  <cert>\nb\n\t</cert>\n--<key>\nk\n</key>\ndev tun\n", &c);
	assert_block(&c, "ca", "a\r\n\n </cert>\n", 3, true, false);
	assert_block(&c, "cert", "b\n", 8, true, true);
	assert_block(&c, "key", "k\n", 11, true, false);
	assert_int_equal(config_find(&c, "ca")->longest, 8);
	assert_int_equal(config_find(&c, "dev")->number, 13);
	config_release(&c);
	read_text("<ca>\na\ndev tun", &c);
	assert_block(&c, "ca", "a\ndev tun", 2, false, false);
	assert_null(config_find(&c, "dev"));
	config_release(&c);
	/* With something behind it is a directive, which OpenVPN does not know. */
	read_text("<ca> x\n</ca>\n<>\n", &c);
	assert_int_equal(c.count, 3);
	assert_null(c.line[0].content);
	config_release(&c);
}

/* The last counts, or all of them: an admin who appends a line must not be judged by the first. */
static void
test_find(void **state)
{
	const struct config_line *at = NULL;
	struct config c;
	size_t count = 0;

	(void)state;
	read_text("cipher BF-CBC\nremote a\nremote b 443 tcp\ncipher AES-256-CBC\n", &c);
	assert_string_equal(config_word(config_find(&c, "cipher"), 1), "AES-256-CBC");
	assert_null(config_word(config_find(&c, "cipher"), 2));
	assert_null(config_word(config_find(&c, "auth"), 1));
	while ((at = config_next(&c, at, "remote")) != NULL)
		assert_string_equal(config_word(at, 1), count++ == 0 ? "a" : "b");
	assert_int_equal(count, 2);
	config_release(&c);
}

/* What a text editor or a broken download leaves behind is marked, not lost. */
static void
test_bytes(void **state)
{
	static const char nul[] = "client\ndev tun\0x\nverb 3\n";
	struct err e = ERR_INIT;
	struct config c;
	char *large;

	(void)state;
	read_text("\xef\xbb\xbf"
		  "client\n",
	    &c);
	assert_true(c.bom);
	assert_non_null(config_find(&c, "client"));
	config_release(&c);
	read_text("client\rdev tun\r", &c);
	assert_true(c.cr_only);
	config_release(&c);
	assert_ok(config_read(nul, sizeof(nul) - 1, &c, &e), e);
	assert_int_equal(c.nul, 2);
	assert_string_equal(config_word(config_find(&c, "dev"), 1), "tun");
	assert_string_equal(config_word(config_find(&c, "verb"), 1), "3");
	config_release(&c);
	read_text("", &c);
	assert_int_equal(c.count, 0);
	config_release(&c);
	large = calloc(CONFIG_MAX + 1, 1);
	assert_non_null(large);
	assert_fails(config_read(large, CONFIG_MAX + 1, &c, &e), e, ERR_INPUT, "expected at most 1048576 bytes");
	config_release(&c);
	free(large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_openvpns),
		cmocka_unit_test(test_faults_are_openvpns),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
