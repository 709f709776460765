/* SPDX-License-Identifier: ISC */
#include "cli/check_clock.h"

#include "common/text.h"

int
check_clock_parse(const struct invocation *in, size_t first, struct check_clock *ret, struct err *e)
{
	const char *at = in->option[first + CHECK_OPT_AT];
	unsigned long days = CHECK_DAYS_DEFAULT;
	time_t now = time(NULL);

	if (at != NULL && text_time_parse(at, "--at", &now, e) != 0)
		return err_usage(e);
	if (command_number(in->option[first + CHECK_OPT_DAYS], 0, 36500, "days", &days, e) != 0)
		return -1;
	*ret = (struct check_clock){ .now = now, .days = (unsigned int)days };
	return 0;
}
