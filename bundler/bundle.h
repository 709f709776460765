/* SPDX-License-Identifier: ISC */
#ifndef BUNDLER_BUNDLE_H
#define BUNDLER_BUNDLE_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

#define BUNDLE_MAX (1 << 20)	/* bytes; what the phone can store is not known, ours have about 6000 */
#define BUNDLE_MD5_SIZE 33	/* 32 lower-case hex digits and NUL */

/*
 * Append the inline .ovpn: the profile's text as it is, the certificate in <cert>, the key in <key>, both as bare PEM
 * (the key as PKCS#8 "PRIVATE KEY"). Rendering is concatenation: the same parts give the same bytes for ever. out holds
 * a private key afterwards; the caller releases it.
 */
int bundle_render(const void *profile, size_t profile_len, const void *cert_der, size_t cert_len, const void *key_der,
    size_t key_len, struct buf *out, struct err *e);

/*
 * A profile that many bundles begin with: what it takes to render and to hash one more is done once. NULL on failure.
 * The caller frees it; not for two threads at once.
 */
struct bundle_base;
struct bundle_base *bundle_base_new(const void *profile, size_t len, struct err *e);
void bundle_base_free(struct bundle_base *b);

/* bundle_render() with that profile, and bundle_md5() of what was appended. */
int bundle_base_render(struct bundle_base *b, const void *cert_der, size_t cert_len, const void *key_der,
    size_t key_len, struct buf *out, char ret_md5[BUNDLE_MD5_SIZE], struct err *e);

/* What the phone compares: the md5 of the served bytes (vendor page, "Requirements and Overview"). */
int bundle_md5(const void *data, size_t len, char ret_md5[BUNDLE_MD5_SIZE], struct err *e);

#endif
