/* SPDX-License-Identifier: ISC */
#ifndef CLI_SERVE_SOURCE_H
#define CLI_SERVE_SOURCE_H

#include "cli/serve_enroll.h"
#include "common/command.h"
#include "provisioner/http.h"

/* The state folder as the HTTP server's source of logins and documents: one handle for each request under way. */
struct serve_source;

#define SERVE_SOURCE_HANDLES_MAX 64

/*
 * Open handles on the state, at most SERVE_SOURCE_HANDLES_MAX. enroll, with the admin's own documents in its
 * base_dir, is borrowed. NULL on failure. Close with serve_source_close(), which takes NULL.
 */
struct serve_source *serve_source_open(const struct invocation *in, const struct serve_enroll *enroll,
    unsigned int handles, struct err *e);
void serve_source_close(struct serve_source *s);

/* What http_start() is given. */
struct http_source serve_source_http(struct serve_source *s);

#endif
