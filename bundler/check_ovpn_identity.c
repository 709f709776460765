/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn_internal.h"

#include "ca/facts.h"
#include "ca/pem.h"
#include "ca/verify.h"
#include "common/text.h"

#include <openssl/obj_mac.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY ((time_t)24 * 60 * 60)
#define RSA_BITS 2048
#define RSA_MEASURED_MAX 4096
#define RSA_NAME "rsaEncryption"
#define EC_NAME "id-ecPublicKey"

/* Within so many days, and not past. */
static bool
ends_soon(const struct check_clock *clock, time_t not_after)
{
	return not_after >= clock->now && not_after - clock->now < (time_t)clock->days * DAY;
}

static void
time_found(const struct ovpn_check *ck, enum ovpn_rule rule, unsigned int line, const char *element,
    const struct ca_cert_facts *f)
{
	char now[TEXT_TIME_SIZE], from[TEXT_TIME_SIZE], to[TEXT_TIME_SIZE];

	text_time(ck->params->clock.now, now);
	text_time(f->not_before, from);
	text_time(f->not_after, to);
	ovpn_found(ck, rule, line, element, "%s: expected to be valid at %s, found valid from %s to %s", f->subject,
	    now, from, to);
}

static void
ending_found(const struct ovpn_check *ck, enum ovpn_rule rule, unsigned int line, const char *element,
    const struct ca_cert_facts *f)
{
	char to[TEXT_TIME_SIZE];

	text_time(f->not_after, to);
	ovpn_found(ck, rule, line, element, "%s: expected to be valid for more than %u days, found until %s",
	    f->subject, ck->params->clock.days, to);
}

/* Of one certificate, wherever it stands; a root's own signature is nobody's to look at. */
static void
digest_check(const struct ovpn_check *ck, unsigned int line, const char *element, X509 *cert,
    const struct ca_cert_facts *f)
{
	if ((strcmp(f->signature_digest, SN_md5) == 0 || strcmp(f->signature_digest, SN_sha1) == 0) &&
	    !ca_cert_signed_by(cert, cert))
		ovpn_found(ck, OVPN_CERT_DIGEST, line, element, "%s: expected a signature with SHA256, found %s",
		    f->subject, f->signature_digest);
}

/* ---- the CAs ---- */

static void
ca_check(const struct ovpn_check *ck, unsigned int line, X509 *ca)
{
	const struct check_clock *clock = &ck->params->clock;
	struct ca_cert_facts f;
	char from[TEXT_TIME_SIZE];

	ca_cert_facts(ca, &f);
	text_time(f.not_before, from);
	if (f.not_before > clock->now || f.not_after < clock->now)
		time_found(ck, OVPN_CA_TIME, line, "<ca>", &f);
	else if (clock->now - f.not_before < DAY)
		ovpn_found(ck, OVPN_CA_RECENT, line, "<ca>",
		    "%s: expected to be valid since a day or more, found since %s", f.subject, from);
	if (ends_soon(clock, f.not_after))
		ending_found(ck, OVPN_CA_ENDING, line, "<ca>", &f);
	digest_check(ck, line, "<ca>", ca, &f);
}

void
ovpn_cas_check(const struct ovpn_check *ck, const struct config_line *line)
{
	struct err why = ERR_INIT;
	STACK_OF(X509) *cas = ca_pem_certs(line->content, ovpn_block_kept(line), "PEM", &why);

	if (cas == NULL)
		ovpn_found(ck, OVPN_PEM_BROKEN, line->number, "<ca>", "%s", why.text);
	else if (sk_X509_num(cas) == 0)
		ovpn_found(ck, OVPN_PEM_NONE, line->number, "<ca>", "expected PEM of a CA certificate, found none");
	for (int i = 0; i < sk_X509_num(cas); i++)
		ca_check(ck, line->number, sk_X509_value(cas, i));
	sk_X509_pop_free(cas, X509_free);
}

/* ---- the phone's certificate ---- */

/* Than OpenSSL 1.0. */
static bool
is_younger(const char *key_name)
{
	static const char *const names[] = { "ED25519", "ED448", "rsassaPss" };

	return ovpn_listed(names, sizeof(names) / sizeof(names[0]), key_name);
}

static void
key_kind_check(const struct ovpn_check *ck, unsigned int line, const struct ca_cert_facts *f)
{
	if (f->rsa && f->bits < RSA_BITS)
		ovpn_found(ck, OVPN_CERT_WEAK, line, "<cert>", "%s: expected RSA of %d bits, found %d", f->subject,
		    RSA_BITS, f->bits);
	else if (is_younger(f->key_name))
		ovpn_found(ck, OVPN_CERT_KIND, line, "<cert>", "%s: expected RSA of %d bits, found %s", f->subject,
		    RSA_BITS, f->key_name);
	else if ((f->rsa && f->bits > RSA_MEASURED_MAX) || (!f->rsa && strcmp(f->key_name, EC_NAME) != 0))
		ovpn_found(ck, OVPN_CERT_UNMEASURED, line, "<cert>",
		    "%s: expected RSA of 2048 to 4096 bits, found %s of %d", f->subject, f->rsa ? "RSA" : f->key_name,
		    f->bits);
	else if (!f->rsa)
		ovpn_found(ck, OVPN_CERT_EC, line, "<cert>", "%s: expected RSA of %d bits, found %s of %d", f->subject,
		    RSA_BITS, f->key_name, f->bits);
}

