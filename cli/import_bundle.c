/* SPDX-License-Identifier: ISC */
#include "cli/import_bundle.h"

#include "ca/cert.h"
#include "ca/key.h"
#include "ca/pem.h"
#include "cli/import_rules.h"
#include "common/file.h"
#include "db/db.h"

#include <strings.h>

/* ---- what the file has ---- */

/* The content of an inline block. */
static const struct config_line *
block_find(const struct config *c, const char *name, struct err *e)
{
	const struct config_line *line = config_find(c, name);

	if (line != NULL && line->content != NULL && line->closed)
		return line;
	err_set(e, ERR_INPUT, "expected an inline block <%s> to </%s>, found %s", name, name,
	    line == NULL            ? "none"
	    : line->content == NULL ? "the name of a file"
				    : "no end of it");
	return NULL;
}

static int
certificate_read(struct import_bundle *b, struct err *e)
{
	const struct config_line *line = block_find(&b->config, "cert", e);
	STACK_OF(X509) *certs = line == NULL ? NULL : ca_pem_certs(line->content, line->content_len, "<cert>", e);

	/* The leaf comes first. */
	if (certs != NULL)
		b->cert = sk_X509_shift(certs);
	if (certs != NULL && b->cert == NULL)
		err_set(e, ERR_INPUT, "<cert>: expected a certificate in PEM, found none");
	sk_X509_pop_free(certs, X509_free);
	return b->cert == NULL ? -1 : ca_cert_encode(b->cert, &b->cert_der, e);
}

static int
key_read(struct import_bundle *b, struct err *e)
{
	const struct config_line *line = block_find(&b->config, "key", e);

	if (line == NULL)
		return -1;
	b->key = ca_pem_key(line->content, line->content_len, NULL, "<key>", e);
	if (b->key == NULL || ca_key_check(b->key, false, "<key> (all suites of the phone are RSA)", e) != 0 ||
	    ca_key_check_stored(b->key, "<key>", e) != 0)
		return -1;
	return ca_key_encode(b->key, &b->key_der, e);
}

int
import_bundle_read(const char *file, struct import_bundle *ret, struct err *e)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	int rc = -1;

	*ret = (struct import_bundle){
		.file = file,
		.cert_der = BUF_INIT(DB_DER_MAX),
		.key_der = BUF_INIT(DB_DER_MAX),
	};
	ret->found = file_read(file, &text, e) == 0;
	if (ret->found && config_read(text.data, text.len, &ret->config, e) == 0 && certificate_read(ret, e) == 0)
		rc = key_read(ret, e);
	buf_release(&text);
	return rc;
}

void
import_bundle_release(struct import_bundle *b)
{
	config_release(&b->config);
	X509_free(b->cert);
	EVP_PKEY_free(b->key);
	buf_release(&b->cert_der);
	buf_release(&b->key_der);
}

#define DEFAULTED_COUNT 2 /* the first of names[] below */

/* ---- what the present server may ask for, and the new bundle does not have ---- */

static void
words_join(const struct config_line *line, struct buf *out)
{
	if (line == NULL)
		buf_add_string(out, "nothing");
	else if (line->content != NULL)
		buf_addf(out, "<%s>", line->word[0]);
	for (size_t i = 0; line != NULL && line->content == NULL && i < line->words; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", line->word[i]);
}

void
import_bundle_differences(const struct import_bundle *b, const struct config *profile, const char *element,
    struct findings *findings)
{
	static const char *const names[] = { "remote", "proto", "cipher", "auth", "comp-lzo", "compress", "tls-auth",
		"tls-crypt", "auth-user-pass", "fragment" };
	const struct finding_place place = { .file = b->file, .element = element };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf old = BUF_INIT(CONFIG_MAX), new = BUF_INIT(CONFIG_MAX);

		/* These have a default, or stand in a <connection>. */
		if (i < DEFAULTED_COUNT && config_find(&b->config, names[i]) == NULL)
			continue;
		words_join(config_find(&b->config, names[i]), &old);
		words_join(config_find(profile, names[i]), &new);
		if (strcasecmp(buf_string(&old), buf_string(&new)) != 0)
			findings_add(findings, &import_rules[IMPORT_BUNDLE_DIFFERS], &place,
			    "%s: expected %s as the profile has it, found %s", names[i], buf_string(&new),
			    buf_string(&old));
		buf_release(&old);
		buf_release(&new);
	}
}
