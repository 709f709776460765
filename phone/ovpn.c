/* SPDX-License-Identifier: ISC */
#include "phone/ovpn.h"

#include "common/text.h"
#include "dseries/cipher.h"
#include "dseries/client.h"
#include "phone/ovpn_block.h"
#include "phone/ovpn_line.h"
#include "phone/ovpn_rules.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

/* Directives that name a file, which the phone can have inside of the bundle only. */
static const char *const file_directives[] = { "ca", "cert", "key", "tls-auth", "dh", "extra-certs", "pkcs12" };

enum {
	FILE_CA,
	FILE_CERT,
	FILE_KEY,
	FILE_COUNT = sizeof(file_directives) / sizeof(file_directives[0]),
};

enum form {
	FORM_ABSENT,
	FORM_INLINE,
	FORM_NAMED,
};

struct reader {
	struct ovpn_source src;
	const struct model *model;
	struct ovpn *o;
	struct err *e;
	bool forward;            /* setenv FORWARD_COMPATIBLE 1: unknown directives are warnings */
	unsigned int connection; /* line of the <connection> being read, or 0 */
	unsigned int connection_remotes;
	bool client, tls_client, pull, dev, cipher;
	enum form form[FILE_COUNT];
};

/* Line in the whole file. */
static unsigned int
line_number(const struct reader *r)
{
	return r->connection + r->src.line;
}

__attribute__((format(printf, 2, 3))) static int
fatal(struct reader *r, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX - 64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(r->e, ERR_INTEGRITY, "line %u: %s", line_number(r), text);
}

__attribute__((format(printf, 3, 4))) static void
note(struct ovpn *o, unsigned int line, const char *fmt, ...)
{
	char *text = o->notes[o->note_count < OVPN_NOTES_MAX ? o->note_count : 0];
	int used = 0;
	va_list ap;

	if (o->note_count++ >= OVPN_NOTES_MAX)
		return;
	if (line > 0)
		used = snprintf(text, OVPN_NOTE_SIZE, "line %u: ", line);
	va_start(ap, fmt);
	(void)vsnprintf(text + used, OVPN_NOTE_SIZE - (size_t)used, fmt, ap);
	va_end(ap);
}

static void
keep(struct reader *r, const struct ovpn_piece *piece)
{
	buf_add(&r->o->effective, piece->text, piece->len);
	buf_add_string(&r->o->effective, "\n");
}

static int
check_proto(struct reader *r, const char *proto)
{
	if (ovpn_proto_is_known(proto) && strstr(proto, "server") == NULL)
		return 0;
	return fatal(r, "proto: expected udp, tcp or tcp-client, found \"%s\"", ovpn_shown(proto));
}

static int
take_remote(struct reader *r, const struct ovpn_words *w)
{
	unsigned long port;
	struct err why = ERR_INIT;

	if (w->count > 2 && text_number(w->word[2], 1, 65535, "remote: port", &port, &why) != 0)
		return fatal(r, "%s", why.text);
	if (w->count > 3 && check_proto(r, w->word[3]) != 0)
		return -1;
	if (r->connection != 0)
		r->connection_remotes++;
	r->o->remotes++;
	return 0;
}

static int
take_cipher(struct reader *r, const struct ovpn_words *w)
{
	enum cipher_support support;
	char shown[40];

	/* Without an argument it says the default. */
	if (w->count < 2)
		return 0;
	r->cipher = true;
	support = cipher_data_support(r->model, w->word[1]);
	if (strcmp(w->word[1], "none") == 0)
		note(r->o, line_number(r), "cipher none: what goes through the tunnel is not encrypted");
	else if (support != CIPHER_YES && r->model->ciphers_may_differ)
		note(r->o, line_number(r), "cipher: a %s may support other data-channel ciphers than the page lists",
		    r->model->name);
	else if (support != CIPHER_YES)
		return fatal(r,
		    "cipher: expected one of the data-channel ciphers of the vendor's page (AES-256-CBC), "
		    "found %s",
		    text_printable(w->word[1], shown, sizeof(shown)));
	return 0;
}