/* remote-cert-tls client of 2.6 wants key usage at all, and clientAuth. */
static void
usage_check(const struct ovpn_check *ck, unsigned int line, const struct ca_cert_facts *f)
{
	if (!f->has_key_usage || !f->purpose_client)
		ovpn_found(ck, OVPN_CERT_USAGE, line, "<cert>",
		    "%s: expected keyUsage and extendedKeyUsage clientAuth, found not both", f->subject);
}

static void
fault_check(const struct ovpn_check *ck, const struct check_identity *id, const struct ca_fault *fault, bool *told)
{
	const bool of_time = fault->code == X509_V_ERR_CERT_NOT_YET_VALID || fault->code == X509_V_ERR_CERT_HAS_EXPIRED;
	struct ca_cert_facts f;

	ca_cert_facts(fault->cert != NULL ? fault->cert : sk_X509_value(id->certs, 0), &f);
	if (of_time && fault->depth > 0)
		time_found(ck, OVPN_CERT_CHAIN_TIME, id->cert_line, "<cert>", &f);
	else if (of_time)
		time_found(ck, fault->code == X509_V_ERR_CERT_HAS_EXPIRED ? OVPN_CERT_EXPIRED : OVPN_CERT_NOT_YET,
		    id->cert_line, "<cert>", &f);
	else if (fault->code == X509_V_ERR_INVALID_PURPOSE && fault->depth == 0)
		ovpn_found(ck, OVPN_CERT_PURPOSE, id->cert_line, "<cert>",
		    "%s: expected a certificate for a TLS client, found one for something else", f.subject);
	else if (!*told) {
		/* Without an issuer libcrypto says so in several ways. */
		ovpn_found(ck, OVPN_CERT_UNSIGNED, id->cert_line, "<cert>",
		    "%s: expected to be signed by a CA in <ca>, found not: %s", f.subject,
		    X509_verify_cert_error_string(fault->code));
		*told = true;
	}
}

static void
chain_check(const struct ovpn_check *ck, const struct check_identity *id)
{
	const time_t now = ck->params->clock.now;
	struct ca_fault faults[CA_FAULTS_MAX];
	struct err e = ERR_INIT;
	bool told = false;
	size_t count = 0;
	X509 *own;

	if (ca_voucher_root(id->voucher, sk_X509_value(id->certs, 0), now) != NULL)
		return;
	own = ca_cert_whole(sk_X509_value(id->certs, 0));
	if (own == NULL ||
	    ca_verify(own, id->certs, id->cas, CA_PURPOSE_CLIENT, now, id->voucher, faults, &count, &e) != 0)
		ck->out->broken = true;
	for (size_t i = 0; i < count; i++)
		fault_check(ck, id, &faults[i], &told);
	X509_free(own);
}

void
check_ovpn_identity(const char *file, const struct check_identity *id, const struct check_ovpn_params *p,
    struct findings *out)
{
	const struct ovpn_check ck = { .file = file, .params = p, .out = out };
	X509 *own = sk_X509_value(id->certs, 0);
	struct ca_cert_facts f;

	ca_cert_facts(own, &f);
	if (id->key != NULL && !ca_cert_owns(own, id->key))
		ovpn_found(&ck, OVPN_KEY_MISMATCH, id->key_line, "<key>",
		    "expected the key of the certificate in <cert> (%s), found another one", f.subject);
	if (sk_X509_num(id->cas) > 0)
		chain_check(&ck, id);
	if (ends_soon(&p->clock, f.not_after))
		ending_found(&ck, OVPN_CERT_ENDING, id->cert_line, "<cert>", &f);
	key_kind_check(&ck, id->cert_line, &f);
	usage_check(&ck, id->cert_line, &f);
	digest_check(&ck, id->cert_line, "<cert>", own, &f);
	for (int i = 1; i < sk_X509_num(id->certs); i++) {
		ca_cert_facts(sk_X509_value(id->certs, i), &f);
		digest_check(&ck, id->cert_line, "<cert>", sk_X509_value(id->certs, i), &f);
	}
	if (sk_X509_num(id->certs) > 1)
		ovpn_found(&ck, OVPN_CERT_INTERMEDIATE, id->cert_line, "<cert>",
		    "expected the phone's certificate alone, found %d certificates", sk_X509_num(id->certs));
}
