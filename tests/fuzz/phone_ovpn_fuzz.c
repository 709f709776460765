/* SPDX-License-Identifier: ISC */
#include "phone/certificate.h"
#include "phone/ovpn.h"

#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1764000000 /* 2025-11-24T16:00:00Z */

/* Whatever stands there, it is told apart from what a phone can use, and nothing is left behind. */
static void
check_certificate(const struct ovpn *o)
{
	const struct certificate_pem pem = {
		.ca = o->ca.data,
		.ca_len = o->ca.len,
		.cert = o->cert.data,
		.cert_len = o->cert.len,
		.key = o->key.data,
		.key_len = o->key.len,
	};
	struct certificate_info info;
	struct err e = ERR_INIT;

	if (certificate_check(&pem, NOW, NULL, &info, &e) != 0 && e.code != ERR_INTEGRITY)
		abort();
	if (ERR_peek_error() != 0)
		abort();
}

/* What is taken must be taken again: the effective lines are what the real openvpn gets to read. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct ovpn o, again;

	if (ovpn_read(data, size, model_find("D65"), &o, &e) != 0)
		return 0;
	if (o.effective.len <= OVPN_MAX) {
		if (ovpn_read(o.effective.data, o.effective.len, model_find("D65"), &again, &e) != 0)
			abort();
		if (again.effective.len != o.effective.len ||
		    memcmp(again.effective.data, o.effective.data, o.effective.len) != 0)
			abort();
		ovpn_release(&again);
	}
	check_certificate(&o);
	ovpn_release(&o);
	return 0;
}