/* setenv opt was given a meaning in 2.3.3; before, it sets a variable called opt. *ret_keep: it does something here. */
static int
take_setenv(struct reader *r, const struct ovpn_words *w, bool *ret_keep)
{
	if (strcmp(w->word[1], "GENERIC_CONFIG") == 0)
		return fatal(r, "setenv GENERIC_CONFIG: expected a configuration for this client, found a generic one");
	if (strcmp(w->word[1], "FORWARD_COMPATIBLE") == 0 && w->count > 2 && strcmp(w->word[2], "1") == 0)
		r->forward = true;
	*ret_keep = strcmp(w->word[1], "opt") != 0;
	if (!*ret_keep)
		note(r->o, line_number(r), "setenv opt %s: ignored by OpenVPN " CLIENT_VERSION,
		    w->count > 2 ? ovpn_shown(w->word[2]) : "");
	return 0;
}

/* What a directive's arguments mean to this reader; most it only counts. */
static int
take_arguments(struct reader *r, const struct ovpn_words *w, bool *ret_keep)
{
	const char *name = w->word[0];

	if (strcmp(name, "client") == 0)
		r->client = true;
	else if (strcmp(name, "tls-client") == 0)
		r->tls_client = true;
	else if (strcmp(name, "pull") == 0)
		r->pull = true;
	else if (strcmp(name, "dev") == 0)
		r->dev = true;
	else if (strcmp(name, "remote") == 0)
		return take_remote(r, w);
	else if (strcmp(name, "cipher") == 0)
		return take_cipher(r, w);
	else if (strcmp(name, "setenv") == 0)
		return take_setenv(r, w, ret_keep);
	else if (strcmp(name, "proto") == 0) {
		r->o->tcp = r->connection == 0 ? strncmp(w->word[1], "tcp", 3) == 0 : r->o->tcp;
		return check_proto(r, w->word[1]);
	} else if (strcmp(name, "remote-cert-tls") == 0 || strcmp(name, "ns-cert-type") == 0) {
		if (strcmp(w->word[1], "server") != 0)
			return fatal(r, "%s: expected server, found \"%s\"", name, ovpn_shown(w->word[1]));
	} else if (strcmp(name, "key-direction") == 0) {
		if (strcmp(w->word[1], "0") != 0 && strcmp(w->word[1], "1") != 0)
			return fatal(r, "key-direction: expected 0 or 1, found \"%s\"", ovpn_shown(w->word[1]));
	} else if (strcmp(name, "mode") == 0) {
		if (strcmp(w->word[1], "p2p") != 0)
			return fatal(r, "mode: expected p2p, found \"%s\"", ovpn_shown(w->word[1]));
	} else if ((strcmp(name, "http-proxy") == 0 || strcmp(name, "socks-proxy") == 0) && w->count > 3) {
		return fatal(r, "%s: expected a host and a port, found a login, which the phone cannot enter", name);
	}
	for (size_t i = 0; i < FILE_COUNT; i++) {
		if (strcmp(name, file_directives[i]) == 0)
			r->form[i] = FORM_NAMED;
	}
	return 0;
}

/* 1 when the phone acts on the directive, 0 when it is left out, -1 when the phone's client ends. */
static int
check_effect(struct reader *r, const char *name)
{
	switch (ovpn_effect(name)) {
	case EFFECT_OWN:
		note(r->o, line_number(r), "%s: acts on the phone itself; refphone leaves it out", name);
		return 0;
	case EFFECT_FILE:
		return fatal(r, "%s: expected all in the one file that the phone fetches, found the name of another",
		    name);
	case EFFECT_NONE:
		break;
	}
	return 1;
}

static int
check_unknown(struct reader *r, const char *name, const char *what)
{
	if (!r->forward)
		return fatal(r,
		    "%s: %s; OpenVPN " CLIENT_VERSION " ends with \"Unrecognized option or missing parameter(s)\"",
		    ovpn_shown(name), what);
	note(r->o, line_number(r), "%s: unknown, and ignored because of setenv FORWARD_COMPATIBLE 1", ovpn_shown(name));
	return 0;
}

