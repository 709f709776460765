/* SPDX-License-Identifier: ISC */
#include "phone/settings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text is there when its state is good, and only then. */
static void
check(enum setting_state state, const char *text, size_t size)
{
	if (strnlen(text, size) == size || (state == SETTING_GOOD) != (text[0] != '\0'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct settings s;

	if (settings_read(data, size, &s, &e) != 0)
		return 0;
	check(s.bundle.url.state, s.bundle.url.text, sizeof(s.bundle.url.text));
	check(s.bundle.md5.state, s.bundle.md5.text, sizeof(s.bundle.md5.text));
	if (s.enable.on && s.enable.state != SETTING_GOOD)
		abort();
	settings_release(&s);
	return 0;
}
