/* SPDX-License-Identifier: ISC */
#include "cli/import_server.h"

#include "ca/facts.h"
#include "ca/key.h"
#include "cli/import_pki_internal.h"
#include "common/text.h"

#include <string.h>

static bool
is_candidate(const struct pki_certificate *c, const char *name, time_t now)
{
	return c->server && c->line != 0 && c->der.len > 0 && pki_in_force(c, now) &&
	       (name == NULL || strcmp(c->name, name) == 0);
}

/* The newest that is older than before; of the same second, the later row counts as newer. */
static const struct pki_certificate *
candidate_next(const struct pki *pki, const char *name, const struct pki_certificate *before)
{
	const struct pki_certificate *best = NULL;
	time_t now = time(NULL);

	for (size_t i = 0; i < pki->count; i++) {
		const struct pki_certificate *c = pki->list[i];

		if (!is_candidate(c, name, now))
			continue;
		if (before != NULL && (c->not_before > before->not_before ||
					  (c->not_before == before->not_before && c->line >= before->line)))
			continue;
		if (best == NULL || c->not_before >= best->not_before)
			best = c;
	}
	return best;
}

/* Another name than that of first. */
static const struct pki_certificate *
other_name(const struct pki *pki, const struct pki_certificate *first)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < pki->count; i++) {
		if (is_candidate(pki->list[i], NULL, now) && strcmp(pki->list[i]->name, first->name) != 0)
			return pki->list[i];
	}
	return NULL;
}

static void
note_netscape(const struct pki *pki, const struct pki_certificate *c, X509 *cert)
{
	struct ca_cert_facts facts;

	ca_cert_facts(cert, &facts);
	if (!facts.netscape_server)
		pki_note(pki, IMPORT_SERVER_NETSCAPE, "index.txt", c->line, c->name,
		    "expected nsCertType server, found %s", facts.has_netscape ? "another" : "none");
}

/* 0 also when it cannot go on: then ret->chosen stays NULL. */
static int
candidate_try(const struct pki *pki, const struct pki_certificate *c, struct import_server *ret, struct err *e)
{
	struct identity *id = &ret->identity;
	struct err why = ERR_INIT;

	id->cert = ca_cert_decode(c->der.data, c->der.len, e);
	if (id->cert == NULL)
		return -1;
	id->key = pki_key(pki, c, id->cert, &why);
	if (id->key != NULL && ca_key_check(id->key, false, "key (all suites of the phone are RSA)", &why) == 0 &&
	    ca_cert_check_foreign(id->cert, id->key, pki->ca.cert, CA_KIND_SERVER, time(NULL), &why) == 0) {
		ret->chosen = c;
		note_netscape(pki, c, id->cert);
		return identity_fill(id, e);
	}
	pki_note(pki, IMPORT_SERVER_UNFIT, "index.txt", c->line, c->name, "%s", why.text);
	identity_release(id);
	*id = (struct identity)IDENTITY_INIT;
	return 0;
}

int
import_server_choose(const struct pki *pki, const char *name, struct import_server *ret, struct err *e)
{
	const struct pki_certificate *c = candidate_next(pki, name, NULL), *other;
	char shown[80];

	if (c == NULL && name != NULL)
		return err_set(e, ERR_NOT_FOUND,
		    "server %s: expected a certificate in force with that common name and extendedKeyUsage serverAuth, "
		    "found none in %s",
		    text_printable(name, shown, sizeof(shown)), pki->dir);
	other = c != NULL && name == NULL ? other_name(pki, c) : NULL;
	if (other != NULL) {
		pki_note(pki, IMPORT_SERVER_SEVERAL, "index.txt", other->line, NULL,
		    "expected one name, found %s and %s", c->name, other->name);
		return 0;
	}
	ret->name = c != NULL ? c->name : NULL;
	for (; c != NULL && ret->chosen == NULL; c = candidate_next(pki, name, c)) {
		if (candidate_try(pki, c, ret, e) != 0)
			return -1;
	}
	if (ret->chosen == NULL)
		pki_note(pki, IMPORT_SERVER_NONE, NULL, 0, ret->name,
		    "expected a server certificate in force with its key, found none");
	return 0;
}
