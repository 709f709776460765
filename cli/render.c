/* SPDX-License-Identifier: ISC */
#include "cli/render.h"

#include "cli/phone_report.h"
#include "common/pem.h"
#include "db/authority.h"
#include "provisioner/url.h"

#include <string.h>

#define URL_MAX 4096

/*
 * Whoever edits the database must not be able to hand one phone's key to another: the CA's signature has the name. For an
 * imported certificate with another name the seal has it.
 */
static int
check_owner(struct db *db, const struct db_bundle *b, const char *mac, struct err *e)
{
	struct err named = ERR_INIT;
	char owner[DB_MAC_SIZE];

	if (ca_cert_check_name_der(b->cert.data, b->cert.len, mac, &named) == 0 ||
	    (db_certificate_owner(db, b->serial, owner, NULL) == 0 && strcmp(owner, mac) == 0))
		return 0;
	return err_set(e, named.code, "%s generation %lld: %s", mac, (long long)b->number, named.text);
}

/* What was just appended to out is what the phone was promised, or it is taken away again. */
static int
check_rendered(const struct db_bundle *b, const char *mac, size_t before, const char *md5, struct buf *out,
    struct err *e)
{
	size_t size = out->len - before;

	if (strcmp(md5, b->md5) == 0 && size == b->size)
		return 0;
	buf_clear(out);
	return err_set(e, ERR_INTEGRITY, "%s generation %lld: expected %zu bytes with md5 %s, found %zu with %s", mac,
	    (long long)b->number, b->size, b->md5, size, md5);
}

int
render_served(struct db *db, const struct db_bundle *b, const char *mac, struct bundle_base *base, struct buf *out,
    struct err *e)
{
	char found[BUNDLE_MD5_SIZE];
	size_t before = out->len;

	if (check_owner(db, b, mac, e) == 0 &&
	    bundle_base_render(base, b->cert.data, b->cert.len, b->key.data, b->key.len, out, found, e) == 0)
		return check_rendered(b, mac, before, found, out, e);
	buf_clear(out);
	return -1;
}

int
render_parts(struct db *db, const struct db_bundle *b, const char *mac, struct buf *out, char ret_md5[BUNDLE_MD5_SIZE],
    struct err *e)
{
	char found[BUNDLE_MD5_SIZE];
	size_t before = out->len;
	int rc = -1;

	if (check_owner(db, b, mac, e) != 0)
		goto out;
	if (bundle_render(b->profile.data, b->profile.len, b->cert.data, b->cert.len, b->key.data, b->key.len, out,
		e) != 0)
		goto out;
	if (bundle_md5(out->data + before, out->len - before, found, e) != 0 ||
	    check_rendered(b, mac, before, found, out, e) != 0)
		goto out;
	if (ret_md5 != NULL)
		memcpy(ret_md5, found, sizeof(found));
	rc = 0;
out:
	if (rc != 0)
		buf_clear(out);
	return rc;
}

int
render_bundle(struct db *db, const char *mac, int64_t number, const char *md5, struct buf *out,
    char ret_md5[BUNDLE_MD5_SIZE], struct err *e)
{
	struct db_bundle b;
	int rc;

	if (db_bundle_get(db, mac, number, md5, &b, e) != 0)
		return -1;
	rc = render_parts(db, &b, mac, out, ret_md5, e);
	db_bundle_release(&b);
	return rc;
}

int
render_crls(struct db *db, struct buf *out, struct err *e)
{
	struct buf der = BUF_INIT(DB_CRL_MAX);
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc;

	rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++) {
		buf_clear(&der);
		rc = db_authority_crl(db, all[i].id, &der, e);
		if (rc == 0)
			rc = pem_encode(PEM_LABEL_CRL, der.data, der.len, out, e);
	}
	buf_release(&der);
	db_authority_free(all, count);
	return rc;
}

/*
 * A phone that came by its login through its XML keeps it from there: a document without it would have the phone forget
 * it, so it is in each one.
 */
