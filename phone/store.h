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
#define STORE_FAILURE_SIZE 400
#define STORE_BUNDLE_MAX (1 << 20) /* bytes; how much a phone can store is not known */

/* What was set on the phone's own web page; it wins over the server's settings until it is reverted. */
struct store_local {
	bool on;	/* there is such an override */
	bool enable;	/* the VPN */
	char md5[MD5_HEX_SIZE];	/* of the uploaded bundle, "" when none */
};

struct store {
	char *dir;	/* NULL: a phone whose flash memory is RAM, see store_memory() */
	int lock;		/* -1: opened to look only */
	bool fresh;		/* there was no state.json */
	struct buf memory;	/* the installed bundle of a phone in RAM */

	char mac[MAC_SIZE];	/* "" before the first boot, as the next two */
	char model[MODEL_NAME_SIZE];
	char firmware[FIRMWARE_SIZE];

	char config_url[SETTINGS_URL_SIZE];	/* "" when none; may hold a password */
	char admin_password[SETTINGS_PASSWORD_SIZE];	/* login_password as last read, "" when none was set */
	bool enable, logging;	/* the server's settings as last read */
	char md5[MD5_HEX_SIZE];	/* of the server's bundle as installed, "" when none */
	struct store_local local;
	char tunnel_md5[MD5_HEX_SIZE];	/* of the bundle that the last tunnel was started with */
	char tunnel_failure[STORE_FAILURE_SIZE];	/* why it did not come up, cut where it is long; "" when it did */
};

/*
 * Open to change: makes the folder when it is absent, and locks it. ERR_CONFLICT when another refphone holds it, when
 * others than the owner may enter it or it is another user's, or when state.json is of another version; ERR_INTEGRITY when it cannot be read.
 */
int store_open(const char *dir, struct store *ret, struct err *e);

/* Open to look at what is there: ERR_NOT_FOUND when no phone was booted in the folder. */
int store_look(const char *dir, struct store *ret, struct err *e);

/*
 * Lock a file of the phone's folder, made when it is absent, for as long as *ret_fd is open; the caller closes it. Held
 * by another process it is ERR_CONFLICT with that text; *ret_fd is written only on success.
 */
int store_lock(const char *dir, const char *name, const char *held, int *ret_fd, struct err *e);

/*
 * A phone that keeps nothing on disk, for a fleet of them: the functions below work on it alike, but for those of the
 * local override.
 */
void store_memory(struct store *ret);

void store_close(struct store *s);

/* What counts on the phone: the local override where there is one, else what the server said. */
bool store_enabled(const struct store *s);
const char *store_md5(const struct store *s);

/* Write state.json. */
int store_save(const struct store *s, struct err *e);

/*
 * A stored bundle, the server's (s->md5) or the one in use (store_md5()). ERR_NOT_FOUND when md5 is "" or its file is
 * gone, ERR_INTEGRITY when its bytes are not those that were installed.
 */
int store_bundle_load(const struct store *s, const char *md5, struct buf *out, struct err *e);

/* Put a bundle in the place of the server's. md5 is that of its bytes. */
int store_bundle_install(struct store *s, const struct buf *bundle, const char *md5, struct err *e);

/*
 * Set the local override: the VPN enabled or not, and, unless bundle is NULL, an uploaded bundle in the place of the
 * former one.
 */
int store_local_set(struct store *s, bool enable, const struct buf *bundle, const char *md5, struct err *e);

/* Delete the uploaded bundle; the override's switch stays. */
int store_local_delete(struct store *s, struct err *e);

/* Back to what the server supplied. */
int store_local_revert(struct store *s, struct err *e);

/* Remove what a power cut left behind. */
int store_tidy(const struct store *s, struct err *e);

/* Delete the folder with all that is in it, for a phone that was made to be thrown away. */
int store_destroy(const char *dir, struct err *e);

/* Section "Replacing Configuration": all but the phone's identity is deleted. */
int store_reset(struct store *s, struct err *e);

#endif
