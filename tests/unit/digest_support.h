/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_DIGEST_SUPPORT_H
#define TESTS_UNIT_DIGEST_SUPPORT_H

#include "tests/unit/support.h"

#include "common/text.h"
#include "provisioner/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server, and clients that log in there: their hashes are coreutils'. */

#define NOW 1795470279
#define TARGET "/000fd3054848.cfg"
#define PASSWORD "s3cret: \"x\""

static const struct digest_server server = { .realm = "phones", .key = "0123456789abcdef0123456789abcde" };
static const unsigned char client[4] = { 192, 0, 2, 7 };

static inline struct digest_request
request(const char *authorization)
{
	return (struct digest_request){ .method = "GET",
		.target = TARGET,
		.authorization = authorization,
		.client = client,
		.client_len = sizeof(client),
		.now = NOW };
}

/* What becomes of the request's login. */
static inline enum digest_result
login_check(const struct digest_server *s, const struct digest_request *r, const char *password)
{
	struct digest_header h;
	enum digest_result result = digest_take(r, &h);

	return result == DIGEST_OK ? digest_check(s, r, &h, password) : result;
}

/* The nonce of a challenge made now. */
static inline void
nonce_now(const struct digest_request *r, char nonce[65])
{
	struct buf challenge = BUF_INIT(1024);
	struct err e = ERR_INIT;
	const char *found;

	assert_ok(digest_challenge(&server, r, DIGEST_MD5, false, &challenge, &e), e);
	found = strstr(buf_string(&challenge), "nonce=\"");
	assert_non_null(found);
	(void)snprintf(nonce, 65, "%s", found + strlen("nonce=\""));
	assert_true(text_is_hex(nonce, 64));
	buf_release(&challenge);
}

/* One hash of a text, by coreutils. */
static inline void
sum(const char *program, const char *text, struct buf *out)
{
	struct buf input = BUF_INIT(4096);

	buf_add_string(&input, text);
	buf_clear(out);
	support_shell(out, &input, "{ %s | cut -d' ' -f1 | tr -d '\\n'; }", program);
	buf_release(&input);
}

struct login {
	const char *method, *uri, *realm, *password, *nonce, *program, *algorithm;
	bool old; /* without qop, RFC 2617 section 3.2.2.1 */
};

/* A client's Authorization, with a response that md5sum or sha256sum made. */
static inline void
authorization(const struct login *l, struct buf *out)
{
	struct buf ha1 = BUF_INIT(256), ha2 = BUF_INIT(256), response = BUF_INIT(256);
	char *text = text_format("000fd3054848:%s:%s", l->realm, l->password);

	sum(l->program, text, &ha1);
	free(text);
	text = text_format("%s:%s", l->method, l->uri);
	sum(l->program, text, &ha2);
	free(text);
	text = text_format("%s:%s:%s%s", buf_string(&ha1), l->nonce,
	    l->old ? "" : "0000000a:c,n\"ce:auth:", buf_string(&ha2));
	sum(l->program, text, &response);
	free(text);
	buf_clear(out);
	buf_addf(out, "Digest username=\"000fd3054848\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\"%s%s",
	    l->realm, l->nonce, l->uri, buf_string(&response),
	    l->old ? "" : ", qop=auth, nc=0000000a, cnonce=\"c,n\\\"ce\"", l->algorithm);
	buf_release(&ha1);
	buf_release(&ha2);
	buf_release(&response);
}

#endif
