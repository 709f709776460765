/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "dseries/client.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define STATIC_KEY_BEGIN "-----BEGIN OpenVPN Static key V1-----"
#define STATIC_KEY_END "-----END OpenVPN Static key V1-----"
#define STATIC_KEY_DIGITS 512 /* 2048 bits: crypto.c, struct key2 */

/* A line of a block without its end. */
struct piece {
	const char *text;
	size_t len;
	unsigned int line;
};

/* The next of those between *at and end; p->line counts on. */
static bool
piece_next(const char **at, const char *end, struct piece *p)
{
	const char *feed;

	if (*at == end)
		return false;
	feed = memchr(*at, '\n', (size_t)(end - *at));
	p->text = *at;
	p->len = (size_t)((feed != NULL ? feed : end) - *at);
	*at = feed != NULL ? feed + 1 : end;
	if (p->len > 0 && p->text[p->len - 1] == '\r')
		p->len--;
	p->line++;
	return true;
}

static bool
piece_begins(const struct piece *p, const char *with)
{
	return p->len >= strlen(with) && memcmp(p->text, with, strlen(with)) == 0;
}

static bool
piece_holds(const struct piece *p, const char *what)
{
	return memmem(p->text, p->len, what, strlen(what)) != NULL;
}

/*
 * A buffer of 10,000 bytes with a NUL: 10,000 lose their last line feed only, which nothing misses; more, the last byte
 * and what is behind (buf_printf() in 2.3.2's buffer.c).
 */
size_t
ovpn_block_kept(const struct config_line *line)
{
	return line->content_len > CLIENT_BLOCK_MAX ? CLIENT_BLOCK_MAX - 1 : line->content_len;
}

struct pem {
	const struct ovpn_check *ck;
	const struct config_line *line;
	char element[CLIENT_LINE_MAX + 3];
	const char *label; /* the end of the BEGIN line of what belongs here */
	bool inside, ours, indented;
	unsigned int begin, long_line;
	size_t count, others;
};

/* RFC 1421 section 4.6: "Proc-Type: 4,ENCRYPTED" in the key itself; RFC 7468 section 11 has a label for it. */
static bool
says_encrypted(const struct pem *pem, const struct piece *p)
{
	return pem->inside && pem->ours && piece_holds(p, "ENCRYPTED") &&
	       (piece_begins(p, BEGIN) || piece_begins(p, "Proc-Type:"));
}

static bool
pem_fault(const struct pem *pem, enum ovpn_rule rule, unsigned int line, const char *text)
{
	ovpn_found(pem->ck, rule, line, pem->element, "%s", text);
	return false;
}

static bool
pem_begin(struct pem *pem, const struct piece *p)
{
	if (pem->inside)
		return pem_fault(pem, OVPN_PEM_BROKEN, p->line,
		    "expected an END line before the next BEGIN, found none");
	pem->inside = true;
	pem->begin = p->line;
	pem->ours = piece_holds(p, pem->label);
	return true;
}

static bool
pem_end(struct pem *pem, const struct piece *p)
{
	if (!pem->inside)
		return pem_fault(pem, OVPN_PEM_BROKEN, p->line, "expected a BEGIN line, found an END line");
	pem->inside = false;
	pem->count += pem->ours;
	pem->others += !pem->ours;
	return true;
}

/* False at what OpenSSL cannot read. */
static bool
pem_line(struct pem *pem, const struct piece *p)
{
	if (piece_begins(p, BEGIN) && !pem_begin(pem, p))
		return false;
	if (says_encrypted(pem, p))
		return pem_fault(pem, OVPN_KEY_ENCRYPTED, p->line,
		    "expected a key without passphrase, found an encrypted one");
	if (piece_begins(p, END))
		return pem_end(pem, p);
	if (p->len > 0 && (p->text[0] == ' ' || p->text[0] == '\t')) {
		if (pem->inside)
			return pem_fault(pem, OVPN_PEM_INDENTED, p->line,
			    "expected PEM in column 0, found it indented");
		pem->indented = pem->indented || piece_holds(p, BEGIN);
	}
	if (pem->inside && p->len > CLIENT_PEM_COLUMNS && pem->long_line == 0)
		pem->long_line = p->line;
	return true;
}

static bool
pem_summary(const struct pem *pem, bool key)
{
	const char *what = key ? "a private key" : "a certificate";
	unsigned int line = pem->line->number;

	if (pem->inside)
		return pem_fault(pem, OVPN_PEM_BROKEN, pem->begin, "expected an END line, found none");
	if (pem->indented)
		return pem_fault(pem, OVPN_PEM_INDENTED, line, "expected PEM in column 0, found it indented");
	if (pem->count == 0) {
		ovpn_found(pem->ck, OVPN_PEM_NONE, line, pem->element, "expected PEM of %s, found %s", what,
		    pem->others > 0 ? "that of something else" : "none");
		return false;
	}
	if (pem->long_line > 0)
		ovpn_found(pem->ck, OVPN_PEM_LINE_LONG, pem->long_line, pem->element,
		    "expected at most %d characters in a line of base64, found %zu", CLIENT_PEM_COLUMNS,
		    pem->line->longest);
	return true;
}

bool
ovpn_pem_check(const struct ovpn_check *ck, const struct config_line *line, bool key)
{
	struct pem pem = { .ck = ck, .line = line, .label = key ? "PRIVATE KEY-----" : "CERTIFICATE-----" };
	const char *at = line->content, *end = at + ovpn_block_kept(line);
	struct piece p = { .line = line->content_line - 1 };

	(void)snprintf(pem.element, sizeof(pem.element), "<%s>", line->word[0]);
	while (piece_next(&at, end, &p))
		if (!pem_line(&pem, &p))
			return false;
	return pem_summary(&pem, key);
}

bool
ovpn_pem_is_whole(const struct config_line *line, bool key)
{
	const struct ovpn_check silent = { .out = NULL };

	return ovpn_pem_check(&silent, line, key);
}

void
ovpn_static_key_check(const struct ovpn_check *ck, const struct config_line *line)
{
	const char *at = line->content, *end = at + ovpn_block_kept(line);
	struct piece p = { .line = line->content_line - 1 };
	bool inside = false, done = false;
	size_t digits = 0;

	while (!done && piece_next(&at, end, &p)) {
		if (!inside) {
			inside = piece_begins(&p, STATIC_KEY_BEGIN);
			continue;
		}
		done = piece_begins(&p, STATIC_KEY_END);
		for (size_t i = 0; !done && i < p.len; i++)
			digits += isxdigit((unsigned char)p.text[i]) != 0;
	}
	if (!done || digits < STATIC_KEY_DIGITS)
		ovpn_found(ck, OVPN_TLS_AUTH_BROKEN, line->number, "<tls-auth>",
		    "expected %d hexadecimal digits between BEGIN and END of a static key, found %zu%s",
		    STATIC_KEY_DIGITS, digits, done || !inside ? "" : " and no END");
}
