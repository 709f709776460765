/* SPDX-License-Identifier: ISC */
#include "phone/boot_options.h"

#include "common/log.h"
#include "common/text.h"

#include <string.h>

static int
options_read(const struct invocation *in, struct boot_options *o, struct err *e)
{
	const char *auth = in->option[BOOT_OPT_AUTH], *clock = in->option[BOOT_OPT_CLOCK];
	unsigned long seconds = 0;

	*o = (struct boot_options){ .auth = FETCH_AUTH_ANY, .clock = time(NULL) };
	if (auth != NULL && fetch_auth_parse(auth, &o->auth, e) != 0)
		return -1;
	if (clock != NULL && text_time_parse(clock, "clock", &o->clock, e) != 0)
		return err_usage(e);
	if (command_number(in->option[BOOT_OPT_TIMEOUT], 1, 3600, "timeout", &seconds, e) != 0)
		return -1;
	o->tunnel.seconds = (unsigned int)seconds;
	o->no_connect = in->option[BOOT_OPT_NO_CONNECT] != NULL;
	return 0;
}

int
boot_begin(const struct invocation *in, const char *dir, struct phone *ret_phone, struct boot_options *ret,
    struct err *e)
{
	const char *url = in->option[BOOT_OPT_CONFIG_URL];
	struct boot_options o;

	if (options_read(in, &o, e) != 0)
		return -1;
	/* Every user of the machine can read a command line. */
	if (url != NULL && strchr(url, '@') != NULL && !in->quiet)
		log_warn("--config-url with a password in it shows in the list of processes: use --config-url-file");
	if (phone_open_boot(in, dir, ret_phone, &o.upgraded, e) != 0)
		return -1;
	if (phone_take_url(ret_phone, url, in->option[BOOT_OPT_CONFIG_URL_FILE], e) != 0) {
		phone_close(ret_phone);
		return -1;
	}
	*ret = o;
	return 0;
}
