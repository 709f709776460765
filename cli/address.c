/* SPDX-License-Identifier: ISC */
#include "cli/address.h"

#include "cli/phone_report.h"
#include "common/command.h"

#include <stdio.h>
#include <string.h>

#define MASK_LARGEST 0xffff0000 /* a /16 */

int
addresses_of(const struct settings *s, struct addresses *ret, struct err *e)
{
	struct network n;

	if (network_parse(s->value[SET_VPN_NETWORK], &n, e) != 0)
		return -1;
	*ret = (struct addresses){
		.network = n,
		.range = { .first = n.phones_first, .last = n.phones_last },
		.setting = s->value[SET_VPN_NETWORK],
	};
	return 0;
}

const char *
address_text(const struct addresses *a, uint32_t host, char out[NETWORK_ADDRESS_SIZE])
{
	if (host == 0) {
		out[0] = '\0';
		return out;
	}
	return network_host(&a->network, host, out);
}

static size_t
range_size(const struct db_host_range *range)
{
	return range->last - range->first + 1;
}

int
addresses_room(struct db *db, const struct addresses *a, size_t phones, size_t *ret, struct err *e)
{
	size_t taken = 0, room;

	if (db_host_taken(db, &a->range, &taken, e) != 0)
		return -1;
	room = range_size(&a->range) - taken;
	*ret = phones < room ? phones : room;
	return 0;
}

int
addresses_plan(struct db *db, const struct addresses *a, size_t phones, size_t *ret, struct err *e)
{
	size_t room;

	if (addresses_room(db, a, phones, &room, e) != 0)
		return -1;
	if (room < phones && a->network.mask != MASK_LARGEST)
		return err_set(e, ERR_CONFLICT,
		    "VPN network %s: expected %zu free address%s for phones, found %zu of %zu; take a larger one with "
		    "'phonevpn config set vpn-network'",
		    a->setting, phones, phones == 1 ? "" : "es", room, range_size(&a->range));
	*ret = room;
	return 0;
}

bool
address_is_needed(const struct db_phone *p)
{
	return p->vpn_host == 0 && phone_stand(p, NULL) != STAND_TURNED_DOWN;
}

int
addresses_move(const struct invocation *in, struct db *db, const char *network, struct err *e)
{
	const struct db_setting change = { .name = settings_name(SET_VPN_NETWORK), .value = network };
	size_t kept = 0, moved = 0;
	struct db_host_range range;
	struct network n;

	if (network_parse(network, &n, e) != 0)
		return -1;
	range = (struct db_host_range){ .first = n.phones_first, .last = n.phones_last };
	if (db_network_set(db, &change, &range, &kept, &moved, e) != 0)
		return err_prefix(e, "%s %s; nothing was changed", change.name, network);
	if (in->json)
		return command_print_json(json_pack("{s:s,s:I,s:I}", change.name, network, "kept", (json_int_t)kept,
					      "moved", (json_int_t)moved),
		    e);
	if (!in->quiet && kept + moved > 0)
		(void)printf(
		    "%s: %zu phones keep their place in the network, %zu got another; run 'phonevpn emit server'\n",
		    network, kept, moved);
	return 0;
}