/* As check_effect(). */
static int
check_kind(struct reader *r, const struct client_directive *d, const struct ovpn_words *w)
{
	enum client_directive_kind kind = d != NULL ? d->kind : CLIENT_UNKNOWN;
	const char *name = w->word[0];

	switch (kind) {
	case CLIENT_UNKNOWN:
		return check_unknown(r, name, "expected a directive of OpenVPN, found an unknown one");
	case CLIENT_TOO_NEW:
		return check_unknown(r, name,
		    "expected a directive of OpenVPN " CLIENT_VERSION ", found a later version's");
	case CLIENT_NEEDS_PROMPT:
		return fatal(r,
		    "%s: expected no password to be entered, which the phone has no means for "
		    "(vendor's page, \"Important Notes\")",
		    name);
	case CLIENT_RUNS_PROGRAMS:
		return fatal(r, "%s: expected nothing that starts programs or loads code, found it; refphone runs none",
		    name);
	case CLIENT_TAKES_2_3:
		note(r->o, line_number(r), "%s: OpenVPN 2.3 takes it, 2.1 and 2.2 end at it", name);
		break;
	case CLIENT_TAKES:
		break;
	}
	if (w->count - 1 < d->min_arguments)
		return check_unknown(r, name, "expected more arguments, found too few");
	if (w->count - 1 > d->max_arguments)
		note(r->o, line_number(r), "%s: more arguments than it has; OpenVPN " CLIENT_VERSION " ignores them",
		    name);
	return check_effect(r, name);
}

static int
read_directive(struct reader *r, const struct ovpn_piece *piece, const struct ovpn_words *w)
{
	const struct client_directive *d = client_directive_find(w->word[0]);
	bool act = true;
	int rc;

	if (d != NULL && r->connection != 0 && !ovpn_is_connection_directive(d->name))
		return fatal(r, "%s: expected outside of <connection>, found inside", d->name);
	rc = check_kind(r, d, w);
	if (rc <= 0)
		return rc;
	if (take_arguments(r, w, &act) != 0)
		return -1;
	if (act)
		keep(r, piece);
	return 0;
}

static int read_lines(struct reader *r);

/* A <connection> is read by a reader of its own, for what stands before it counts only in part. */
static int
read_connection(struct reader *r, const struct ovpn_block *block)
{
	struct reader sub = {
		.src = { .data = block->text, .len = block->len },
		.model = r->model,
		.o = r->o,
		.e = r->e,
		.connection = block->line,
	};

	buf_add_string(&r->o->effective, "<connection>\n");
	if (read_lines(&sub) != 0)
		return -1;
	if (sub.connection_remotes == 0)
		return fatal(r, "<connection>: expected a remote in it, found none");
	buf_add_string(&r->o->effective, "</connection>\n");
	return 0;
}

static int
read_block(struct reader *r, const char *name)
{
	const struct client_directive *d = client_directive_find(name);
	struct ovpn_block block;
	struct err why = ERR_INIT;
	size_t i = 0;

	if (d == NULL || !d->may_be_inline || r->connection != 0 || ovpn_effect(name) != EFFECT_NONE ||
	    (d->kind != CLIENT_TAKES && d->kind != CLIENT_TAKES_2_3))
		return fatal(r, "<%s>: expected a block that OpenVPN " CLIENT_VERSION " takes here, found another",
		    ovpn_shown(name));
	if (ovpn_block_read(&r->src, name, &block, &why) != 0)
		return fatal(r, "%s", why.text);
	if (strcmp(name, "connection") == 0)
		return read_connection(r, &block);
	while (i < FILE_COUNT && strcmp(name, file_directives[i]) != 0)
		i++;
	if (i < FILE_COUNT && r->form[i] == FORM_INLINE)
		note(r->o, line_number(r), "<%s>: the second block of that name replaces the first", name);
	if (i < FILE_COUNT)
		r->form[i] = FORM_INLINE;
	if (i <= FILE_KEY && ovpn_block_check_pem(&block, i == FILE_KEY, &why) != 0)
		return fatal(r, "<%s>: %s", name, why.text);
	if (block.long_pem)
		note(r->o, line_number(r), "<%s>: base64 on lines longer than %d, which 2.2's OpenSSL cannot read",
		    name, CLIENT_PEM_COLUMNS);
	buf_addf(&r->o->effective, "<%s>\n", name);
	buf_add(&r->o->effective, block.text, block.len);
	buf_addf(&r->o->effective, "</%s>\n", name);
	return 0;
}

