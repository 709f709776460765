/* SPDX-License-Identifier: ISC */
#ifndef PHONE_SETTINGS_H
#define PHONE_SETTINGS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The phone's reader of its XML: the three settings of the vendor's page, section "Configuration Elements", and what the
 * phone keeps of the others.
 */

#define SETTINGS_XML_MAX (1 << 20) /* bytes; what a phone can hold is not known */
#define SETTINGS_URL_SIZE 2048
#define SETTINGS_PASSWORD_SIZE 65
#define SETTINGS_MD5_SIZE 65	/* compared as text, so it need not have 32 digits (the page's sample is "abc123") */

enum setting_state {
	SETTING_ABSENT,
	SETTING_GOOD,
	SETTING_INVALID,
};

/* value="0" or "1". on is true only when the state is good, and the value 1: the default of all three is off. */
struct setting_switch {
	enum setting_state state;
	bool on;
};

/* text is "" unless the state is good. */
struct setting_url {
	enum setting_state state;
	char text[SETTINGS_URL_SIZE];
};

struct setting_md5 {
	enum setting_state state;
	char text[SETTINGS_MD5_SIZE];
};

struct settings_bundle {
	bool present;		/* the element is there at all */
	struct setting_switch use;
	struct setting_url url;
	struct setting_md5 md5;
};

/* The phone's admin password, which its web page asks for. Text is "" unless the state is good. */
struct setting_password {
	enum setting_state state;
	char text[SETTINGS_PASSWORD_SIZE];
};

struct settings {
	struct setting_switch enable, logging;
	struct settings_bundle bundle;
	struct setting_password admin;
	struct setting_url config;	/* config_server_url for any network: where the XML comes from at the next boot */
	const char *repeated;	/* the name of a setting that stands there twice, the last one counting, or NULL */
};

/*
 * Read a document. ERR_INPUT when it is no well-formed <config>, or holds a DOCTYPE, which no phone's XML needs and
 * which is never read: nothing is fetched and nothing expanded. A setting with a bad value does not fail the document:
 * its state says so. It holds passwords: settings_release() cleanses.
 */
int settings_read(const void *xml, size_t len, struct settings *ret, struct err *e);
void settings_release(struct settings *s);

/* 0, or -1 with ERR_INPUT for the first setting whose value the vendor's page does not know. */
int settings_check(const struct settings *s, struct err *e);

#endif
