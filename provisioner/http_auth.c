/* SPDX-License-Identifier: ISC */
#include "provisioner/http_internal.h"

#include "common/log.h"
#include "common/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#define USER_MAX 256
#define PASSWORD_MAX 1024
#define HASH_SIZE 32

static struct digest_request
digest_request_of(const struct http_request *q, const char *authorization)
{
	return (struct digest_request){
		.method = q->method,
		.target = q->target,
		.authorization = authorization,
		.client = q->address,
		.client_len = q->address_len,
		.now = time(NULL),
	};
}

int
http_challenge(const struct http_request *q, enum digest_algorithm algorithm, bool stale, struct buf *out,
    struct err *e)
{
	const struct http_config *config = &q->server->config;
	struct digest_request r = digest_request_of(q, NULL);

	if (config->auth == HTTP_AUTH_DIGEST)
		return digest_challenge(&config->digest, &r, algorithm, stale, out, e);
	buf_addf(out, "Basic realm=\"%s\", charset=\"UTF-8\"", config->digest.realm);
	return buf_check(out, "Basic challenge", e);
}

enum lookup {
	LOOKUP_KNOWN,
	LOOKUP_UNKNOWN,
	LOOKUP_FAILED,
};

/*
 * The credential of a user. An unknown one gets a password all the same, so that the check that follows takes as long
 * as for a known one.
 */
static enum lookup
credential_find(struct http_request *q, const char *user, struct http_credential *ret)
{
	const struct http_source *source = &q->server->config.source;
	char shown[ERR_TEXT_MAX];
	struct err e = ERR_INIT;

	if (http_view(q, &e) != NULL && source->credential(q->view, user, ret, &e) == 0)
		return LOOKUP_KNOWN;
	buf_clear(&ret->password);
	buf_add_string(&ret->password, "no such user");
	if (e.code == ERR_NOT_FOUND)
		return LOOKUP_UNKNOWN;
	log_error("login of %s: %s", q->client, text_printable(e.text, shown, sizeof(shown)));
	return LOOKUP_FAILED;
}

/* By their hashes, so that neither content nor length shows in the time taken. */
static bool
same_secret(const struct buf *a, const struct buf *b)
{
	unsigned char hash_a[HASH_SIZE], hash_b[HASH_SIZE];

	return EVP_Digest(buf_string(a), a->len, hash_a, NULL, EVP_sha256(), NULL) == 1 &&
	       EVP_Digest(buf_string(b), b->len, hash_b, NULL, EVP_sha256(), NULL) == 1 &&
	       CRYPTO_memcmp(hash_a, hash_b, HASH_SIZE) == 0;
}

/* Every phone may fetch its own files only. */
static enum http_login
login_of(const struct http_request *q, enum digest_result result, enum lookup lookup, const char *mac)
{
	if (result == DIGEST_MALFORMED)
		return HTTP_LOGIN_MALFORMED;
	if (result == DIGEST_ABSENT)
		return HTTP_LOGIN_NONE;
	if (lookup == LOOKUP_FAILED)
		return HTTP_LOGIN_FAILED;
	if (lookup == LOOKUP_UNKNOWN)
		return HTTP_LOGIN_UNKNOWN;
	if (result == DIGEST_WRONG)
		return HTTP_LOGIN_WRONG;
	if (result == DIGEST_STALE)
		return HTTP_LOGIN_STALE;
	return strcmp(mac, q->route.mac) == 0 ? HTTP_LOGIN_RIGHT : HTTP_LOGIN_OTHER;
}

