/* SPDX-License-Identifier: ISC */
#include "cli/identity.h"

#include "ca/crl.h"
#include "ca/key.h"
#include "cli/issuer.h"
#include "cli/keygen.h"
#include "common/command.h"

#include <string.h>

struct ca_cert_params
identity_server(const struct settings *s, time_t now)
{
	const char *host = s->value[SET_VPN_HOST];

	return (struct ca_cert_params){
		.kind = CA_KIND_SERVER,
		.organization = s->value[SET_ORG],
		/* The whole name stands in subjectAltName; a CN has room for 64 bytes. */
		.common_name = strlen(host) <= CA_NAME_MAX ? host : "OpenVPN server",
		.host = host,
		.not_before = settings_time(s, SET_NOT_BEFORE),
		.not_after = issuer_days(now, settings_number(s, SET_SERVER_DAYS)),
	};
}

struct ca_cert_params
identity_root(const struct settings *s, const char *name, time_t now)
{
	return (struct ca_cert_params){
		.kind = CA_KIND_ROOT,
		.organization = s->value[SET_ORG],
		.common_name = name,
		.not_before = settings_time(s, SET_NOT_BEFORE),
		.not_after = issuer_days(now, settings_number(s, SET_CA_DAYS)),
	};
}

int
identity_bits(const char *value, unsigned int *ret, struct err *e)
{
	unsigned long bits = CA_KEY_BITS_DEFAULT;

	if (command_number(value, 2048, 4096, "ca-bits", &bits, e) != 0)
		return -1;
	if (bits != 2048 && bits != 3072 && bits != 4096)
		return err_set(e, ERR_USAGE, "ca-bits: expected 2048, 3072 or 4096, found %lu", bits);
	*ret = (unsigned int)bits;
	return 0;
}

int
identity_crl(const struct identity *ca, const struct settings *s, time_t now, struct db_crl *ret, struct err *e)
{
	const struct ca_crl_params params = {
		.number = 1,
		.this_update = now,
		.next_update = issuer_days(now, settings_number(s, SET_CRL_DAYS)),
	};

	*ret = (struct db_crl){
		.number = params.number,
		.this_update = params.this_update,
		.next_update = params.next_update,
		.der = BUF_INIT(DB_CRL_MAX),
	};
	return ca_crl_issue(&params, ca->cert, ca->key, &ret->der, e);
}

int
identity_make(struct identity *id, unsigned int bits, const struct settings *s, X509 *issuer, EVP_PKEY *issuer_key,
    struct err *e)
{
	struct keygen keygen;

	if (ca_serial_new(id->params.serial, e) != 0 || keygen_choose(NULL, s, &keygen, e) != 0)
		return -1;
	if (id->key == NULL)
		id->key = ca_key_generate(bits, keygen.how, e);
	if (id->key == NULL)
		return -1;
	id->cert = ca_cert_issue(&id->params, id->key, issuer, issuer_key, e);
	if (id->cert == NULL || ca_cert_check(id->cert, id->key, issuer, id->params.kind, time(NULL), e) != 0)
		return -1;
	return identity_fill(id, e);
}

int
identity_fill(struct identity *id, struct err *e)
{
	if (ca_cert_validity(id->cert, &id->not_before, &id->not_after, e) != 0 ||
	    ca_cert_serial(id->cert, id->params.serial, e) != 0)
		return -1;
	if (ca_key_encode(id->key, &id->key_der, e) != 0 || ca_cert_encode(id->cert, &id->cert_der, e) != 0)
		return -1;
	return 0;
}

struct db_certificate_new
identity_certificate(const struct identity *id)
{
	struct db_certificate_new c = {
		.cert = &id->cert_der,
		.key = &id->key_der,
		.not_before = id->not_before,
		.not_after = id->not_after,
	};

	memcpy(c.serial, id->params.serial, sizeof(c.serial));
	return c;
}

void
identity_release(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	buf_release(&id->key_der);
	buf_release(&id->cert_der);
}
