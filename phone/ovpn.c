/* SPDX-License-Identifier: ISC */
#include "phone/ovpn.h"

#include "dseries/client.h"
#include "phone/ovpn_block.h"
#include "phone/ovpn_reader.h"
#include "phone/ovpn_rules.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

unsigned int
ovpn_file_number(const char *directive)
{
	unsigned int i = 0;

	while (i < FILE_COUNT && strcmp(directive, ovpn_file_name(i)) != 0)
		i++;
	return i;
}

const char *
ovpn_file_name(unsigned int number)
{
	static const char *const names[FILE_COUNT] = {
		[FILE_CA] = "ca",
		[FILE_CERT] = "cert",
		[FILE_KEY] = "key",
		[FILE_TLS_AUTH] = "tls-auth",
		[FILE_DH] = "dh",
		[FILE_EXTRA_CERTS] = "extra-certs",
		[FILE_PKCS12] = "pkcs12",
	};

	return names[number];
}

/* Line in the whole file. */
unsigned int
ovpn_reader_line(const struct ovpn_reader *r)
{
	return r->connection + r->src.line;
}

int
ovpn_fatal(struct ovpn_reader *r, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX - 64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(r->e, ERR_INTEGRITY, "line %u: %s", ovpn_reader_line(r), text);
}

void
ovpn_note(struct ovpn *o, unsigned int line, const char *fmt, ...)
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

static int read_lines(struct ovpn_reader *r);

/* A <connection> is read by a reader of its own, for what stands before it counts only in part. */
static int
read_connection(struct ovpn_reader *r, const struct ovpn_block *block)
{
	struct ovpn_entry entry = r->entries->global;
	struct ovpn_reader sub = {
		.src = { .data = block->text, .len = block->len },
		.model = r->model,
		.o = r->o,
		.e = r->e,
		.connection = block->line,
		.entries = r->entries,
		.entry = &entry,
	};

	entry.line = block->line;
	buf_add_string(&r->o->effective, "<connection>\n");
	if (read_lines(&sub) != 0)
		return -1;
	if (sub.connection_remotes == 0)
		return ovpn_fatal(r, "<connection>: expected a remote in it, found none");
	buf_add_string(&r->o->effective, "</connection>\n");
	if (!ovpn_entries_connection(r->entries, &entry))
		return ovpn_fatal(r, "<connection>: expected at most %d of them, found more", OVPN_ENTRIES_MAX);
	return 0;
}

/* The last one counts. */
static void
keep_pem(struct ovpn *o, unsigned int file, const struct ovpn_block *block)
{
	struct buf *pem = file == FILE_CA ? &o->ca : file == FILE_CERT ? &o->cert : &o->key;

	buf_clear(pem);
	buf_add(pem, block->text, block->len);
}

