/* SPDX-License-Identifier: ISC */
#include "cli/import_phones.h"

#include "ca/key.h"
#include "cli/import_pki_internal.h"
#include "cli/phone_report.h"
#include "common/progress.h"
#include "common/text.h"
#include "dseries/mac.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

static int
compare_macs(const void *a, const void *b)
{
	const struct import_phone *x = a, *y = b;

	return strcmp(x->draft.phone.mac, y->draft.phone.mac);
}

static int
compare_certificates(const void *a, const void *b)
{
	const struct import_phone *x = a, *y = b;

	return strcmp(x->certificate, y->certificate);
}

static struct import_phone *
phone_add(struct import_phones *phones, const struct phone_draft *draft, bool own, const char *certificate,
    struct err *e)
{
	struct import_phone *phone = calloc(1, sizeof(*phone));

	if (phones->count == phones->size) {
		size_t size = phones->size == 0 ? 64 : phones->size * 2;
		struct import_phone **list = reallocarray(phones->list, size, sizeof(*list));

		if (list == NULL)
			goto fail;
		phones->list = list;
		phones->size = size;
	}
	if (phone == NULL)
		goto fail;
	*phone = (struct import_phone){
		.draft = *draft,
		.own = own,
		.certificate = certificate,
		.key = BUF_INIT(DB_DER_MAX),
	};
	if (tsearch(phone, &phones->by_mac, compare_macs) == NULL ||
	    (certificate != NULL && tsearch(phone, &phones->by_certificate, compare_certificates) == NULL))
		goto fail;
	phones->list[phones->count++] = phone;
	return phone;
fail:
	free(phone);
	err_set(e, ERR_FAILED, "%zu phones: no memory", phones->count);
	return NULL;
}

int
import_phones_begin(struct import_phones *phones, const struct fleet *fleet, const char *model, struct err *e)
{
	phones->model = model;
	for (size_t i = 0; i < fleet->row_count; i++) {
		const struct fleet_row *row = &fleet->rows[i];

		if (phone_add(phones, &row->draft, false, row->certificate[0] != '\0' ? row->certificate : NULL, e) ==
		    NULL)
			return -1;
	}
	return 0;
}

/* ---- whose certificate ---- */

static struct import_phone *
find_mac(const struct import_phones *phones, const char *text)
{
	struct import_phone key = { .left_out = false }, **node;

	if (text == NULL || mac_parse(text, key.draft.phone.mac, NULL) != 0)
		return NULL;
	node = tfind(&key, &phones->by_mac, compare_macs);
	return node == NULL ? NULL : *node;
}

struct import_phone *
import_phone_of(const struct import_phones *phones, const struct pki_certificate *c)
{
	const struct import_phone key = { .certificate = c->name };
	struct import_phone **node, *phone;

	/* One that can be a server and no client is the server's. */
	if (c->taken || (c->server && !c->client))
		return NULL;
	node = tfind(&key, &phones->by_certificate, compare_certificates);
	if (node != NULL)
		return *node;
	phone = find_mac(phones, c->name);
	return phone != NULL ? phone : find_mac(phones, c->stem);
}

bool
import_phone_is_declared(const struct import_phone *phone, const struct pki_certificate *c)
{
	return strcmp(c->name, phone->draft.phone.mac) != 0;
}

/* A phone that nothing but its certificate's name tells of. */
static int
phone_from_name(struct import_phones *phones, const struct pki *pki, const struct pki_certificate *c,
    struct import_phone **ret, struct err *e)
{
	struct phone_draft draft = PHONE_DRAFT_INIT;
	char mac[MAC_SIZE];

	if (mac_parse(c->name, mac, NULL) != 0 && (c->stem == NULL || mac_parse(c->stem, mac, NULL) != 0))
		return 0;
	if (phones->model == NULL) {
		pki_note(pki, IMPORT_PHONE_UNKNOWN, "index.txt", c->line, c->name,
		    "%s: expected this phone in --fleet, or a --model, found neither", mac);
		return 0;
	}
	if (phone_field_put(&draft, FIELD_MAC, mac, e) == 0 &&
	    phone_field_put(&draft, FIELD_MODEL, phones->model, e) == 0 && phone_draft_finish(&draft, e) == 0)
		*ret = phone_add(phones, &draft, true, NULL, e);
	if (*ret == NULL)
		phone_draft_release(&draft);
	return *ret == NULL ? -1 : 0;
}

