/* SPDX-License-Identifier: ISC */
#ifndef DSERIES_MODEL_H
#define DSERIES_MODEL_H

#include "common/err.h"
#include "dseries/firmware.h"

#include <stdbool.h>
#include <stddef.h>

#define MODEL_NAME_SIZE 8

/* One model of the vendor's page "Sangoma Phones and OpenVPN". */
struct model {
	char name[MODEL_NAME_SIZE];
	bool openvpn;			/* "Compatibility" */
	struct firmware recommended;	/* "Recommended Firmware"; all 0 for a model without OpenVPN */
	/* Firmware with the deprecated parameters, both ends included; all 0 where the page names none. */
	struct firmware deprecated_from, deprecated_to;
	bool ciphers_may_differ;	/* "Ciphers": Model D80 phones may support a different set */
};

/* The model of that name in either case, or NULL. */
const struct model *model_find(const char *name);

/* The same for what a person has written: 0, or -1 with ERR_INPUT, which names those that there are. */
int model_parse(const char *name, const struct model **ret, struct err *e);

/* All models in the page's order; NULL behind the last. */
const struct model *model_at(size_t index);

/*
 * Whether a phone of this model and firmware (NULL: not known, taken for recommended) can use openvpn_inline_config.
 * -1 with ERR_INPUT and the reason, in one sentence without the phone's name, when it cannot or when the page does not
 * say that it can.
 */
int model_check_openvpn(const struct model *m, const struct firmware *f, struct err *e);

#endif
