/* SPDX-License-Identifier: ISC */
#ifndef CA_KEYGEN_H
#define CA_KEYGEN_H

#include "common/err.h"

#include <openssl/evp.h>

/*
 * RSA keys one after another, as a mint makes them. ca_key_generate() is for a single one.
 *
 * NATIVE searches primes as ca/prime.h says and puts the key together here; LIBRARY asks libcrypto's own EVP_RSA_gen(),
 * for those whose policy wants it. Both give the same kind of key: e = 65537, two primes of half the bits, FIPS 186-5
 * A.1.3's bounds, all CRT members.
 */
enum ca_keygen_how {
	CA_KEYGEN_NATIVE,
	CA_KEYGEN_LIBRARY,
};

struct ca_keygen;
struct ca_engine;

/*
 * A maker of keys of 2048, 3072 or 4096 bits. It belongs to one thread: each worker has its own. Making one takes 2 ms and
 * 350 KB with the engine "ifma8", 15 ms and 2.5 MB at most. engine NULL is the fastest of this CPU; a test or a measurement
 * names another (ca/prime_engine.h). The caller frees it with ca_keygen_free(). NULL on failure: ERR_INPUT for another size
 * or an engine that cannot.
 */
struct ca_keygen *ca_keygen_new(unsigned int bits, enum ca_keygen_how how, const struct ca_engine *engine, struct err *e);

/* The next key; the caller frees it with EVP_PKEY_free(). NULL on failure. Nothing of it stays behind in the maker. */
EVP_PKEY *ca_keygen_next(struct ca_keygen *g, struct err *e);

/* What tests the candidates: an engine's name, or "library". */
const char *ca_keygen_name(const struct ca_keygen *g);

void ca_keygen_free(struct ca_keygen *g);

#endif
