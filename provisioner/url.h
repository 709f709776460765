/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_URL_H
#define PROVISIONER_URL_H

#include "common/buf.h"
#include "common/err.h"

/*
 * The base that phones reach the HTTP server by: http:// or https://, a host, no user, no query, no fragment, no blank
 * or control character; a '/' at the end is optional. ERR_INPUT with what was found.
 */
int url_check_base(const char *base, struct err *e);

/*
 * Append the base as a phone shall have it for its config_server_url, with a '/' at its end: with "user:password@"
 * percent-encoded in front of the host when user is not NULL (vendor page, "Configuration Elements"). A secret then.
 */
int url_login(const char *base, const char *user, const char *password, struct buf *out, struct err *e);

/* Append the URL of a bundle, "BASE/ovpn/<md5>/<mac>.ovpn", with the login as in url_login(). */
int url_bundle(const char *base, const char *user, const char *password, const char *md5, const char *mac,
    struct buf *out, struct err *e);

/* The path part of the base, without the '/' at its end: "" or "/phones". Appended to out. */
int url_base_path(const char *base, struct buf *out, struct err *e);

#endif
