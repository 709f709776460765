/* SPDX-License-Identifier: ISC */
#include "cli/import_pki.h"

#include "ca/facts.h"
#include "ca/key.h"
#include "ca/pem.h"
#include "cli/import_pki_internal.h"
#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDEX_FILE "index.txt"
#define CRL_FILE "crl.pem"

/* ---- the list ---- */

static int
compare_serials(const void *a, const void *b)
{
	const struct pki_certificate *x = a, *y = b;

	return memcmp(x->serial, y->serial, CA_SERIAL_SIZE);
}

struct pki_certificate *
pki_find(const struct pki *p, const unsigned char serial[CA_SERIAL_SIZE])
{
	struct pki_certificate key, **node;

	memcpy(key.serial, serial, CA_SERIAL_SIZE);
	node = tfind(&key, &p->by_serial, compare_serials);
	return node == NULL ? NULL : *node;
}

struct pki_certificate *
pki_add(struct pki *p, const unsigned char serial[CA_SERIAL_SIZE], struct err *e)
{
	struct pki_certificate *c = calloc(1, sizeof(*c));

	if (p->count == p->size) {
		size_t size = p->size == 0 ? 64 : p->size * 2;
		struct pki_certificate **list = reallocarray(p->list, size, sizeof(*list));

		if (list == NULL)
			goto fail;
		p->list = list;
		p->size = size;
	}
	if (c == NULL)
		goto fail;
	memcpy(c->serial, serial, CA_SERIAL_SIZE);
	c->der = (struct buf)BUF_INIT(DB_DER_MAX);
	if (tsearch(c, &p->by_serial, compare_serials) == NULL)
		goto fail;
	p->list[p->count++] = c;
	return c;
fail:
	free(c);
	err_set(e, ERR_FAILED, "%s: %zu certificates: no memory", p->dir, p->count);
	return NULL;
}

