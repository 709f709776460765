/* SPDX-License-Identifier: ISC */
#include "phone/certificate.h"
#include "phone/ovpn.h"

#include <openssl/err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1764000000 /* 2025-11-24T16:00:00Z */

/* Whatever stands there, it is told apart from what a phone can use, and nothing is left behind. */
static void
check_certificate(const struct ovpn *o)
{
	const struct certificate_pem pem = {
		.ca = o->ca.data,
		.ca_len = o->ca.len,
		.cert = o->cert.data,
		.cert_len = o->cert.len,
		.key = o->key.data,
		.key_len = o->key.len,
	};
	struct certificate_info info;
	struct err e = ERR_INIT;

	if (certificate_check(&pem, NOW, NULL, &info, &e) != 0 && e.code != ERR_INTEGRITY)
		abort();
	if (ERR_peek_error() != 0)
		abort();
}

/*
 * Later versions, which run these lines, pass over blanks before a closing tag: none may stand in a block there, or what
 * follows would be directives that nobody has looked at.
 */
static void
check_blocks(const char *text)
{
	char tag[CLIENT_LINE_MAX + 4] = "";

	for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
		size_t blanks = strspn(text, " \t\v\f\r");

		len = strcspn(text, "\n");
		if (tag[0] == '\0' && len > 2 && text[0] == '<' && text[len - 1] == '>')
			(void)snprintf(tag, sizeof(tag), "</%.*s", (int)len - 1, text + 1);
		else if (tag[0] != '\0' && strncmp(text, tag, strlen(tag)) == 0)
			tag[0] = '\0';
		else if (tag[0] != '\0' && strncmp(text + blanks, tag, strlen(tag)) == 0)
			abort();
	}
}

/* A line's end, of these bytes, without the 4 that is in it at that place from behind. */
static void
plain_end(struct buf *line, const char *ending, size_t four)
{
	size_t len = strlen(ending);

	if (line->len <= len || memcmp(line->data + line->len - len, ending, len) != 0)
		return;
	memmove(line->data + line->len - four, line->data + line->len - four + 1, four - 1);
	buf_cut(line, line->len - 1);
}

/* Protocols as 2.3.2 names them, which the effective lines call by the names that later versions have for the same. */
static void
plain_protocols(const char *text, struct buf *out)
{
	struct buf line = BUF_INIT(OVPN_MAX + 64);
	char tag[CLIENT_LINE_MAX + 4] = "";

	for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		buf_clear(&line);
		buf_add(&line, text, len);
		if (tag[0] != '\0' && strncmp(text, tag, strlen(tag)) == 0)
			tag[0] = '\0';
		else if (tag[0] == '\0' && len > 2 && text[0] == '<' && text[len - 1] == '>' &&
			 strncmp(text, "<connection>", len) != 0 && text[1] != '/')
			(void)snprintf(tag, sizeof(tag), "</%.*s", (int)len - 1, text + 1);
		if (tag[0] == '\0') {
			plain_end(&line, " udp4", 1);
			plain_end(&line, " tcp4-client", strlen("4-client"));
		}
		buf_add(out, line.data, line.len);
		buf_add(out, "\n", text[len] == '\n');
	}
	buf_release(&line);
}

/* What is taken must be taken again, with the same effective lines behind the one that every file is given. */
static void
check_again(const struct ovpn *o)
{
	static const char first[] = "proto udp4\n";
	const size_t len = sizeof(first) - 1;
	struct buf text = BUF_INIT(2 * OVPN_MAX);
	struct err e = ERR_INIT;
	struct ovpn again;

	plain_protocols(buf_string(&o->effective), &text);
	if (ovpn_read(text.data, text.len, model_find("D65"), &again, &e) != 0)
		abort();
	if (again.effective.len != o->effective.len + len || memcmp(again.effective.data, first, len) != 0 ||
	    memcmp(again.effective.data + len, o->effective.data, o->effective.len) != 0)
		abort();
	ovpn_release(&again);
	buf_release(&text);
}

/* The effective lines are what the real openvpn gets to read. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct ovpn o;

	if (ovpn_read(data, size, model_find("D65"), &o, &e) != 0)
		return 0;
	if (strlen(buf_string(&o.effective)) == o.effective.len)
		check_blocks(buf_string(&o.effective));
	if (strlen(buf_string(&o.effective)) == o.effective.len && o.effective.len <= OVPN_MAX)
		check_again(&o);
	check_certificate(&o);
	ovpn_release(&o);
	return 0;
}
