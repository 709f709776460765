/* SPDX-License-Identifier: ISC */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "common/command.h"

/* One file a subcommand, or a family of them. */
extern const struct command command_init;
extern const struct command command_import_easyrsa;
extern const struct command command_import_ovpn;
extern const struct command command_phone_add;
extern const struct command command_phone_import;
extern const struct command command_phone_list;
extern const struct command command_phone_show;
extern const struct command command_phone_explain;
extern const struct command command_phone_set;
extern const struct command command_phone_remove;
extern const struct command command_phone_reset;
extern const struct command command_enroll_open;
extern const struct command command_enroll_close;
extern const struct command command_enroll_status;
extern const struct command command_mint;
extern const struct command command_keypool_fill;
extern const struct command command_keypool_status;
extern const struct command command_keypool_clear;
extern const struct command command_emit_bundle;
extern const struct command command_emit_md5;
extern const struct command command_emit_xml;
extern const struct command command_emit_url;
extern const struct command command_emit_fleet;
extern const struct command command_emit_server;
extern const struct command command_emit_pjsip;
extern const struct command command_emit_dhcp;
extern const struct command command_check_xml;
extern const struct command command_check_fleet;
extern const struct command command_ca_list;
extern const struct command command_ca_add;
extern const struct command command_ca_promote;
extern const struct command command_ca_drop;
extern const struct command command_server_show;
extern const struct command command_server_renew;
extern const struct command command_export;
extern const struct command command_serve;
extern const struct command command_watch;
extern const struct command command_rollout_create;
extern const struct command command_rollout_start;
extern const struct command command_rollout_status;
extern const struct command command_rollout_list;
extern const struct command command_rollout_pause;
extern const struct command command_rollout_resume;
extern const struct command command_rollout_abort;
extern const struct command command_rollout_confirm;
extern const struct command command_rollout_rollback;
extern const struct command command_rollout_retry;
extern const struct command command_rollout_add;
extern const struct command command_rollout_drop;
extern const struct command command_rollout_step;
extern const struct command command_rollout_simulate;
extern const struct command command_health;
extern const struct command command_check_server;
extern const struct command command_retire;
extern const struct command command_revoke;
extern const struct command command_crl;
extern const struct command command_config_get;
extern const struct command command_config_set;
extern const struct command command_config_list;
extern const struct command command_events;
extern const struct command command_check_ovpn;
extern const struct command command_check_rules;

#endif
