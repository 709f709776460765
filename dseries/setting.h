/* SPDX-License-Identifier: ISC */
#ifndef DSERIES_SETTING_H
#define DSERIES_SETTING_H

/* Names in the phone's XML: the vendor's page, section "Configuration Elements". */
#define SETTING_ENABLE "network_default_enable_openvpn"
#define SETTING_BUNDLE "openvpn_inline_config"
#define SETTING_LOGGING "openvpn_logging"

/* Where the phone fetches its XML from; kept across boots, and then asked before DHCP: boot configuration page. */
#define SETTING_CONFIG_URL "config_server_url"

/* The admin's password, digits; 789 from the factory: section "The OpenVPN web configuration page". */
#define SETTING_ADMIN_PASSWORD "login_password"
#define FACTORY_ADMIN_USER "admin"
#define FACTORY_ADMIN_PASSWORD "789"

/* The file that any D-series phone may ask for; no secret belongs into it. */
#define SETTING_GENERIC_FILE "000000000000.cfg"

#endif
