/* SPDX-License-Identifier: ISC */
#include "dseries/cipher.h"

#include <string.h>
#include <strings.h>

/* Vendor page, section "Ciphers", "Digium Phone Control Channel TLS Ciphers". */
static const char *const control[] = {
	"RC4-SHA",
	"RC4-MD5",
	"DES-CBC-SHA",
	"DES-CBC3-SHA",
	"AES128-SHA",
	"AES256-SHA",
	"CAMELLIA128-SHA",
	"CAMELLIA256-SHA",
	"SEED-SHA",
	"ECDHE-RSA-RC4-SHA",
	"ECDHE-RSA-DES-CBC3-SHA",
	"ECDHE-RSA-AES128-SHA",
	"ECDHE-RSA-AES256-SHA",
};

/* The same section: "Versions of firmware prior to 2.3.9 also supported ...". */
static const char *const control_before_2_3_9[] = {
	"AECDH-RC4-SHA",
	"AECDH-DES-CBC3-SHA",
	"AECDH-AES128-SHA",
	"AECDH-AES256-SHA",
};

/* The same section, "Digium Phone Data Channel Ciphers". Its CAMILLIA-128-CBC is a slip for CAMELLIA-128-CBC. */
static const char *const data[] = {
	"RC2-CBC",
	"RC2-40-CBC",
	"RC2-64-CBC",
	"DES-CBC",
	"DES-EDE-CBC",
	"DES-EDE3-CBC",
	"DESX-CBC",
	"AES-128-CBC",
	"AES-192-CBC",
	"AES-256-CBC",
	"CAMELLIA-128-CBC",
	"CAMELLIA-192-CBC",
	"CAMELLIA-256-CBC",
	"SEED-CBC",
	"BF-CBC",
	"CAST5-CBC",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool
listed(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static enum cipher_support
support_of(const struct model *m, bool is_listed)
{
	if (!m->openvpn || !is_listed)
		return CIPHER_NO;
	return m->ciphers_may_differ ? CIPHER_MAY_DIFFER : CIPHER_YES;
}

enum cipher_support
cipher_control_support(const struct model *m, const struct firmware *f, const char *name)
{
	static const struct firmware until = { { 2, 3, 9 } };
	bool found = listed(control, COUNT(control), name);

	/* The D80's firmware counts on its own: against 2.3.9 of a D6x its version says nothing. */
	if (!m->ciphers_may_differ && firmware_compare(f != NULL ? f : &m->recommended, &until) < 0)
		found = found || listed(control_before_2_3_9, COUNT(control_before_2_3_9), name);
	return support_of(m, found);
}

enum cipher_support
cipher_data_support(const struct model *m, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < COUNT(data); i++)
		found = found || strcasecmp(data[i], name) == 0;
	return support_of(m, found);
}

const char *
cipher_control_at(size_t index)
{
	return index < COUNT(control) ? control[index] : NULL;
}

const char *
cipher_control_before_2_3_9_at(size_t index)
{
	return index < COUNT(control_before_2_3_9) ? control_before_2_3_9[index] : NULL;
}

const char *
cipher_data_at(size_t index)
{
	return index < COUNT(data) ? data[index] : NULL;
}