static int
certificate_assign(struct import_phones *phones, const struct pki *pki, struct pki_certificate *c, struct err *e)
{
	struct import_phone *phone = import_phone_of(phones, c);

	if (phone == NULL && !c->taken && !(c->server && !c->client) && phone_from_name(phones, pki, c, &phone, e) != 0)
		return -1;
	if (phone == NULL)
		return 0;
	phone->found = phone->found || (phone->certificate != NULL && strcmp(phone->certificate, c->name) == 0);
	if (phone->last != NULL)
		phone->last->next = c;
	else
		phone->first = c;
	phone->last = c;
	return 0;
}

/* ---- which of a phone's certificates ---- */

/* The key is at hand and all is well: the phone can go on with it. Else what is wrong is noted. */
static bool
certificate_try(const struct pki *pki, struct pki_certificate *c, struct buf *ret_key, struct err *e)
{
	X509 *cert = ca_cert_decode(c->der.data, c->der.len, e);
	struct err why = ERR_INIT;
	EVP_PKEY *key = NULL;
	bool good = false;

	if (cert == NULL)
		return false;
	key = pki_key(pki, c, cert, &why);
	if (key == NULL)
		pki_note(pki, why.code == ERR_NOT_FOUND ? IMPORT_KEY_MISSING : IMPORT_KEY_UNUSABLE, "index.txt",
		    c->line, c->name, "%s", why.text);
	else if (ca_key_check(key, false, "key (all suites of the phone are RSA)", &why) != 0 ||
		 ca_key_check_stored(key, "key", &why) != 0)
		pki_note(pki, IMPORT_KEY_UNUSABLE, "index.txt", c->line, c->name, "%s", why.text);
	else if (ca_cert_check_foreign(cert, key, pki->ca.cert, CA_KIND_PHONE, time(NULL), &why) != 0)
		pki_note(pki, IMPORT_PHONE_UNFIT, "index.txt", c->line, c->name, "%s", why.text);
	else
		good = ca_key_encode(key, ret_key, e) == 0;
	EVP_PKEY_free(key);
	X509_free(cert);
	return good;
}

static int
compare_age(const void *a, const void *b)
{
	const struct pki_certificate *const *x = a, *const *y = b;

	if ((*x)->not_before != (*y)->not_before)
		return (*x)->not_before > (*y)->not_before ? -1 : 1;
	return ((*x)->line < (*y)->line) - ((*x)->line > (*y)->line);
}

