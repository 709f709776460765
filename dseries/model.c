/* SPDX-License-Identifier: ISC */
#include "dseries/model.h"

#include "common/buf.h"
#include "common/text.h"

#include <strings.h>

/* Vendor page, section "Recommended Firmware". */
#define D6X_FIRMWARE \
	.recommended = { { 2, 7, 0 } }, .deprecated_from = { { 2, 2, 1, 1 } }, .deprecated_to = { { 2, 6, 6 } }

/*
 * Vendor page, sections "Compatibility", "Recommended Firmware" and "Ciphers". The page gives the window of deprecated
 * parameters without a model; the D80 has none here, because the 1_9_0 that is recommended for it is older than the
 * window: its firmware counts on its own.
 */
static const struct model models[] = {
	{ .name = "D40" },
	{ .name = "D45" },
	{ .name = "D50" },
	{ .name = "D60", .openvpn = true, D6X_FIRMWARE },
	{ .name = "D62", .openvpn = true, D6X_FIRMWARE },
	{ .name = "D65", .openvpn = true, D6X_FIRMWARE },
	{ .name = "D70" },
	{ .name = "D80", .openvpn = true, .recommended = { { 1, 9, 0 } }, .ciphers_may_differ = true },
};

#define MODEL_COUNT (sizeof(models) / sizeof(models[0]))

const struct model *
model_find(const char *name)
{
	for (size_t i = 0; i < MODEL_COUNT; i++)
		if (strcasecmp(models[i].name, name) == 0)
			return &models[i];
	return NULL;
}

int
model_parse(const char *name, const struct model **ret, struct err *e)
{
	struct buf known = BUF_INIT(256);
	char shown[64];

	*ret = model_find(name);
	if (*ret != NULL)
		return 0;
	for (size_t i = 0; i < MODEL_COUNT; i++)
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", models[i].name);
	err_set(e, ERR_INPUT, "model: expected one of %s, found \"%s\"", buf_string(&known),
	    text_printable(name, shown, sizeof(shown)));
	buf_release(&known);
	return -1;
}

const struct model *
model_at(size_t index)
{
	return index < MODEL_COUNT ? &models[index] : NULL;
}

int
model_check_openvpn(const struct model *m, const struct firmware *f, struct err *e)
{
	char found[FIRMWARE_SIZE], recommended[FIRMWARE_SIZE];

	if (!m->openvpn)
		return err_set(e, ERR_INPUT, "model: expected D60, D62, D65 or D80, found %s, which has no OpenVPN",
		    m->name);
	if (f == NULL || firmware_compare(f, &m->recommended) >= 0)
		return 0;
	firmware_format(f, found);
	firmware_format(&m->recommended, recommended);
	if (firmware_compare(f, &m->deprecated_from) >= 0 && firmware_compare(f, &m->deprecated_to) <= 0)
		return err_set(e, ERR_INPUT,
		    "firmware of a %s: expected %s or later, found %s, which has deprecated OpenVPN parameters "
		    "instead: upgrade it to %s first",
		    m->name, recommended, found, recommended);
	return err_set(e, ERR_INPUT,
	    "firmware of a %s: expected %s or later, found %s, of which the vendor does not say that it takes "
	    "openvpn_inline_config: upgrade it to %s first",
	    m->name, recommended, found, recommended);
}
