/* SPDX-License-Identifier: ISC */
#include "phone/ovpn_block.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define CERTIFICATE "CERTIFICATE-----" /* also "X509 CERTIFICATE" and "TRUSTED CERTIFICATE" */
#define KEY "PRIVATE KEY-----"         /* also "RSA PRIVATE KEY" and "EC PRIVATE KEY" */

static bool
begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static bool
holds(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what)) != NULL;
}

/* Blanks before the first other character, as isspace() has them. */
static size_t
blanks(const struct ovpn_piece *piece)
{
	size_t n = 0;

	while (n < piece->len && (piece->text[n] == ' ' || (piece->text[n] >= '\t' && piece->text[n] <= '\r')))
		n++;
	return n;
}

int
ovpn_block_read(struct ovpn_source *src, const char *name, struct ovpn_block *ret, struct err *e)
{
	struct ovpn_block block = { .text = src->data + src->at, .line = src->line };
	char tag[CLIENT_LINE_MAX + 4];
	struct ovpn_piece piece;

	(void)snprintf(tag, sizeof(tag), "</%s>", name);
	while (ovpn_piece_next(src, &piece)) {
		size_t indent = blanks(&piece);

		/* Content to 2.3.2, and to later ones the end of the block: these would run what follows as directives. */
		if (indent > 0 && begins(piece.text + indent, piece.len - indent, tag))
			return err_set(e, ERR_INTEGRITY,
			    "<%s>: expected %s at the beginning of a line, found it behind other characters", name,
			    tag);
		if (!begins(piece.text, piece.len, tag)) {
			block.len = (size_t)(src->data + src->at - block.text);
			continue;
		}
		if (memchr(block.text, '\0', block.len) != NULL)
			return err_set(e, ERR_INTEGRITY,
			    "<%s>: expected text, found a NUL byte, behind which the line is lost", name);
		/* Its buffer has a NUL in it as well: of exactly so many bytes the last line feed is lost, no more. */
		block.whole = block.len;
		if (block.len > CLIENT_BLOCK_MAX)
			block.len = CLIENT_BLOCK_MAX - 1;
		*ret = block;
		return 0;
	}
	return err_set(e, ERR_INTEGRITY, "<%s>: expected %s at the beginning of a line, found %s", name, tag,
	    holds(block.text, block.len, tag) ? "it behind other characters" : "none");
}

struct pem {
	bool inside, other; /* other: in a block of another kind, which OpenSSL passes over */
	size_t count, others;
	const char *label; /* that ends the BEGIN line */
};

static int
pem_line(struct pem *p, struct ovpn_block *block, const char *text, size_t len, struct err *e)
{
	if (begins(text, len, BEGIN)) {
		if (p->inside)
			return err_set(e, ERR_INTEGRITY, "expected an END line, found another BEGIN");
		p->other = !holds(text, len, p->label);
		if (!p->other && holds(text, len, "ENCRYPTED"))
			return err_set(e, ERR_INTEGRITY,
			    "expected a key without a password, which the phone has no means "
			    "to enter, found an encrypted one");
		p->inside = true;
	} else if (begins(text, len, END)) {
		if (!p->inside)
			return err_set(e, ERR_INTEGRITY, "expected a BEGIN line, found an END line");
		p->inside = false;
		if (p->other)
			p->others++;
		else
			p->count++;
	} else if (p->inside && !p->other && begins(text, len, "Proc-Type:") && holds(text, len, "ENCRYPTED")) {
		return err_set(e, ERR_INTEGRITY,
		    "expected a key without a password, which the phone has no means to enter, "
		    "found an encrypted one");
	} else if (p->inside && len > 0 && (text[0] == ' ' || text[0] == '\t')) {
		return err_set(e, ERR_INTEGRITY, "expected PEM in column 0, found it indented");
	} else if (p->inside && len > CLIENT_PEM_COLUMNS) {
		block->long_pem = true;
	}
	return 0;
}

int
ovpn_block_check_pem(struct ovpn_block *block, bool key, struct err *e)
{
	struct pem p = { .label = key ? KEY : CERTIFICATE };
	const char *at = block->text, *end = block->text + block->len;

	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		size_t len = feed != NULL ? (size_t)(feed - at) : (size_t)(end - at);

		if (pem_line(&p, block, at, len > 0 && at[len - 1] == '\r' ? len - 1 : len, e) != 0)
			return -1;
		at = feed != NULL ? feed + 1 : end;
	}
	if (p.inside)
		return err_set(e, ERR_INTEGRITY, "expected an END line, found none");
	if (p.count == 0 && p.others > 0)
		return err_set(e, ERR_INTEGRITY, "expected PEM of a %s, found another kind",
		    key ? "private key" : "certificate");
	if (p.count == 0)
		return err_set(e, ERR_INTEGRITY, "expected PEM, found no BEGIN line in column 0");
	return 0;
}

#define STATIC_KEY_BYTES 256 /* struct key2 in crypto.h: two keys, and both are wanted, whatever the direction */

/* The line that begins so, and the next one in *behind; NULL: none. */
static const char *
line_find(const char *text, const char *end, const char *begin, const char **behind)
{
	while (text < end) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));

		*behind = feed != NULL ? feed + 1 : end;
		if (begins(text, (size_t)(end - text), begin))
			return text;
		text = *behind;
	}
	return NULL;
}

int
ovpn_block_check_static_key(const struct ovpn_block *block, struct err *e)
{
	const char *end = block->text + block->len, *at, *foot, *behind;
	size_t digits = 0;

	if (line_find(block->text, end, BEGIN "OpenVPN Static key V1-----", &at) == NULL)
		return err_set(e, ERR_INTEGRITY, "expected an OpenVPN static key, found no BEGIN line of one");
	foot = line_find(at, end, END "OpenVPN Static key V1-----", &behind);
	if (foot == NULL)
		return err_set(e, ERR_INTEGRITY, "expected an END line of an OpenVPN static key, found none");
	for (; at < foot && digits < 2 * (size_t)STATIC_KEY_BYTES; at++) {
		if (isxdigit((unsigned char)*at))
			digits++;
		else if (!isspace((unsigned char)*at))
			return err_set(e, ERR_INTEGRITY, "expected a static key in hex, found another character");
	}
	if (digits < 2 * (size_t)STATIC_KEY_BYTES)
		return err_set(e, ERR_INTEGRITY, "expected a static key of %d bytes, found %zu", STATIC_KEY_BYTES,
		    digits / 2);
	return 0;
}
