/* SPDX-License-Identifier: ISC */
#include "db/chain.h"

#include "common/buf.h"

#include <openssl/evp.h>
#include <string.h>

#define EVENT_MAX (1 << 20)

void
chain_put_number(unsigned char out[8], int64_t n)
{
	for (unsigned int i = 0; i < 8; i++)
		out[i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
}

int64_t
chain_get_number(const unsigned char in[8])
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < 8; i++)
		n = n << 8 | in[i];
	return (int64_t)n;
}

static void
add_number(struct buf *b, int64_t n)
{
	unsigned char bytes[8];

	chain_put_number(bytes, n);
	buf_add(b, bytes, sizeof(bytes));
}

static void
add_string(struct buf *b, const char *s)
{
	size_t len = strlen(s);

	add_number(b, (int64_t)len);
	buf_add(b, s, len);
}

int
chain_hash(const unsigned char before[CHAIN_HASH_SIZE], const struct db_event *event,
    unsigned char ret[CHAIN_HASH_SIZE], struct err *e)
{
	struct buf b = BUF_INIT(EVENT_MAX);
	int rc;

	buf_add(&b, before, CHAIN_HASH_SIZE);
	add_number(&b, event->id);
	add_number(&b, event->when);
	add_string(&b, event->actor);
	add_string(&b, event->action);
	add_string(&b, event->subject);
	add_string(&b, event->detail);
	rc = buf_check(&b, "event", e);
	if (rc == 0 && EVP_Digest(b.data, b.len, ret, NULL, EVP_sha256(), NULL) != 1)
		rc = err_openssl(e, ERR_FAILED, "SHA-256");
	buf_release(&b);
	return rc;
}