static enum http_verdict
verdict_of(struct http_request *q, enum digest_result result, enum lookup lookup, const char *mac)
{
	static const enum http_verdict verdicts[HTTP_LOGINS] = {
		[HTTP_LOGIN_NONE] = HTTP_CHALLENGE,
		[HTTP_LOGIN_RIGHT] = HTTP_ALLOWED,
		[HTTP_LOGIN_STALE] = HTTP_CHALLENGE_STALE,
		[HTTP_LOGIN_MALFORMED] = HTTP_BAD_REQUEST,
		[HTTP_LOGIN_UNKNOWN] = HTTP_CHALLENGE,
		[HTTP_LOGIN_WRONG] = HTTP_CHALLENGE,
		[HTTP_LOGIN_OTHER] = HTTP_NOT_YOURS,
		[HTTP_LOGIN_FAILED] = HTTP_FAILED,
		[HTTP_LOGIN_THROTTLED] = HTTP_TOO_MANY,
	};

	q->login = login_of(q, result, lookup, mac);
	return verdicts[q->login];
}

/* Whether a login may be looked at now; else *ret_verdict is what becomes of it. */
static bool
turn_has_come(struct http_request *q, const char *user, enum http_verdict *ret_verdict)
{
	switch (http_throttle_enter(q, user)) {
	case HTTP_TURN_NOW:
		return true;
	case HTTP_TURN_LATER:
		*ret_verdict = HTTP_NOT_NOW;
		break;
	case HTTP_TURN_FULL:
		q->login = HTTP_LOGIN_THROTTLED;
		*ret_verdict = HTTP_TOO_MANY;
		break;
	}
	return false;
}

static enum http_verdict
authorize_digest(struct http_request *q, const char *authorization, struct buf *user, struct http_credential *c)
{
	struct digest_request r = digest_request_of(q, authorization);
	enum lookup lookup = LOOKUP_UNKNOWN;
	enum http_verdict verdict = HTTP_FAILED;
	enum digest_result result;
	struct digest_header h;

	result = digest_take(&r, &h);
	if (result == DIGEST_OK)
		buf_add_string(user, h.username);
	if (user->broken)
		result = DIGEST_MALFORMED;
	if (result != DIGEST_OK)
		return verdict_of(q, result, lookup, c->mac);
	if (!turn_has_come(q, buf_string(user), &verdict))
		return verdict;
	lookup = credential_find(q, buf_string(user), c);
	result = digest_check(&q->server->config.digest, &r, &h, buf_string(&c->password));
	verdict = verdict_of(q, result, lookup, c->mac);
	http_throttle_leave(q);
	return verdict;
}

static enum http_verdict
authorize_basic(struct http_request *q, const char *authorization, struct buf *user, struct http_credential *c)
{
	struct buf password = BUF_INIT(PASSWORD_MAX);
	enum digest_result result = basic_parse(authorization, user, &password);
	enum lookup lookup = LOOKUP_UNKNOWN;
	enum http_verdict verdict = HTTP_FAILED;

	if (result != DIGEST_OK) {
		verdict = verdict_of(q, result, lookup, c->mac);
	} else if (turn_has_come(q, buf_string(user), &verdict)) {
		lookup = credential_find(q, buf_string(user), c);
		result = same_secret(&password, &c->password) ? DIGEST_OK : DIGEST_WRONG;
		verdict = verdict_of(q, result, lookup, c->mac);
		http_throttle_leave(q);
	}
	buf_release(&password);
	return verdict;
}

enum http_verdict
http_authorize(struct http_request *q, const char *authorization)
{
	struct http_credential c = { .password = BUF_INIT(PASSWORD_MAX) };
	struct buf user = BUF_INIT(USER_MAX);
	enum http_verdict verdict = HTTP_FAILED;

	switch (q->server->config.auth) {
	case HTTP_AUTH_NONE:
		verdict = HTTP_ALLOWED;
		break;
	case HTTP_AUTH_BASIC:
		verdict = authorize_basic(q, authorization, &user, &c);
		break;
	case HTTP_AUTH_DIGEST:
		verdict = authorize_digest(q, authorization, &user, &c);
		break;
	}
	if (q->login != HTTP_LOGIN_NONE && user.len > 0)
		http_log_user(q, buf_string(&user));
	buf_release(&c.password);
	buf_release(&user);
	return verdict;
}
