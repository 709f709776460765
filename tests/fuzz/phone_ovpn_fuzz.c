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

/* What is taken must be taken again: the effective lines are what the real openvpn gets to read. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct ovpn o, again;

	if (ovpn_read(data, size, model_find("D65"), &o, &e) != 0)
		return 0;
	if (strlen(buf_string(&o.effective)) == o.effective.len)
		check_blocks(buf_string(&o.effective));
	if (o.effective.len <= OVPN_MAX) {
		if (ovpn_read(o.effective.data, o.effective.len, model_find("D65"), &again, &e) != 0)
			abort();
		if (again.effective.len != o.effective.len ||
		    memcmp(again.effective.data, o.effective.data, o.effective.len) != 0)
			abort();
		ovpn_release(&again);
	}
	check_certificate(&o);
	ovpn_release(&o);
	return 0;
}
