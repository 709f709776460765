/* SPDX-License-Identifier: ISC */
#include "ca/facts.h"
#include "ca/pem.h"
#include "cli/import_pki_internal.h"
#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where easy-rsa 3.0 to 3.2 keep certificates; those by name first. */
static const struct folder {
	const char *path, *suffix;
	bool by_name; /* "000fd3006501.crt"; else "9EE1B46D.pem" */
} folders[] = {
	{ "issued", ".crt", true },
	{ "renewed/issued", ".crt", true },
	{ "expired", ".crt", true },
	{ "certs_by_serial", ".pem", false },
	{ "revoked/certs_by_serial", ".crt", false },
	{ "renewed/certs_by_serial", ".crt", false },
};

/* A file's place and the certificate in it. */
struct found {
	const struct folder *folder;
	const char *file; /* below the pki */
	const char *stem;
	X509 *cert;
	struct ca_cert_facts facts;
	char hex[2 * CA_SERIAL_SIZE + 1];
};

/* ---- one certificate ---- */

/* Only letters that X509_NAME_oneline() does not change can be compared. */
static bool
is_plain(const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name < ' ' || *name > '~' || *name == '/' || *name == '\\')
			return false;
	}
	return true;
}

static void
compare_with_row(const struct pki *p, const struct pki_certificate *c, const struct found *f)
{
	char row[TEXT_TIME_SIZE], cert[TEXT_TIME_SIZE];

	if (c->line == 0)
		return;
	if (is_plain(f->facts.common_name) && strcmp(c->name, f->facts.common_name) != 0)
		pki_note(p, IMPORT_ROW_DIFFERS, "index.txt", c->line, f->facts.common_name,
		    "serial %s: expected the certificate's common name, found \"%s\"", f->hex, c->name);
	if (c->not_after == f->facts.not_after)
		return;
	text_time(c->not_after, row);
	text_time(f->facts.not_after, cert);
	pki_note(p, IMPORT_ROW_DIFFERS, "index.txt", c->line, f->facts.common_name,
	    "serial %s: expected the certificate's end %s, found %s", f->hex, cert, row);
}

static void
compare_with_file(const struct pki *p, const struct found *f)
{
	const char *zeros = f->stem;

	if (f->folder->by_name) {
		if (strcmp(f->stem, f->facts.common_name) != 0)
			pki_note(p, IMPORT_FILE_NAME, f->file, 0, f->facts.common_name,
			    "expected the common name %s, as the file's name says, found %s", f->stem,
			    f->facts.common_name[0] != '\0' ? f->facts.common_name : "none");
		return;
	}
	while (zeros[0] == '0' && strlen(zeros) > strlen(f->hex))
		zeros++;
	if (strcasecmp(zeros, f->hex) != 0)
		pki_note(p, IMPORT_FILE_NAME, f->file, 0, f->facts.common_name,
		    "expected the serial %s, as the file's name says, found %s", f->stem, f->hex);
}

static int
certificate_fill(struct pki *p, struct pki_certificate *c, const struct found *f, struct err *e)
{
	compare_with_row(p, c, f);
	if (ca_cert_validity(f->cert, &c->not_before, &c->not_after, e) != 0 ||
	    text_copy(c->name, sizeof(c->name), f->facts.common_name, "common name", e) != 0)
		return -1;
	c->server = f->facts.purpose_server;
	c->client = f->facts.purpose_client;
	p->issuer_serials += f->facts.authority_by_serial;
	if (f->folder->by_name) {
		c->stem = strdup(f->stem);
		if (c->stem == NULL)
			return err_set(e, ERR_FAILED, "%s: no memory", f->file);
	}
	return ca_cert_encode(f->cert, &c->der, e);
}

static int
certificate_place(struct pki *p, struct found *f, const unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	struct pki_certificate *c = pki_find(p, serial);
	struct buf der = BUF_INIT(DB_DER_MAX);
	int rc = 0;

	if (c == NULL) {
		c = pki_add(p, serial, e);
		if (c == NULL)
			return -1;
		c->status = f->facts.not_after > time(NULL) ? EASYRSA_VALID : EASYRSA_EXPIRED;
		pki_note(p, IMPORT_FILE_UNINDEXED, f->file, 0, f->facts.common_name,
		    "serial %s: expected a row of index.txt, found none", f->hex);
	}
	compare_with_file(p, f);
	if (c->der.len == 0)
		return certificate_fill(p, c, f, e);
	rc = ca_cert_encode(f->cert, &der, e);
	if (rc == 0 && (der.len != c->der.len || memcmp(der.data, c->der.data, der.len) != 0))
		pki_note(p, IMPORT_SERIAL_TWICE, f->file, 0, f->facts.common_name,
		    "serial %s: expected the certificate that another file has, found a different one", f->hex);
	buf_release(&der);
	return rc;
}

/* ---- one file ---- */

