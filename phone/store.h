/* SPDX-License-Identifier: ISC */
#ifndef PHONE_STORE_H
#define PHONE_STORE_H

#include "common/buf.h"
#include "common/err.h"
#include "dseries/firmware.h"
#include "dseries/mac.h"
#include "dseries/model.h"
#include "phone/md5.h"
#include "phone/settings.h"

#include <stdbool.h>

/*
 * The phone's flash memory: a folder (0700) with state.json and bundle-<md5>.ovpn (both 0600).
 *
 * state.json is replaced as a whole, and names the bundle that counts; a bundle is whole on disk before it is named. So
 * a power cut between any two steps leaves the old or the new one; what it leaves beside is removed by store_tidy().
 */
#define STORE_BUNDLE_MAX (1 << 20) /* bytes; how much a phone can store is not known */

struct store {
	char *dir;
	int lock;		/* -1: opened to look only */
	bool fresh;		/* there was no state.json */

	char mac[MAC_SIZE];	/* "" before the first boot, as the next two */
	char model[MODEL_NAME_SIZE];
	char firmware[FIRMWARE_SIZE];

	char config_url[SETTINGS_URL_SIZE];	/* "" when none; may hold a password */
	bool enable, logging;	/* the settings as last read */
	char md5[MD5_HEX_SIZE];	/* of the installed bundle, "" when none */
	char tunnel_md5[MD5_HEX_SIZE];	/* of the bundle that the last tunnel was started with */
};

/*
 * Open to change: makes the folder when it is absent, and locks it. ERR_CONFLICT when another refphone holds it, when
 * others than the owner may enter it, or when state.json is of another version; ERR_INTEGRITY when it cannot be read.
 */
int store_open(const char *dir, struct store *ret, struct err *e);

/* Open to look at what is there: ERR_NOT_FOUND when no phone was booted in the folder. */
int store_look(const char *dir, struct store *ret, struct err *e);

void store_close(struct store *s);

/* Write state.json. */
int store_save(const struct store *s, struct err *e);

/*
 * The stored bundle. ERR_NOT_FOUND when there is none or its file is gone, ERR_INTEGRITY when its bytes are not those
 * that were installed.
 */
int store_bundle_load(const struct store *s, struct buf *out, struct err *e);

/* Put a bundle in the place of the stored one. md5 is that of its bytes. */
int store_bundle_install(struct store *s, const struct buf *bundle, const char *md5, struct err *e);

/* Remove what a power cut left behind. */
int store_tidy(const struct store *s, struct err *e);

/* Section "Replacing Configuration": all but the phone's identity is deleted. */
int store_reset(struct store *s, struct err *e);

#endif
