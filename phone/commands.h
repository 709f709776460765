/* SPDX-License-Identifier: ISC */
#ifndef PHONE_COMMANDS_H
#define PHONE_COMMANDS_H

#include "common/command.h"

/* The program's global options, in the order of main.c's table. */
enum {
	GLOBAL_STATE,
	GLOBAL_MAC,
	GLOBAL_MODEL,
	GLOBAL_FIRMWARE,
};

extern const struct command command_boot;
extern const struct command command_status;
extern const struct command command_screen;
extern const struct command command_verify;
extern const struct command command_connect;
extern const struct command command_disconnect;
extern const struct command command_factory_reset;
extern const struct command command_web;
extern const struct command command_fleet;

#endif
