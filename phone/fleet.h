/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_H
#define PHONE_FLEET_H

#include "phone/fleet_result.h"
#include "phone/fleet_boot.h"

/*
 * Boot all phones of plan.list, at most concurrency of them at the same time, in one thread: curl's multi handle and
 * epoll, and no OpenVPN. The first phone without a fault goes alone, so that the names of the servers are known when the
 * others come. SIGINT, SIGTERM and SIGHUP (process_stop_block()) end it early, which ret->stopped tells.
 *
 * ERR_USAGE when the process may not have so many connections; -1 else only when this machine fails it: what a phone
 * comes to is in the list and in ret, which is the caller's to release in any case.
 */
int fleet_run(struct fleet_list *list, const struct fleet_boot_plan *plan, size_t concurrency, bool quiet,
    struct fleet_result *ret, struct err *e);

#endif
