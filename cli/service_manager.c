/* SPDX-License-Identifier: ISC */
#include "cli/service_manager.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define ADMIN_NAME "admin"

static void
names_free(char **names)
{
	for (char **name = names; name != NULL && *name != NULL; name++)
		free(*name);
	free(names);
}

int
manager_sockets_take(struct manager_sockets *ret, struct err *e)
{
	struct manager_sockets s = { -1, -1 };
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names), rc = 0;

	if (count < 0)
		return err_errno(e, ERR_FAILED, -count, "sockets of the service manager");
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i, *to = &s.phones;

		if (names != NULL && strcmp(names[i], ADMIN_NAME) == 0)
			to = &s.admin;
		if (*to < 0)
			*to = fd;
		else
			rc = err_set(e, ERR_INPUT,
			    "sockets of the service manager: expected one for the phones and at most one with "
			    "FileDescriptorName=" ADMIN_NAME ", found more");
	}
	for (int i = 0; i < count && rc != 0; i++)
		(void)close(SD_LISTEN_FDS_START + i);
	names_free(names);
	if (rc == 0)
		*ret = s;
	return rc;
}

void
manager_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

/* Its clock tells a reload that was asked for before from one after. */
void
manager_reloading(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

void
manager_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

long
manager_alive_interval(void)
{
	uint64_t us = 0;

	/* Half of it, as sd_watchdog_enabled(3) recommends. */
	if (sd_watchdog_enabled(0, &us) <= 0)
		return -1;
	return us / 2000 < LONG_MAX ? (long)(us / 2000) : LONG_MAX;
}

void
manager_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
