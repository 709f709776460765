/* SPDX-License-Identifier: ISC */
#ifndef PHONE_PHONE_H
#define PHONE_PHONE_H

#include "common/command.h"
#include "phone/certificate.h"
#include "phone/limits.h"
#include "phone/ovpn.h"
#include "phone/store.h"
#include "phone/tunnel.h"

#include <stdbool.h>

/* A phone: what it is (from the global options and the state folder) and what it keeps. */
struct phone {
	struct store store;
	const struct model *model;
	struct firmware firmware;
	bool vpn;		/* the page says that this model and firmware can do it */
	struct err why;		/* why not */
};

/*
 * For a boot: the options give a new phone its identity, and a known one another model or firmware, which is an
 * upgrade; *ret_upgraded tells. Another MAC is ERR_CONFLICT. The state is in the folder dir (NULL: that of --state); it
 * is locked, and written.
 */
int phone_open_boot(const struct invocation *in, const char *dir, struct phone *ret, bool *ret_upgraded, struct err *e);

/* A factory-fresh phone that keeps nothing on disk. ERR_INPUT when one of the three is none. */
int phone_in_memory(const char *mac, const char *model, const char *firmware, struct phone *ret, struct err *e);

/*
 * Check the URL that the phone is given, or the one in a file (NULL: none), and store it. None of them keeps the stored
 * one; both, or a bad one, is ERR_USAGE.
 */
int phone_take_url(struct phone *p, const char *url, const char *file, struct err *e);

/* For anything else: a phone that was booted. change: lock the state. */
int phone_open(const struct invocation *in, bool change, struct phone *ret, struct err *e);

void phone_close(struct phone *p);

/* Read the bundle in use as the phone's OpenVPN would: ERR_NOT_FOUND, ERR_INTEGRITY as store.h and ovpn.h say. */
int phone_read_bundle(const struct phone *p, struct ovpn *ret, struct err *e);

/* certificate_check() of such a bundle. */
int phone_check_certificate(const struct ovpn *o, time_t clock, struct certificate_cache *cache,
    struct certificate_info *ret, struct err *e);

/* Hold the installed OpenVPN to what this phone can do with such a bundle: as limits_apply(), and logging as set. */
int phone_limit(const struct phone *p, const struct ovpn *o, struct limits_offer *ret_offer, struct limits *ret,
    struct err *e);

/* Start a tunnel with the bundle in use, whose configuration was made by phone_limit(); the rest as tunnel_start(). */
int phone_connect(struct phone *p, const struct buf *config, const struct tunnel_options *o,
    struct tunnel_status *ret, enum verdict *ret_verdict, struct err *e);

#endif
