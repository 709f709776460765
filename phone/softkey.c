/* SPDX-License-Identifier: ISC */
#include "phone/commands.h"
#include "phone/ovpn.h"
#include "phone/phone.h"
#include "phone/status.h"
#include "phone/tunnel.h"

#include <stdio.h>

/* What a person can do at the phone: the two soft keys of the VPN page, and the factory reset. */

enum { OPT_TIMEOUT };

static const struct option_def connect_options[] = {
	[OPT_TIMEOUT] = { "timeout", "SECONDS", "to be connected (70 for each remote)" },
	OPTION_END,
};

/* The soft keys are on a page that is shown only while the VPN is enabled. */
static int
check_page(const struct phone *p, struct err *e)
{
	if (!p->vpn)
		return err_set(e, ERR_CONFLICT, "%s %s: expected a phone that can do OpenVPN, found: %s",
		    p->store.model, p->store.firmware, p->why.text);
	if (!store_enabled(&p->store))
		return err_set(e, ERR_CONFLICT,
		    "%s: expected the VPN enabled, found it disabled: no page has the soft key", p->store.mac);
	return 0;
}

static int
show(const struct invocation *in, const struct phone *p, struct err *e)
{
	struct status s;

	if (status_collect(p, &s, e) != 0)
		return -1;
	if (in->json)
		return command_print_json(status_json(&s), e);
	if (!in->quiet)
		status_print(&s);
	return 0;
}

/* Start the tunnel with the bundle in use; 0 seconds: the default. */
static int
bring_up(struct phone *p, unsigned int seconds, struct err *e)
{
	struct tunnel_options tunnel = { .seconds = seconds };
	struct limits_offer offer;
	struct tunnel_status t;
	enum verdict verdict;
	struct limits limits;
	struct ovpn o;
	int rc;

	if (phone_read_bundle(p, &o, e) != 0)
		return -1;
	rc = phone_limit(p, &o, &offer, &limits, e);
	if (rc == 0) {
		if (seconds == 0)
			tunnel.seconds = TUNNEL_SECONDS * o.remotes;
		rc = phone_connect(p, &limits.config, &tunnel, &t, &verdict, e);
		limits_release(&limits);
	}
	ovpn_release(&o);
	return rc;
}

static int
connect_run(const struct invocation *in, struct err *e)
{
	unsigned long seconds = 0;
	struct tunnel_status t;
	struct phone p;
	int rc = -1;

	if (command_number(in->option[OPT_TIMEOUT], 1, 3600, "timeout", &seconds, e) != 0)
		return -1;
	if (phone_open(in, true, &p, e) != 0)
		return -1;
	if (check_page(&p, e) == 0 && tunnel_look(p.store.dir, &t, e) == 0 &&
	    (t.state == TUNNEL_CONNECTED ||
		(tunnel_stop(p.store.dir, NULL, e) == 0 && bring_up(&p, (unsigned int)seconds, e) == 0)))
		rc = show(in, &p, e);
	phone_close(&p);
	return rc;
}

static int
disconnect_run(const struct invocation *in, struct err *e)
{
	struct phone p;
	int rc = -1;

	if (phone_open(in, true, &p, e) != 0)
		return -1;
	/* Without a look at the page: a tunnel that runs, for whatever reason, is brought down. */
	if (tunnel_stop(p.store.dir, NULL, e) == 0)
		rc = show(in, &p, e);
	phone_close(&p);
	return rc;
}

static int
reset_run(const struct invocation *in, struct err *e)
{
	struct phone p;
	int rc = -1;

	if (phone_open(in, true, &p, e) != 0)
		return -1;
	if (tunnel_stop(p.store.dir, NULL, e) == 0 && store_reset(&p.store, e) == 0) {
		tunnel_forget(p.store.dir);
		rc = show(in, &p, e);
	}
	phone_close(&p);
	return rc;
}

const struct command command_connect = {
	.name = "connect",
	.summary = "Press the Connect soft key: start the VPN with the stored configuration file",
	.options = connect_options,
	.run = connect_run,
};

const struct command command_disconnect = {
	.name = "disconnect",
	.summary = "Press the Disconnect soft key: end the VPN",
	.run = disconnect_run,
};

const struct command command_factory_reset = {
	.name = "factory-reset",
	.summary = "Delete all that the phone stored: settings, configuration URL and bundle",
	.details = "MAC, model and firmware stay. The next boot needs --config-url again.",
	.run = reset_run,
};
