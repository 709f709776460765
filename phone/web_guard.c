/* SPDX-License-Identifier: ISC */
#include "phone/web_guard.h"

#include "common/text.h"
#include "dseries/setting.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <strings.h>

#define HASH_SIZE 32
#define SCHEME "http://"

/* By their hashes, so that neither content nor length shows in the time taken. */
static bool
same_secret(const char *a, const char *b)
{
	unsigned char hash_a[HASH_SIZE], hash_b[HASH_SIZE];
	bool same = EVP_Digest(a, strlen(a), hash_a, NULL, EVP_sha256(), NULL) == 1 &&
	            EVP_Digest(b, strlen(b), hash_b, NULL, EVP_sha256(), NULL) == 1 &&
	            CRYPTO_memcmp(hash_a, hash_b, HASH_SIZE) == 0;

	OPENSSL_cleanse(hash_a, sizeof(hash_a));
	OPENSSL_cleanse(hash_b, sizeof(hash_b));
	return same;
}

bool
guard_login(const char *user, const char *password, const char *admin_password)
{
	const char *expected = admin_password[0] != '\0' ? admin_password : FACTORY_ADMIN_PASSWORD;
	bool user_good = same_secret(user, FACTORY_ADMIN_USER);

	/* Both are compared, whatever comes of the first. */
	return (int)same_secret(password, expected) & (int)user_good;
}

int
guard_token(const unsigned char key[GUARD_KEY_SIZE], const char *mac, char out[GUARD_TOKEN_SIZE], struct err *e)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (HMAC(EVP_sha256(), key, GUARD_KEY_SIZE, (const unsigned char *)mac, strlen(mac), sum, &len) == NULL)
		return err_openssl(e, ERR_FAILED, "form token");
	text_hex(sum, HASH_SIZE, out);
	OPENSSL_cleanse(sum, sizeof(sum));
	return 0;
}

bool
guard_token_is(const char *found, const char token[GUARD_TOKEN_SIZE])
{
	return same_secret(found, token);
}

/* The part of a Host field before the port, without brackets. False when it does not fit. */
static bool
host_name(const char *host, char *out, size_t size)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	size_t len;

	if (host[0] == '[') {
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		host++;
	}
	len = end != NULL ? (size_t)(end - host) : strlen(host);
	if (len >= size)
		return false;
	memcpy(out, host, len);
	out[len] = '\0';
	return true;
}

bool
guard_host(const char *host)
{
	char name[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (host == NULL)
		return true;
	if (!host_name(host, name, sizeof(name)))
		return false;
	if (host[0] == '[')
		return inet_pton(AF_INET6, name, &six) == 1;
	return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &four) == 1;
}

bool
guard_origin(const char *host, const char *origin, const char *fetch_site)
{
	if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0 && strcmp(fetch_site, "none") != 0)
		return false;
	if (origin == NULL)
		return true;
	return host != NULL && strncasecmp(origin, SCHEME, strlen(SCHEME)) == 0 &&
	       strcasecmp(origin + strlen(SCHEME), host) == 0;
}
