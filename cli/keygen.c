/* SPDX-License-Identifier: ISC */
#include "cli/keygen.h"

#include "common/text.h"

#include <string.h>

int
keygen_choose(const char *option, const struct settings *s, struct keygen *ret, struct err *e)
{
	static const char *const names[] = { [CA_KEYGEN_NATIVE] = "native", [CA_KEYGEN_LIBRARY] = "library" };
	const char *word = option != NULL ? option : s->value[SET_KEYGEN];
	char shown[64];

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]) == 0) {
			*ret = (struct keygen){
				.how = (enum ca_keygen_how)i,
				.kind = { .bits = CA_KEY_BITS_PHONE, .keygen = names[i] },
			};
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "keygen: expected native or library, found \"%s\"",
	    text_printable(word, shown, sizeof(shown)));
}

int
keygen_make(struct ca_keygen *maker, struct buf *out, struct err *e)
{
	EVP_PKEY *key = ca_keygen_next(maker, e);
	int rc = key != NULL ? ca_key_encode(key, out, e) : -1;

	EVP_PKEY_free(key);
	return rc;
}
