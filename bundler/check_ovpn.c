/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn.h"

#include "bundler/check_ovpn_internal.h"
#include "ca/facts.h"
#include "ca/pem.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what the files of "check ovpn" share ---- */

void
ovpn_found(const struct ovpn_check *ck, enum ovpn_rule rule, unsigned int line, const char *element, const char *fmt,
    ...)
{
	const struct finding_place place = {
		.file = ck->file,
		.line = line > 0 ? ck->base + line : 0,
		.element = element,
	};
	va_list ap;

	if (ck->out == NULL)
		return;
	va_start(ap, fmt);
	findings_addv(ck->out, &check_ovpn_rules[rule], &place, fmt, ap);
	va_end(ap);
}

bool
ovpn_is_directive_like(const char *word)
{
	size_t len = strlen(word);

	return len > 0 && len <= 32 && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

bool
ovpn_listed(const char *const *names, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], word) == 0)
			return true;
	return false;
}

const struct model *
ovpn_model(const struct ovpn_check *ck)
{
	const struct model *m = ck->params->model;

	/* Of a model without OpenVPN the rest is judged as if it had one. */
	return m != NULL && m->openvpn ? m : model_find("D65");
}

/* ---- a whole file: the blocks that a profile does not have, read and judged ---- */

/* The block that counts; NULL when there is none, or a line behind it names a file. */
static const struct config_line *
block_of(const struct config *c, const char *name)
{
	const struct config_line *last = config_find(c, name);

	return last != NULL && last->content != NULL && last->closed ? last : NULL;
}

/* The end of the file lies in a block: what is missing behind it is swallowed, and told by OVPN_BLOCK_OPEN. */
bool
ovpn_ends_in_block(const struct config *c)
{
	return c->count > 0 && c->line[c->count - 1].content != NULL && !c->line[c->count - 1].closed;
}

static void
presence_check(const struct ovpn_check *ck, const struct config *c)
{
	static const char *const names[][2] = { { "cert", "<cert>" }, { "key", "<key>" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (config_find(c, names[i][0]) == NULL && !ovpn_ends_in_block(c))
			ovpn_found(ck, OVPN_BLOCK_MISSING, 0, names[i][1], "expected in the file, found no such block");
}

/* The phone's own certificate alone, where one behind it cannot be read: 2.3.2 takes it, and drops the rest. */
static STACK_OF(X509) * first_cert(const struct ovpn_check *ck, const struct config_line *block)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	struct err why = ERR_INIT;
	X509 *cert = ca_pem_cert(block->content, ovpn_block_kept(block), "PEM", &why);

	if (cert == NULL) {
		ovpn_found(ck, OVPN_PEM_BROKEN, block->number, "<cert>", "%s", why.text);
	} else if (list != NULL && sk_X509_push(list, cert) > 0) {
		ovpn_found(ck, OVPN_CERT_REST, block->number, "<cert>",
		    "expected certificates, found that only the first can be read");
		return list;
	}
	X509_free(cert);
	sk_X509_free(list);
	return NULL;
}

static STACK_OF(X509) * certs_read(const struct ovpn_check *ck, const struct config_line *block)
{
	STACK_OF(X509) * list;
	struct err why = ERR_INIT;

	list = ca_pem_certs(block->content, ovpn_block_kept(block), "PEM", &why);
	if (list == NULL)
		return first_cert(ck, block);
	if (sk_X509_num(list) > 0)
		return list;
	sk_X509_free(list);
	ovpn_found(ck, OVPN_PEM_NONE, block->number, "<cert>", "expected PEM of a certificate, found none");
	return NULL;
}

/* Nothing of the key gets into a text. */
static EVP_PKEY *
key_read(const struct ovpn_check *ck, const struct config_line *block)
{
	struct err why = ERR_INIT;
	EVP_PKEY *key = ca_pem_key(block->content, ovpn_block_kept(block), NULL, "PEM", &why);

	if (key == NULL)
		ovpn_found(ck, why.code == ERR_DENIED ? OVPN_KEY_ENCRYPTED : OVPN_PEM_BROKEN, block->number, "<key>",
		    "%s", why.text);
	return key;
}

/* OpenVPN loads a key by its public half; whether it can sign shows only when a server asks. */
static void
key_try(const struct ovpn_check *ck, const struct check_identity *id)
{
	X509 *own = sk_X509_value(id->certs, 0);

	if (ca_cert_owns(own, id->key) && !ca_key_signs(id->key))
		ovpn_found(ck, OVPN_KEY_BROKEN, id->key_line, "<key>",
		    "expected a key that can sign, found its private half broken");
}

static void
identity_check(const struct ovpn_check *ck, const struct config *c)
{
	const struct config_line *ca = block_of(c, "ca"), *cert = block_of(c, "cert"), *key = block_of(c, "key");
	struct check_identity id = { .cas = NULL };

	/* A block whose form is wrong was told of when it was read. */
	if (cert != NULL && ovpn_pem_is_whole(cert, false))
		id.certs = certs_read(ck, cert);
	if (key != NULL && ovpn_pem_is_whole(key, true))
		id.key = key_read(ck, key);
	if (id.certs != NULL) {
		if (ca != NULL)
			id.cas = ca_pem_certs(ca->content, ovpn_block_kept(ca), "<ca>", NULL);
		id.cert_line = cert->number;
		id.key_line = key != NULL ? key->number : 0;
		check_ovpn_identity(ck->file, &id, ck->params, ck->out);
		if (id.key != NULL)
			key_try(ck, &id);
	}
	sk_X509_pop_free(id.cas, X509_free);
	sk_X509_pop_free(id.certs, X509_free);
	EVP_PKEY_free(id.key);
}

int
check_ovpn(const char *file, const void *text, size_t len, const struct check_ovpn_params *p, struct findings *out,
    struct err *e)
{
	const struct ovpn_check ck = { .file = file, .params = p, .out = out };
	struct config c = { .count = 0 };
	int rc = -1;

	if (len == 0 || len > CONFIG_MAX) {
		ovpn_found(&ck, OVPN_SIZE, 0, NULL, "expected 1 to %d bytes, found %s", CONFIG_MAX,
		    len == 0 ? "0" : "more");
		return findings_check(out, e);
	}
	if (config_read(text, len, &c, e) != 0)
		goto out;
	check_ovpn_profile(file, &c, p, out);
	if (!c.cr_only && !ovpn_says_nothing(&c)) {
		presence_check(&ck, &c);
		identity_check(&ck, &c);
	}
	rc = findings_check(out, e);
out:
	config_release(&c);
	return rc;
}

void
check_ovpn_mode(const char *file, mode_t mode, struct findings *out)
{
	const struct ovpn_check ck = { .file = file, .out = out };

	if ((mode & S_IROTH) != 0)
		ovpn_found(&ck, OVPN_READABLE, 0, NULL,
		    "expected a mode that lets others not read it (0640), found %04o", (unsigned int)(mode & 07777));
}