static int
config_url_of(const struct settings *s, const struct db_phone *p, const struct buf *password, struct buf *url,
    struct xml_vpn *vpn, struct err *e)
{
	if (p->enrolled == 0)
		return 0;
	if (url_login(s->value[SET_URL], p->http_user, buf_string(password), url, e) != 0)
		return -1;
	vpn->config_url = buf_string(url);
	return 0;
}

bool
render_xml_offers(const struct db_phone *p)
{
	return p->offered != 0 && phone_stand(p, NULL) != STAND_TURNED_DOWN;
}

/* What the document says of the VPN. A phone that was never minted keeps what its admin wrote by hand. */
static int
vpn_of(const struct settings *s, const struct db_phone *p, const struct buf *password, struct buf *url,
    struct xml_vpn *ret, struct err *e)
{
	*ret = (struct xml_vpn){ .mode = XML_VPN_UNTOUCHED };
	if (!render_xml_offers(p)) {
		if (p->newest != 0 && p->revoked != 0 && phone_stand(p, NULL) != STAND_TURNED_DOWN)
			ret->mode = XML_VPN_OFF;
		return 0;
	}
	if (url_bundle(s->value[SET_URL], p->http_user, buf_string(password), p->offered_md5, p->mac, url, e) != 0)
		return -1;
	*ret = (struct xml_vpn){
		.mode = XML_VPN_OFFER,
		.url = buf_string(url),
		.md5 = p->offered_md5,
		.enable = settings_bool(s, SET_VPN_ENABLE),
		.logging = settings_bool(s, SET_VPN_LOGGING),
	};
	return 0;
}

static int
minimal(struct db *db, const struct settings *s, const struct db_phone *p, const struct xml_vpn *vpn, struct buf *out,
    struct err *e)
{
	struct buf secret = BUF_INIT(DB_DER_MAX);
	struct xml_account account = {
		.extension = p->extension,
		.label = p->label[0] != '\0' ? p->label : NULL,
		.server = s->value[SET_SIP_SERVER],
		.port = (unsigned int)settings_number(s, SET_SIP_PORT),
		.transport = s->value[SET_SIP_TRANSPORT],
	};
	bool has_account = p->extension[0] != '\0' && account.server[0] != '\0';
	int rc = -1;

	if (has_account && p->has_secret) {
		if (db_phone_secret(db, p->id, &secret, e) != 0)
			goto out;
		account.secret = buf_string(&secret);
	}
	rc = xml_minimal(vpn, has_account ? &account : NULL, out, e);
out:
	buf_release(&secret);
	return rc;
}

int
render_xml_login(struct db *db, const struct settings *s, const struct db_phone *p, const struct buf *password,
    const struct buf *document, const char *name, struct buf *out, struct err *e)
{
	struct buf url = BUF_INIT(URL_MAX), config_url = BUF_INIT(URL_MAX);
	struct xml_vpn vpn;
	int rc;

	rc = vpn_of(s, p, password, &url, &vpn, e);
	if (rc == 0)
		rc = config_url_of(s, p, password, &config_url, &vpn, e);
	if (rc == 0 && document != NULL)
		rc = xml_merge(document->data, document->len, name, &vpn, out, e);
	else if (rc == 0)
		rc = minimal(db, s, p, &vpn, out, e);
	buf_release(&config_url);
	buf_release(&url);
	return rc;
}

int
render_xml(struct db *db, const struct settings *s, const struct db_phone *p, const struct buf *document,
    const char *name, struct buf *out, struct err *e)
{
	struct buf password = BUF_INIT(DB_DER_MAX);
	int rc = 0;

	if (p->offered != 0 || p->enrolled != 0)
		rc = db_phone_http_password(db, p->id, &password, e);
	if (rc == 0)
		rc = render_xml_login(db, s, p, &password, document, name, out, e);
	buf_release(&password);
	return rc;
}
