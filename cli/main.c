/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"
#include "cli/state.h"
#include "common/process.h"

static const struct option_def globals[] = {
	[GLOBAL_DIR] = { "dir", "DIR", "state folder ($PHONEVPN_DIR, else " STATE_DIR_DEFAULT ")" },
	[GLOBAL_MASTER_KEY] = { "master-key", "FILE", "the key that seals the state's secrets (DIR/master.key)" },
	OPTION_END,
};

static const struct command *const commands[] = {
	&command_init,
	&command_import_easyrsa,
	&command_import_ovpn,
	&command_phone_add,
	&command_phone_import,
	&command_phone_list,
	&command_phone_show,
	&command_phone_explain,
	&command_phone_set,
	&command_phone_remove,
	&command_phone_reset,
	&command_mint,
	&command_keypool_fill,
	&command_keypool_status,
	&command_keypool_clear,
	&command_emit_bundle,
	&command_emit_md5,
	&command_emit_xml,
	&command_emit_url,
	&command_emit_fleet,
	&command_emit_server,
	&command_emit_pjsip,
	&command_emit_dhcp,
	&command_check_ovpn,
	&command_check_xml,
	&command_check_server,
	&command_check_fleet,
	&command_check_rules,
	&command_ca_list,
	&command_ca_add,
	&command_ca_promote,
	&command_ca_drop,
	&command_server_show,
	&command_server_renew,
	&command_export,
	&command_serve,
	&command_watch,
	&command_rollout_create,
	&command_rollout_start,
	&command_rollout_status,
	&command_rollout_list,
	&command_rollout_pause,
	&command_rollout_resume,
	&command_rollout_abort,
	&command_rollout_confirm,
	&command_rollout_rollback,
	&command_rollout_retry,
	&command_rollout_add,
	&command_rollout_drop,
	&command_rollout_step,
	&command_rollout_simulate,
	&command_health,
	&command_enroll_open,
	&command_enroll_close,
	&command_enroll_status,
	&command_retire,
	&command_revoke,
	&command_crl,
	&command_config_get,
	&command_config_set,
	&command_config_list,
	&command_events,
	NULL,
};

static const struct program program = {
	.name = "phonevpn",
	.summary = "Put a fleet of Sangoma/Digium D-series phones on an OpenVPN network and keep them there",
	.globals = globals,
	.commands = commands,
};

int
main(int argc, char **argv)
{
	process_harden();
	return command_main(&program, argc, argv);
}