void
pki_note(const struct pki *p, enum import_rule rule, const char *file, unsigned long line, const char *element,
    const char *fmt, ...)
{
	char path[1024], text[512];
	struct finding_place place = { .line = (unsigned int)line, .element = element };
	va_list ap;

	if (file != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", p->dir, file);
		place.file = path;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(p->findings, &import_rules[rule], &place, "%s", text);
}

static int
file_take(const struct pki *p, const char *name, struct buf *out, struct err *e)
{
	char *path = file_path(p->dir, name, e);
	int rc = path == NULL ? -1 : file_read_plain(path, out, e);

	free(path);
	return rc;
}

/* ---- the CA ---- */

static int
key_take(struct pki *p, const char *passphrase, struct err *e)
{
	static const char name[] = "private/ca.key";
	struct buf text = BUF_INIT(PKI_FILE_MAX);
	struct err mine = ERR_INIT;
	char path[1024];
	int rc = -1;

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	if (file_take(p, name, &text, &mine) == 0)
		p->ca.key = ca_pem_key(text.data, text.len, passphrase, path, &mine);
	buf_release(&text);
	if (p->ca.key != NULL)
		rc = ca_key_check(p->ca.key, true, path, e) == 0 ? ca_key_check_stored(p->ca.key, path, e) : -1;
	else if (mine.code == ERR_NOT_FOUND)
		err_set(e, ERR_NOT_FOUND, "%s; without the CA's key nothing can be issued or revoked", mine.text);
	else if (mine.code == ERR_DENIED && passphrase == NULL)
		err_set(e, ERR_DENIED, "%s; give its passphrase with --passphrase-file", mine.text);
	else
		err_set(e, mine.code, "%s", mine.text);
	return rc;
}

/* ca.crt may have a chain in it: the key tells which one is meant. */
static int
certificate_take(struct pki *p, struct err *e)
{
	struct buf text = BUF_INIT(PKI_FILE_MAX);
	STACK_OF(X509) *certs = NULL;
	char path[1024];
	int rc = -1;

	(void)snprintf(path, sizeof(path), "%s/ca.crt", p->dir);
	if (file_take(p, "ca.crt", &text, e) != 0)
		goto out;
	certs = ca_pem_certs(text.data, text.len, path, e);
	if (certs == NULL)
		goto out;
	for (int i = 0; i < sk_X509_num(certs) && p->ca.cert == NULL; i++) {
		if (ca_cert_owns(sk_X509_value(certs, i), p->ca.key) && X509_up_ref(sk_X509_value(certs, i)) == 1)
			p->ca.cert = sk_X509_value(certs, i);
	}
	if (p->ca.cert == NULL)
		err_set(e, ERR_INTEGRITY, "%s: expected the certificate of private/ca.key, found %d of other keys",
		    path, sk_X509_num(certs));
	else
		rc = 0;
out:
	sk_X509_pop_free(certs, X509_free);
	buf_release(&text);
	return rc;
}

static int
ca_check(struct pki *p, struct err *e)
{
	struct ca_cert_facts facts;

	ca_cert_facts(p->ca.cert, &facts);
	if (strcmp(facts.subject, facts.issuer) != 0)
		return err_set(e, ERR_INTEGRITY,
		    "%s/ca.crt: expected a root that has signed itself, found one issued by \"%s\"; phones trust a root "
		    "only",
		    p->dir, facts.issuer);
	if (ca_cert_check_foreign(p->ca.cert, p->ca.key, NULL, CA_KIND_ROOT, time(NULL), e) != 0)
		return err_prefix(e, "%s/ca.crt", p->dir);
	(void)snprintf(p->ca_name, sizeof(p->ca_name), "%.*s", CA_NAME_MAX,
	    facts.common_name[0] != '\0' ? facts.common_name : facts.subject);
	p->issuer_serials += facts.authority_by_serial;
	if (facts.not_before > 0) {
		char shown[TEXT_TIME_SIZE];

		text_time(facts.not_before, shown);
		pki_note(p, IMPORT_CA_CLOCK, "ca.crt", 0, NULL, "expected a validity from 1970 on, found one from %s",
		    shown);
	}
	return identity_fill(&p->ca, e);
}

/* ---- index.txt and crl.pem ---- */

static int
row_take(struct pki *p, const struct easyrsa_row *row, struct err *e)
{
	struct pki_certificate *c;

	/* The second of a serial was noted as a problem. */
	if (pki_find(p, row->serial) != NULL)
		return 0;
	c = pki_add(p, row->serial, e);
	if (c == NULL)
		return -1;
	c->line = row->line;
	c->status = row->status;
	c->not_after = row->not_after;
	c->revoked = row->revoked;
	c->reason = row->reason;
	return text_copy(c->name, sizeof(c->name), row->common_name, INDEX_FILE, e);
}

static int
index_read(struct pki *p, struct err *e)
{
	struct buf text = BUF_INIT(EASYRSA_INDEX_MAX);
	struct easyrsa_index index = EASYRSA_INDEX_INIT;
	int rc = -1;

	if (file_take(p, INDEX_FILE, &text, e) != 0 || easyrsa_index_parse(text.data, text.len, &index, e) != 0)
		goto out;
	for (size_t i = 0; i < index.problem_count; i++)
		pki_note(p, IMPORT_ROW_BROKEN, INDEX_FILE, index.problems[i].line, NULL, "%s", index.problems[i].text);
	for (size_t i = 0; i < index.row_count; i++) {
		if (row_take(p, &index.rows[i], e) != 0)
			goto out;
	}
	rc = 0;
out:
	easyrsa_index_release(&index);
	buf_release(&text);
	return rc;
}

/* What the present server keeps out stays out, whatever the index says. */
static int
entry_take(struct pki *p, const struct ca_crl_entry *entry, struct err *e)
{
	struct pki_certificate *c = pki_find(p, entry->serial);
	char hex[2 * CA_SERIAL_SIZE + 1];
	bool known = c != NULL;

	if (!known)
		c = pki_add(p, entry->serial, e);
	if (c == NULL)
		return -1;
	c->listed = true;
	if (c->status == EASYRSA_REVOKED)
		return 0;
	c->status = EASYRSA_REVOKED;
	c->revoked = entry->revoked > 0 ? entry->revoked : 1;
	c->reason = entry->reason;
	text_hex_number(entry->serial, CA_SERIAL_SIZE, hex);
	pki_note(p, IMPORT_CRL_ALONE, CRL_FILE, 0, c->name[0] != '\0' ? c->name : NULL,
	    "serial %s: expected it as revoked in index.txt, found %s", hex, known ? "it not revoked" : "no row");
	return 0;
}

static int
entries_take(struct pki *p, X509_CRL *crl, struct err *e)
{
	struct ca_crl_entry *entries = NULL;
	size_t count = 0;
	int rc = 0;

	if (ca_crl_read(crl, &entries, &count, &p->crl_number, e) != 0)
		return err_prefix(e, "%s/" CRL_FILE, p->dir);
	p->has_crl = true;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = entry_take(p, &entries[i], e);
	free(entries);
	return rc;
}

static int
crl_read(struct pki *p, struct err *e)
{
	struct buf text = BUF_INIT(DB_CRL_MAX);
	STACK_OF(X509_CRL) *crls = NULL;
	struct err mine = ERR_INIT;
	int rc = 0;

	if (file_take(p, CRL_FILE, &text, &mine) != 0) {
		rc = mine.code == ERR_NOT_FOUND ? 0 : err_set(e, mine.code, "%s", mine.text);
		goto out;
	}
	crls = ca_pem_crls(text.data, text.len, CRL_FILE, &mine);
	if (crls == NULL || sk_X509_CRL_num(crls) == 0 || !ca_crl_signed_by(sk_X509_CRL_value(crls, 0), p->ca.cert))
		pki_note(p, IMPORT_CRL_UNUSABLE, CRL_FILE, 0, NULL, "%s",
		    crls == NULL ? mine.text : "expected a CRL that this CA has signed, found none");
	else
		rc = entries_take(p, sk_X509_CRL_value(crls, 0), e);
out:
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	buf_release(&text);
	return rc;
}

/* ---- what only shows when all is read ---- */

static void
certificate_judge(const struct pki *p, const struct pki_certificate *c, time_t now)
{
	const char *element = c->name[0] != '\0' ? c->name : NULL;
	char hex[2 * CA_SERIAL_SIZE + 1];

	text_hex_number(c->serial, CA_SERIAL_SIZE, hex);
	if (c->line == 0)
		return;
	if (c->der.len == 0)
		pki_note(p, IMPORT_FILE_MISSING, INDEX_FILE, c->line, element,
		    "serial %s: expected the certificate in issued or certs_by_serial, found none", hex);
	if (c->status == EASYRSA_REVOKED && p->has_crl && !c->listed)
		pki_note(p, IMPORT_CRL_LACKS, INDEX_FILE, c->line, element,
		    "serial %s: expected it in crl.pem, found it missing there", hex);
	if (c->status == EASYRSA_EXPIRED && c->not_after > now)
		pki_note(p, IMPORT_STATUS_DIFFERS, INDEX_FILE, c->line, element,
		    "serial %s: expected status V until its end, found E", hex);
}

static void
judge(const struct pki *p)
{
	size_t revoked = 0;
	time_t now = time(NULL);

	for (size_t i = 0; i < p->count; i++) {
		certificate_judge(p, p->list[i], now);
		revoked += p->list[i]->status == EASYRSA_REVOKED;
	}
	if (revoked > 0 && !p->has_crl)
		pki_note(p, IMPORT_CRL_MISSING, CRL_FILE, 0, NULL,
		    "expected a CRL with %zu certificate%s, found none that can be used", revoked,
		    revoked == 1 ? "" : "s");
	if (p->issuer_serials > 0)
		pki_note(p, IMPORT_CA_ISSUER_SERIAL, "ca.crt", 0, NULL,
		    "expected the key's id alone, found issuer and serial in %zu certificate%s", p->issuer_serials,
		    p->issuer_serials == 1 ? "" : "s");
}

/* Most people's first try is the folder above it, which easy-rsa is run in. */
static int
folder_check(const char *dir, struct err *e)
{
	struct err mine = ERR_INIT;
	char path[1024];

	if (file_check_dir(dir, &mine) != 0)
		return err_set(e, mine.code,
		    "%s; expected easy-rsa's folder of keys and certificates, mostly named pki", mine.text);
	(void)snprintf(path, sizeof(path), "%s/" INDEX_FILE, dir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND,
		    "%s: No such file or directory; expected easy-rsa's folder of keys and certificates, mostly named pki",
		    path);
	return 0;
}

int
pki_read(const char *dir, const char *passphrase, struct findings *findings, struct pki *ret, struct err *e)
{
	*ret = (struct pki)PKI_INIT;
	ret->dir = dir;
	ret->findings = findings;
	if (folder_check(dir, e) != 0 || key_take(ret, passphrase, e) != 0 || certificate_take(ret, e) != 0 ||
	    ca_check(ret, e) != 0 || index_read(ret, e) != 0 || pki_files_read(ret, e) != 0 || crl_read(ret, e) != 0)
		return -1;
	judge(ret);
	return 0;
}

bool
pki_in_force(const struct pki_certificate *c, time_t now)
{
	return c->status != EASYRSA_REVOKED && c->not_after > now;
}

static void
node_keep(void *node)
{
	(void)node;
}

void
pki_release(struct pki *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->list[i]->stem);
		buf_release(&p->list[i]->der);
		free(p->list[i]);
	}
	tdestroy(p->by_serial, node_keep);
	free(p->list);
	identity_release(&p->ca);
	*p = (struct pki)PKI_INIT;
}