/* "<name>" alone on its line; the name goes to out. */
static bool
is_block(const struct ovpn_words *w, char out[CLIENT_LINE_MAX + 1])
{
	size_t len = strlen(w->word[0]);

	if (w->count != 1 || len < 2 || w->word[0][0] != '<' || w->word[0][len - 1] != '>')
		return false;
	memcpy(out, w->word[0] + 1, len - 2);
	out[len - 2] = '\0';
	return true;
}

static int
read_lines(struct reader *r)
{
	char block[CLIENT_LINE_MAX + 1];
	struct ovpn_piece piece;
	struct ovpn_words w;
	const char *why;
	int rc = 0;

	while (rc == 0 && ovpn_piece_next(&r->src, &piece)) {
		if (piece.cut) {
			rc = fatal(r,
			    "expected at most %d bytes in a line, found more; the rest would be read as another line",
			    CLIENT_LINE_MAX);
			break;
		}
		if (!ovpn_words_read(&piece, &w, &why)) {
			rc = fatal(r, "%s", why);
			break;
		}
		if (w.count == 0)
			continue;
		if (strncmp(w.word[0], "--", 2) == 0 && w.word[0][2] != '\0')
			w.word[0] += 2;
		rc = is_block(&w, block) ? read_block(r, block) : read_directive(r, &piece, &w);
	}
	OPENSSL_cleanse(&w, sizeof(w));
	OPENSSL_cleanse(block, sizeof(block));
	return rc;
}

static int
check_complete(struct reader *r)
{
	if (!r->client && !(r->tls_client && r->pull))
		return err_set(r->e, ERR_INTEGRITY, "expected the directive client, found none");
	if (!r->dev)
		return err_set(r->e, ERR_INTEGRITY, "expected the directive dev, found none");
	if (r->o->remotes == 0)
		return err_set(r->e, ERR_INTEGRITY, "expected a remote to connect to, found none");
	for (size_t i = 0; i < FILE_COUNT; i++) {
		if (r->form[i] == FORM_NAMED)
			return err_set(r->e, ERR_INTEGRITY,
			    "%s: expected a block <%s> in the file, found the name of "
			    "another file",
			    file_directives[i], file_directives[i]);
		if (i <= FILE_KEY && r->form[i] == FORM_ABSENT)
			return err_set(r->e, ERR_INTEGRITY, "<%s>: expected in the file, found no such block",
			    file_directives[i]);
	}
	if (!r->cipher)
		note(r->o, 0, "no cipher: the phone takes BF-CBC, which a server since OpenVPN 2.6 refuses by default");
	return 0;
}

int
ovpn_read(const void *data, size_t len, const struct model *m, struct ovpn *ret, struct err *e)
{
	struct ovpn o = { .effective = BUF_INIT(OVPN_MAX + 4096) };
	struct reader r = { .src = { .data = data, .len = len }, .model = m, .o = &o, .e = e };

	if (len == 0 || len > OVPN_MAX)
		return err_set(e, ERR_INTEGRITY, "OpenVPN configuration file: expected 1 to %d bytes, found %zu",
		    OVPN_MAX, len);
	if (len >= strlen(BOM) && memcmp(data, BOM, strlen(BOM)) == 0) {
		r.src.at = strlen(BOM);
		note(&o, 1, "a byte order mark: OpenVPN 2.3 takes it, 2.1 and 2.2 end at it");
	}
	if (read_lines(&r) != 0 || check_complete(&r) != 0 || buf_check(&o.effective, "effective lines", e) != 0) {
		ovpn_release(&o);
		return err_prefix(e, "OpenVPN configuration file");
	}
	*ret = o;
	return 0;
}

void
ovpn_release(struct ovpn *o)
{
	buf_release(&o->effective);
}