static int
read_block(struct ovpn_reader *r, const char *name)
{
	static const char cut[] = "; OpenVPN " CLIENT_VERSION " keeps the beginning of a long block and drops the rest";
	const struct client_directive *d = client_directive_find(name);
	struct ovpn_block block;
	struct err why = ERR_INIT;
	unsigned int i = ovpn_file_number(name);

	if (d == NULL || !d->may_be_inline || r->connection != 0 || ovpn_effect(name) != EFFECT_NONE ||
	    (d->kind != CLIENT_TAKES && d->kind != CLIENT_TAKES_2_3))
		return ovpn_fatal(r, "<%s>: expected a block that OpenVPN " CLIENT_VERSION " takes here, found another",
		    ovpn_shown(name));
	if (ovpn_block_read(&r->src, name, &block, &why) != 0)
		return ovpn_fatal(r, "%s", why.text);
	if (block.len < block.whole)
		ovpn_note(r->o, block.line,
		    "<%s>: %zu bytes, of which OpenVPN " CLIENT_VERSION " keeps %zu and drops the rest without a word",
		    name, block.whole, block.len);
	if (ovpn_is(name, "connection"))
		return read_connection(r, &block);
	if (i < FILE_COUNT && r->form[i] == FORM_INLINE)
		ovpn_note(r->o, ovpn_reader_line(r), "<%s>: the second block of that name replaces the first", name);
	if (i < FILE_COUNT)
		r->form[i] = FORM_INLINE;
	if (i <= FILE_KEY && ovpn_block_check_pem(&block, i == FILE_KEY, &why) != 0)
		return ovpn_fatal(r, "<%s>: %s%s", name, why.text, block.len < block.whole ? cut : "");
	if (i == FILE_TLS_AUTH && ovpn_block_check_static_key(&block, &why) != 0)
		return ovpn_fatal(r, "<%s>: %s%s", name, why.text, block.len < block.whole ? cut : "");
	if (block.long_pem)
		ovpn_note(r->o, ovpn_reader_line(r),
		    "<%s>: base64 on lines longer than %d, which 2.2's OpenSSL cannot read", name, CLIENT_PEM_COLUMNS);
	if (i <= FILE_KEY)
		keep_pem(r->o, i, &block);
	buf_addf(&r->o->effective, "<%s>\n", name);
	buf_add(&r->o->effective, block.text, block.len);
	/* The closing tag begins a line, also behind a cut in the middle of one. */
	buf_addf(&r->o->effective, "%s</%s>\n", block.len > 0 && block.text[block.len - 1] != '\n' ? "\n" : "", name);
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
read_lines(struct ovpn_reader *r)
{
	char block[CLIENT_LINE_MAX + 1];
	struct ovpn_piece piece;
	struct ovpn_words w;
	const char *why;
	int rc = 0;

	while (rc == 0 && ovpn_piece_next(&r->src, &piece)) {
		if (piece.cut) {
			rc = ovpn_fatal(r,
			    "expected at most %d bytes in a line, found more; the rest would be read as another line",
			    CLIENT_LINE_MAX);
			break;
		}
		if (!ovpn_words_read(&piece, &w, &why)) {
			rc = ovpn_fatal(r, "%s", why);
			break;
		}
		if (w.count == 0)
			continue;
		if (strncmp(w.word[0], "--", 2) == 0 && w.word[0][2] != '\0')
			w.word[0] += 2;
		rc = is_block(&w, block) ? read_block(r, block) : ovpn_directive_read(r, &piece, &w);
	}
	OPENSSL_cleanse(&w, sizeof(w));
	OPENSSL_cleanse(block, sizeof(block));
	return rc;
}

/* The subject is the name, or its common name begins with it: 2.6 has the second for a name that is no whole subject. */
static void
keep_tls_remote(struct ovpn_reader *r)
{
	const char *name = r->names.tls_remote_name;

	if (name[0] == '\0')
		return;
	if (!ovpn_name_is_plain(name)) {
		ovpn_note(r->o, 0,
		    "tls-remote: OpenVPN 2.6 has no such directive, and none for such a name: left out, the check of "
		    "the server's name is not made here");
		return;
	}
	buf_addf(&r->o->effective, "verify-x509-name %s name-prefix\n", name);
	ovpn_note(r->o, 0, "tls-remote: OpenVPN 2.6 has no such directive: run as verify-x509-name with name-prefix%s",
	    strchr(name, '_') != NULL ? ", where _ is _ and no other character" : "");
}

static int
check_complete(struct ovpn_reader *r)
{
	if (!r->client && !(r->tls_client && r->pull))
		return err_set(r->e, ERR_INTEGRITY, "expected the directive client, found none");
	if (!r->dev)
		return err_set(r->e, ERR_INTEGRITY, "expected the directive dev, found none");
	if (r->o->remotes == 0)
		return err_set(r->e, ERR_INTEGRITY, "expected a remote to connect to, found none");
	for (unsigned int i = 0; i < FILE_COUNT; i++) {
		const char *name = ovpn_file_name(i);

		if (r->form[i] == FORM_NAMED)
			return err_set(r->e, ERR_INTEGRITY,
			    "%s: expected a block <%s> in the file, found the name of another file", name, name);
		if (i <= FILE_KEY && r->form[i] == FORM_ABSENT)
			return err_set(r->e, ERR_INTEGRITY, "<%s>: expected in the file, found no such block", name);
	}
	if (ovpn_whole_check(&r->whole, r->client, r->o->cipher, r->e) != 0 ||
	    ovpn_entries_check(r->entries, r->client, r->whole.random_host, r->e) != 0)
		return -1;
	keep_tls_remote(r);
	/* 2.3.2 compares TCP with TCP, 2.6 the very name. */
	if (r->entries->forced)
		buf_addf(&r->o->effective, "proto-force %s\n", r->entries->forced_tcp ? "tcp-client" : "udp");
	if (!r->cipher)
		ovpn_note(r->o, 0,
		    "no cipher: the phone takes BF-CBC, which a server since OpenVPN 2.6 refuses by default");
	return 0;
}

int
ovpn_read(const void *data, size_t len, const struct model *m, struct ovpn *ret, struct err *e)
{
	struct ovpn o = {
		.cipher = "BF-CBC",
		.ca = BUF_INIT(CLIENT_BLOCK_MAX),
		.cert = BUF_INIT(CLIENT_BLOCK_MAX),
		.key = BUF_INIT(CLIENT_BLOCK_MAX),
		.effective = BUF_INIT(OVPN_MAX + 4096),
	};
	struct ovpn_entries entries = { .remote_count = 0 };
	struct ovpn_reader r = {
		.src = { .data = data, .len = len },
		.model = m,
		.o = &o,
		.e = e,
		.entries = &entries,
		.entry = &entries.global,
		.whole = OVPN_WHOLE_INIT,
	};

	if (len == 0 || len > OVPN_MAX)
		return err_set(e, ERR_INTEGRITY, "OpenVPN configuration file: expected 1 to %d bytes, found %zu",
		    OVPN_MAX, len);
	if (len >= strlen(BOM) && memcmp(data, BOM, strlen(BOM)) == 0) {
		r.src.at = strlen(BOM);
		ovpn_note(&o, 1, "a byte order mark: OpenVPN 2.3 takes it, 2.1 and 2.2 end at it");
	}
	/* What it is where the file says nothing: see ovpn_modern_proto(). */
	buf_add_string(&o.effective, "proto udp4\n");
	if (read_lines(&r) != 0 || check_complete(&r) != 0 || buf_check(&o.effective, "effective lines", e) != 0 ||
	    buf_check(&o.ca, "<ca>", e) != 0 || buf_check(&o.cert, "<cert>", e) != 0 ||
	    buf_check(&o.key, "<key>", e) != 0) {
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
	buf_release(&o->ca);
	buf_release(&o->cert);
	buf_release(&o->key);
}
