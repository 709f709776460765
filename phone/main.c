/* SPDX-License-Identifier: ISC */
#include "phone/commands.h"

#include "common/process.h"

static const struct option_def globals[] = {
	[GLOBAL_STATE] = { "state", "DIR", "folder of what the phone keeps (required)" },
	[GLOBAL_MAC] = { "mac", "MAC", "MAC address (required at the first boot, remembered then)" },
	[GLOBAL_MODEL] = { "model", "MODEL", "D40, D45, D50, D60, D62, D65, D70 or D80 (as --mac)" },
	[GLOBAL_FIRMWARE] = { "firmware", "VERSION", "firmware, as 2_7_0 (as --mac; another one is an upgrade)" },
	OPTION_END,
};

static const struct command *const commands[] = {
	&command_boot,
	&command_verify,
	&command_status,
	&command_screen,
	&command_connect,
	&command_disconnect,
	&command_factory_reset,
	&command_web,
	&command_fleet,
	NULL,
};

static const struct program program = {
	.name = "refphone",
	.summary = "A D-series desk phone in software: does with its VPN settings what the vendor's page says",
	.globals = globals,
	.commands = commands,
};

int
main(int argc, char **argv)
{
	process_harden();
	return command_main(&program, argc, argv);
}