/* What can be tried, the newest first; *ret_alive counts also what has no bytes or no row. */
static struct pki_certificate **
candidates(const struct import_phone *phone, size_t *ret_count, size_t *ret_alive, struct err *e)
{
	struct pki_certificate **list;
	time_t now = time(NULL);
	size_t count = 0, alive = 0;

	for (const struct pki_certificate *c = phone->first; c != NULL; c = c->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (list == NULL) {
		err_set(e, ERR_FAILED, "%s: no memory", phone->draft.phone.mac);
		return NULL;
	}
	count = 0;
	for (struct pki_certificate *c = phone->first; c != NULL; c = c->next) {
		alive += pki_in_force(c, now);
		if (pki_in_force(c, now) && c->line != 0 && c->der.len > 0)
			list[count++] = c;
	}
	qsort(list, count, sizeof(*list), compare_age);
	*ret_count = count;
	*ret_alive = alive;
	return list;
}

/* A phone without a certificate in force. */
static void
phone_bare(const struct pki *pki, struct import_phone *phone)
{
	const char *mac = phone->draft.phone.mac;

	phone->left_out = phone->last != NULL && phone->last->status == EASYRSA_REVOKED;
	if (phone->left_out)
		pki_note(pki, IMPORT_PHONE_REVOKED, "index.txt", phone->last->line, mac,
		    "expected a certificate in force, found the last one revoked");
	else if (phone_stand(&phone->draft.phone, NULL) != STAND_TURNED_DOWN)
		pki_note(pki, IMPORT_PHONE_BARE, NULL, 0, mac, "expected a certificate in force, found none");
}

static void
note_others(const struct pki *pki, const struct import_phone *phone, size_t alive)
{
	struct buf others = BUF_INIT(1 << 20);
	char hex[2 * CA_SERIAL_SIZE + 1];
	time_t now = time(NULL);

	for (const struct pki_certificate *c = phone->first; c != NULL; c = c->next) {
		if (c == phone->chosen || !pki_in_force(c, now))
			continue;
		text_hex_number(c->serial, CA_SERIAL_SIZE, hex);
		buf_addf(&others, " %s", hex);
	}
	text_hex_number(phone->chosen->serial, CA_SERIAL_SIZE, hex);
	pki_note(pki, IMPORT_NAME_TWICE, "index.txt", phone->chosen->line, phone->draft.phone.mac,
	    "expected one certificate in force, found %zu; taken: serial %s; valid as well:%s", alive, hex,
	    buf_string(&others));
	buf_release(&others);
}

/* Try them in their order, which ends at the first that is good. */
static int
phone_try(const struct pki *pki, struct import_phone *phone, struct pki_certificate *const *list, size_t count,
    size_t alive, struct err *e)
{
	struct err mine = ERR_INIT;

	for (size_t i = 0; i < count && phone->chosen == NULL && mine.code == ERR_NONE; i++) {
		if (certificate_try(pki, list[i], &phone->key, &mine))
			phone->chosen = list[i];
	}
	if (mine.code != ERR_NONE)
		return err_set(e, mine.code, "%s: %s", phone->draft.phone.mac, mine.text);
	if (alive > 1 && phone->chosen != NULL)
		note_others(pki, phone, alive);
	return 0;
}

static int
phone_choose(const struct pki *pki, struct import_phone *phone, struct err *e)
{
	const char *mac = phone->draft.phone.mac;
	struct pki_certificate **list;
	size_t count = 0, alive = 0;
	struct err why = ERR_INIT;
	int rc = 0;

	if (phone->certificate != NULL && !phone->found)
		pki_note(pki, IMPORT_FLEET_NAME, NULL, 0, mac, "expected a certificate of the name %s, found none",
		    phone->certificate);
	list = candidates(phone, &count, &alive, e);
	if (list == NULL)
		return -1;
	if (alive == 0)
		phone_bare(pki, phone);
	else if (phone_stand(&phone->draft.phone, &why) == STAND_TURNED_DOWN)
		pki_note(pki, IMPORT_PHONE_MODEL, NULL, 0, mac, "%s", why.text);
	else
		rc = phone_try(pki, phone, list, count, alive, e);
	free(list);
	return rc;
}

int
import_phones_match(struct import_phones *phones, const struct pki *pki, bool quiet, struct err *e)
{
	struct progress progress;
	int rc = 0;

	for (size_t i = 0; i < pki->count; i++) {
		if (certificate_assign(phones, pki, pki->list[i], e) != 0)
			return -1;
	}
	progress_start(&progress, "reading keys", phones->count, quiet);
	for (size_t i = 0; i < phones->count && rc == 0; i++) {
		rc = phone_choose(pki, phones->list[i], e);
		progress_set(&progress, i + 1);
	}
	progress_end(&progress);
	return rc;
}

static void
node_keep(void *node)
{
	(void)node;
}

void
import_phones_release(struct import_phones *phones)
{
	for (size_t i = 0; i < phones->count; i++) {
		if (phones->list[i]->own)
			phone_draft_release(&phones->list[i]->draft);
		buf_release(&phones->list[i]->key);
		free(phones->list[i]);
	}
	tdestroy(phones->by_mac, node_keep);
	tdestroy(phones->by_certificate, node_keep);
	free(phones->list);
	*phones = (struct import_phones)IMPORT_PHONES_INIT;
}
