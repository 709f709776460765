/* SPDX-License-Identifier: ISC */
#include "cli/server_render.h"

#include "ca/cert.h"
#include "ca/key.h"
#include "cli/render.h"
#include "common/pem.h"
#include "db/authority.h"

#include <string.h>
#include <time.h>

#define CA_FILE_MAX (1 << 20)
#define CONF_MAX 65536

static const struct {
	const char *name;
	mode_t mode;
	size_t max;
} table[SERVER_FILE_COUNT] = {
	[SERVER_FILE_CONF] = { SERVER_CONF, 0644, CONF_MAX },
	[SERVER_FILE_CA] = { SERVER_CA, 0644, CA_FILE_MAX },
	[SERVER_FILE_CERT] = { SERVER_CERT, 0644, DB_DER_MAX },
	[SERVER_FILE_KEY] = { SERVER_KEY, 0600, DB_DER_MAX },
	[SERVER_FILE_CRL] = { SERVER_CRL, 0644, 2 * DB_CRL_MAX },
};

const char *
server_file_name(enum server_file_kind kind)
{
	return table[kind].name;
}

mode_t
server_file_mode(enum server_file_kind kind)
{
	return table[kind].mode;
}

void
server_files_init(struct server_files *f)
{
	for (unsigned int i = 0; i < SERVER_FILE_COUNT; i++)
		f->text[i] = (struct buf)BUF_INIT(table[i].max);
}

void
server_files_release(struct server_files *f)
{
	for (unsigned int i = 0; i < SERVER_FILE_COUNT; i++)
		buf_release(&f->text[i]);
}

static int
pem_of(const struct buf *der, const char *label, struct buf *out, struct err *e)
{
	return pem_encode(label, der->data, der->len, out, e);
}

static int
render_cas(struct db *db, struct buf *out, struct err *e)
{
	struct db_authority *all = NULL;
	size_t count = 0;
	int rc;

	rc = db_authority_list(db, DB_ROLES_SERVERS, &all, &count, e);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = pem_of(&all[i].cert, PEM_LABEL_CERTIFICATE, out, e);
	db_authority_free(all, count);
	return rc;
}

/* In a rotation it is another one than the one that issues. */
static X509 *
issuer_of(struct db *db, const struct db_certificate *c, struct err *e)
{
	struct db_authority *all = NULL;
	X509 *cert = NULL;
	size_t count = 0;

	if (db_authority_list(db, DB_ROLES_PHONES, &all, &count, e) != 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (all[i].id == c->authority)
			cert = ca_cert_decode(all[i].cert.data, all[i].cert.len, e);
	db_authority_free(all, count);
	return cert;
}

/*
 * A server with another's key, or with a certificate that has ended, would not start or let nobody in. An imported one
 * may lack what only ns-cert-type asks for.
 */
static int
check_identity(struct db *db, const struct settings *s, const struct db_certificate *server, const struct buf *cert_der,
    const struct buf *key_der, struct err *e)
{
	const bool netscape = strcmp(s->value[SET_VPN_SERVER_CHECK], "ns-cert-type") == 0;
	X509 *cert = NULL, *ca = NULL;
	EVP_PKEY *key = NULL;
	int rc = -1;

	cert = ca_cert_decode(cert_der->data, cert_der->len, e);
	ca = cert != NULL ? issuer_of(db, server, e) : NULL;
	key = ca != NULL ? ca_key_decode(key_der->data, key_der->len, e) : NULL;
	if (key != NULL)
		rc = (netscape ? ca_cert_check : ca_cert_check_foreign)(cert, key, ca, CA_KIND_SERVER, time(NULL), e);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	return rc == 0 ? 0 : err_prefix(e, "server certificate ('phonevpn server renew' makes a new one)");
}

static int
render_identity(struct db *db, const struct settings *s, struct buf *cert, struct buf *key, struct err *e)
{
	struct buf cert_der = BUF_INIT(DB_DER_MAX), key_der = BUF_INIT(DB_DER_MAX);
	struct db_certificate server;
	int rc = -1;

	if (db_certificate_server(db, &server, e) == 0 &&
	    db_certificate_der(db, server.serial, &cert_der, &key_der, e) == 0 &&
	    check_identity(db, s, &server, &cert_der, &key_der, e) == 0 &&
	    pem_of(&cert_der, PEM_LABEL_CERTIFICATE, cert, e) == 0 && pem_of(&key_der, PEM_LABEL_KEY, key, e) == 0)
		rc = 0;
	buf_release(&cert_der);
	buf_release(&key_der);
	return rc;
}

static int
render_conf(const struct settings *s, const struct server_fleet *fleet, const char *dir, struct buf *out, struct err *e)
{
	char user[SETTINGS_USER_SIZE], group[SETTINGS_USER_SIZE];
	struct profile_params profile;
	const struct server_conf_params params = {
		.profile = &profile,
		.port = (unsigned int)settings_number(s, SET_VPN_PORT),
		.network = s->value[SET_VPN_NETWORK],
		.dir = dir,
		.user = s->value[SET_VPN_USER][0] != '\0' ? user : NULL,
		.group = strchr(s->value[SET_VPN_USER], ':') != NULL ? group : NULL,
		.crl_dir = strcmp(s->value[SET_VPN_CRL], "dir") == 0,
		.clients = fleet->clients,
		.client_count = fleet->count,
	};

	settings_server_user(s, user, group);
	return settings_profile(s, &profile, e) != 0 ? -1 : server_conf_render(&params, out, e);
}

int
server_files_render(struct db *db, const struct settings *s, const struct server_fleet *fleet, const char *dir,
    struct server_files *f, struct err *e)
{
	/* A CA without its CRL in the file would be one whose revoked certificates are let in. */
	if (render_cas(db, &f->text[SERVER_FILE_CA], e) != 0 || render_crls(db, &f->text[SERVER_FILE_CRL], e) != 0 ||
	    render_identity(db, s, &f->text[SERVER_FILE_CERT], &f->text[SERVER_FILE_KEY], e) != 0)
		return -1;
	return render_conf(s, fleet, dir, &f->text[SERVER_FILE_CONF], e);
}