/* The first certificate of a file is the leaf; NULL, with why, when there is none. */
static X509 *
certificate_read(const struct pki *p, const char *file, struct err *why)
{
	struct buf text = BUF_INIT(PKI_FILE_MAX);
	char *path = file_path(p->dir, file, why);
	STACK_OF(X509) *certs = NULL;
	X509 *cert = NULL;

	if (path != NULL && file_read_plain(path, &text, why) == 0)
		certs = ca_pem_certs(text.data, text.len, file, why);
	if (certs != NULL && sk_X509_num(certs) == 0)
		err_set(why, ERR_INPUT, "expected a certificate in PEM, found none");
	else if (certs != NULL)
		cert = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	buf_release(&text);
	free(path);
	return cert;
}

static int
file_read_certificate(struct pki *p, const struct folder *folder, const char *file, const char *stem, struct err *e)
{
	struct found f = { .folder = folder, .file = file, .stem = stem };
	unsigned char serial[CA_SERIAL_SIZE];
	struct err why = ERR_INIT;
	int rc = 0;

	f.cert = certificate_read(p, file, &why);
	if (f.cert == NULL) {
		pki_note(p, IMPORT_FILE_UNREADABLE, file, 0, NULL, "%s", why.text);
		return 0;
	}
	ca_cert_facts(f.cert, &f.facts);
	if (!ca_cert_signed_by(f.cert, p->ca.cert)) {
		pki_note(p, IMPORT_FILE_FOREIGN, file, 0, f.facts.common_name,
		    "expected the signature of \"%s\", found one of \"%s\" that does not fit", p->ca_name,
		    f.facts.issuer);
	} else if (ca_cert_serial(f.cert, serial, &why) != 0) {
		pki_note(p, IMPORT_FILE_UNREADABLE, file, 0, f.facts.common_name, "%s", why.text);
	} else {
		text_hex_number(serial, CA_SERIAL_SIZE, f.hex);
		rc = certificate_place(p, &f, serial, e);
	}
	X509_free(f.cert);
	return rc != 0 ? err_prefix(e, "%s/%s", p->dir, file) : 0;
}

static int
entry_take(struct pki *p, const struct folder *folder, const char *name, struct err *e)
{
	size_t len = strlen(name), suffix = strlen(folder->suffix);
	char *file, *stem;
	int rc = -1;

	if (len <= suffix || strcmp(name + len - suffix, folder->suffix) != 0)
		return 0;
	file = text_format("%s/%s", folder->path, name);
	stem = strndup(name, len - suffix);
	if (file == NULL || stem == NULL)
		err_set(e, ERR_FAILED, "%s/%s: no memory", folder->path, name);
	else
		rc = file_read_certificate(p, folder, file, stem, e);
	free(file);
	free(stem);
	return rc;
}

/* In the order of names, so that a report is the same each time. */
static int
folder_read(struct pki *p, const struct folder *folder, struct err *e)
{
	char *path = file_path(p->dir, folder->path, e);
	struct dirent **entries = NULL;
	int count, rc = 0;

	if (path == NULL)
		return -1;
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0 && errno != ENOENT)
		rc = err_errno(e, ERR_FAILED, errno, "%s", path);
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = entry_take(p, folder, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	free(path);
	return rc;
}

int
pki_files_read(struct pki *p, struct err *e)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (folder_read(p, &folders[i], e) != 0)
			return -1;
	}
	return 0;
}

/* ---- keys ---- */

/* ERR_NOT_FOUND in why gives way to any other reason. */
static EVP_PKEY *
key_try(const struct pki *p, const char *before, const char *stem, const char *behind, const X509 *cert,
    struct err *why)
{
	char *path = text_format("%s/%s%s%s", p->dir, before, stem, behind);
	struct buf text = BUF_INIT(PKI_FILE_MAX);
	struct err mine = ERR_INIT;
	EVP_PKEY *key = NULL;

	if (path != NULL && file_read_plain(path, &text, &mine) == 0)
		key = ca_pem_key(text.data, text.len, NULL, path, &mine);
	if (key != NULL && !ca_cert_owns(cert, key)) {
		err_set(&mine, ERR_INTEGRITY, "%s: expected the certificate's key, found another", path);
		EVP_PKEY_free(key);
		key = NULL;
	}
	if (key == NULL && mine.code != ERR_NOT_FOUND && mine.code != ERR_NONE)
		*why = mine;
	buf_release(&text);
	free(path);
	return key;
}

EVP_PKEY *
pki_key(const struct pki *p, const struct pki_certificate *c, const X509 *cert, struct err *why)
{
	static const struct {
		const char *before, *behind;
	} places[] = {
		{ "private/", ".key" },
		{ "renewed/private/", ".key" },
		{ "inline/private/", ".inline" },
		{ "inline/", ".inline" },
		{ "", ".creds" },
	};
	const char *stems[] = { c->stem, c->stem != NULL && strcmp(c->stem, c->name) == 0 ? NULL : c->name };
	EVP_PKEY *key = NULL;

	err_set(why, ERR_NOT_FOUND, "expected private/%s.key, found no key of its own",
	    c->stem != NULL ? c->stem : c->name);
	for (size_t s = 0; s < 2; s++) {
		/* A common name may be anything, also a way to another folder. */
		if (stems[s] == NULL || stems[s][0] == '\0' || stems[s][0] == '.' || strchr(stems[s], '/') != NULL)
			continue;
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && key == NULL; i++)
			key = key_try(p, places[i].before, stems[s], places[i].behind, cert, why);
	}
	return key;
}
