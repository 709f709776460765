/* SPDX-License-Identifier: ISC */
#include "cli/settings.h"

#include "bundler/network.h"
#include "cli/settings_remotes.h"
#include "common/text.h"
#include "provisioner/url.h"

#include <stdio.h>
#include <string.h>

#define DAYS_MAX 36500
#define KEYS_MAX 1000000

typedef int setting_check(const char *value, const char *name, struct err *e);

static int
check_text(const char *value, const char *name, struct err *e)
{
	if (value[0] == '\0' || strlen(value) > 40 || !text_is_clean(value, strlen(value)))
		return err_set(e, ERR_INPUT, "%s: expected 1 to 40 bytes of text without control characters", name);
	return 0;
}

static int
check_command(const char *value, const char *name, struct err *e)
{
	if (!text_is_clean(value, strlen(value)))
		return err_set(e, ERR_INPUT, "%s: expected a command without control characters", name);
	return 0;
}

static int
check_dir(const char *value, const char *name, struct err *e)
{
	if (value[0] != '\0' && (value[0] != '/' || !text_is_clean(value, strlen(value))))
		return err_set(e, ERR_INPUT, "%s: expected the absolute path of a folder, or nothing", name);
	return 0;
}

/* It stands between quotes in WWW-Authenticate (RFC 9110 section 5.6.4). */
static int
check_realm(const char *value, const char *name, struct err *e)
{
	if (strpbrk(value, "\"\\") != NULL)
		return err_set(e, ERR_INPUT, "%s: expected text without quotes and backslashes", name);
	return check_text(value, name, e);
}

static int
check_url(const char *value, const char *name, struct err *e)
{
	return url_check_base(value, e) != 0 ? err_prefix(e, "%s", name) : 0;
}

static int
check_host(const char *value, const char *name, struct err *e)
{
	return profile_check_host(value, name, e);
}

static int
check_host_or_none(const char *value, const char *name, struct err *e)
{
	return value[0] == '\0' ? 0 : profile_check_host(value, name, e);
}

static int
check_port(const char *value, const char *name, struct err *e)
{
	unsigned long n;

	return text_number(value, 1, 65535, name, &n, e);
}

static int
check_verb(const char *value, const char *name, struct err *e)
{
	unsigned long n;

	return text_number(value, 0, 11, name, &n, e);
}

static int
check_days(const char *value, const char *name, struct err *e)
{
	unsigned long n;

	return text_number(value, 1, DAYS_MAX, name, &n, e);
}

static int
check_keys(const char *value, const char *name, struct err *e)
{
	unsigned long n;

	return text_number(value, 0, KEYS_MAX, name, &n, e);
}

static int
check_date(const char *value, const char *name, struct err *e)
{
	time_t when;

	if (text_time_parse(value, name, &when, e) != 0)
		return -1;
	if (when < 0 || when > time(NULL))
		return err_set(e, ERR_INPUT, "%s: expected a date from 1970-01-01 to today, found %s", name, value);
	return 0;
}

static int
check_one_of(const char *value, const char *name, const char *const *words, const char *list, struct err *e)
{
	char shown[64];

	for (; *words != NULL; words++) {
		if (strcmp(value, *words) == 0)
			return 0;
	}
	return err_set(e, ERR_INPUT, "%s: expected %s, found \"%s\"", name, list,
	    text_printable(value, shown, sizeof(shown)));
}

static int
check_bool(const char *value, const char *name, struct err *e)
{
	static const char *const words[] = { "yes", "no", NULL };

	return check_one_of(value, name, words, "yes or no", e);
}

static int
check_keygen(const char *value, const char *name, struct err *e)
{
	static const char *const words[] = { "native", "library", NULL };

	return check_one_of(value, name, words, "native or library", e);
}

static int
check_transport(const char *value, const char *name, struct err *e)
{
	static const char *const words[] = { "udp", "tcp", "tls", NULL };

	return check_one_of(value, name, words, "udp, tcp or tls", e);
}

static int
check_proto(const char *value, const char *name, struct err *e)
{
	enum profile_proto proto;

	return profile_parse_proto(value, &proto, e) != 0 ? err_prefix(e, "%s", name) : 0;
}

static int
check_server_check(const char *value, const char *name, struct err *e)
{
	enum profile_server_check check;

	return profile_parse_server_check(value, &check, e) != 0 ? err_prefix(e, "%s", name) : 0;
}

static int
check_remotes(const char *value, const char *name, struct err *e)
{
	struct profile_params p = { .remote_count = 1 };

	return settings_remotes_parse(value, 1194, &p, e) != 0 ? err_prefix(e, "%s", name) : 0;
}

static int
check_network(const char *value, const char *name, struct err *e)
{
	struct network n;

	return network_parse(value, &n, e) != 0 ? err_prefix(e, "%s", name) : 0;
}

static int
check_crl(const char *value, const char *name, struct err *e)
{
	static const char *const words[] = { "file", "dir", NULL };

	return check_one_of(value, name, words, "file or dir", e);
}

/* "USER:GROUP", "USER" or "": useradd's names, NAME_REGEX of its adduser.conf(5) and 32 bytes. */
static int
check_user(const char *value, const char *name, struct err *e)
{
	size_t user = strcspn(value, ":"), group = value[user] == ':' ? strlen(value + user + 1) : 0;
	bool good = value[0] == '\0' || (user > 0 && (value[user] == '\0' || group > 0));
	char shown[64];

	good = good && user < SETTINGS_USER_SIZE && group < SETTINGS_USER_SIZE;
	for (size_t i = 0; good && value[i] != '\0'; i++)
		good = i == user ||
		       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", value[i]);
	if (good)
		return 0;
	return err_set(e, ERR_INPUT, "%s: expected USER, USER:GROUP or nothing, found \"%s\"", name,
	    text_printable(value, shown, sizeof(shown)));
}

/* Cipher and digest are judged by who writes them. */
static int
check_by_rendering(const char *value, const char *name, struct err *e)
{
	struct profile_params p = {
		.remotes = { { .host = "vpn.example.com", .port = 1194 } },
		.remote_count = 1,
		.cipher = "AES-256-CBC",
		.auth = "SHA1",
	};
	struct buf text = BUF_INIT(65536);
	int rc = 0;

	if (strcmp(name, settings_name(SET_VPN_CIPHER)) == 0)
		p.cipher = value;
	else
		p.auth = value;
	if (profile_render(&p, NULL, 0, &text, e) != 0)
		rc = err_prefix(e, "%s", name);
	buf_release(&text);
	return rc;
}

static const struct {
	const char *name, *value, *help;
	setting_check *check;
} table[SET_COUNT] = {
	[SET_ORG] = { "org", "phonevpn", "organization in every certificate", check_text },
	[SET_URL] = { "url", "", "base URL at which phones reach 'phonevpn serve'", check_url },
	[SET_REALM] = { "realm", "phonevpn", "realm of the HTTP login", check_realm },
	[SET_VPN_HOST] = { "vpn-host", "", "OpenVPN server's name or address, as the phones reach it", check_host },
	[SET_VPN_PORT] = { "vpn-port", "1194", "OpenVPN server's port", check_port },
	[SET_VPN_PROTO] = { "vpn-proto", "udp", "udp or tcp", check_proto },
	[SET_VPN_REMOTES] = { "vpn-remotes", "", "further servers, HOST[:PORT],..., tried in this order",
	    check_remotes },
	[SET_VPN_NETWORK] = { "vpn-network", "10.8.0.0/16", "addresses inside the VPN", check_network },
	[SET_VPN_USER] = { "vpn-user", "nobody:nogroup", "USER[:GROUP] that the server's OpenVPN becomes; empty: none",
	    check_user },
	[SET_VPN_CRL] = { "vpn-crl", "file", "how the server looks revocations up: file (the CRL) or dir (by serials)",
	    check_crl },
	[SET_VPN_CIPHER] = { "vpn-cipher", "AES-256-CBC", "data channel's cipher, one of the phone's list",
	    check_by_rendering },
	[SET_VPN_AUTH] = { "vpn-auth", "SHA1", "data channel's HMAC digest, the same on the server",
	    check_by_rendering },
	[SET_VPN_LZO] = { "vpn-lzo", "no", "comp-lzo in the bundle, yes or no", check_bool },
	[SET_VPN_SERVER_CHECK] = { "vpn-server-check", "remote-cert-tls", "remote-cert-tls or ns-cert-type",
	    check_server_check },
	[SET_VPN_VERB] = { "vpn-verb", "3", "verbosity of the phone's OpenVPN, 0 to 11", check_verb },
	[SET_VPN_ENABLE] = { "vpn-enable", "yes", "phones connect at boot, yes or no", check_bool },
	[SET_VPN_LOGGING] = { "vpn-logging", "no", "openvpn_logging, only when the vendor's support asks", check_bool },
	[SET_CA_DAYS] = { "ca-days", "7300", "life of a CA certificate", check_days },
	[SET_SERVER_DAYS] = { "server-days", "3650", "life of a server certificate", check_days },
	[SET_PHONE_DAYS] = { "phone-days", "1825", "life of a phone's certificate", check_days },
	[SET_CRL_DAYS] = { "crl-days", "3650", "life of a CRL; when one runs out, the server lets nobody in",
	    check_days },
	[SET_RENEW_DAYS] = { "renew-days", "60", "'mint' renews certificates that end within this", check_days },
	[SET_NOT_BEFORE] = { "not-before", "1970-01-01",
	    "start of every certificate's validity: phones boot with a wrong clock", check_date },
	[SET_KEYGEN] = { "keygen", "native", "how keys are made: native, or library (OpenSSL's own, slower)",
	    check_keygen },
	[SET_KEYPOOL] = { "keypool", "64", "keys that 'serve' keeps ready for phones to come", check_keys },
	[SET_SIP_SERVER] = { "sip-server", "", "SIP server of the accounts in minimal documents", check_host_or_none },
	[SET_SIP_PORT] = { "sip-port", "5060", "its port", check_port },
	[SET_SIP_TRANSPORT] = { "sip-transport", "udp", "udp, tcp or tls", check_transport },
	[SET_NOTIFY_COMMAND] = { "notify-command", "", "what a rollout runs to have a phone fetch now (rollout step)",
	    check_command },
	[SET_SERVER_DIR] = { "server-dir", "",
	    "the folder of 'emit server' that OpenVPN reads: each CRL is written there", check_dir },
};

const char *
settings_name(enum setting which)
{
	return table[which].name;
}

const char *
settings_help(enum setting which)
{
	return table[which].help;
}

int
settings_find(const char *name, enum setting *ret, struct err *e)
{
	struct buf names = BUF_INIT(ERR_TEXT_MAX);
	char shown[64];

	for (unsigned int i = 0; i < SET_COUNT; i++) {
		if (strcmp(name, table[i].name) == 0) {
			*ret = (enum setting)i;
			buf_release(&names);
			return 0;
		}
		buf_addf(&names, "%s%s", i > 0 ? ", " : "", table[i].name);
	}
	err_set(e, ERR_NOT_FOUND, "%s: no such setting; there are %s", text_printable(name, shown, sizeof(shown)),
	    buf_string(&names));
	buf_release(&names);
	return -1;
}

void
settings_default(struct settings *s)
{
	for (unsigned int i = 0; i < SET_COUNT; i++)
		(void)snprintf(s->value[i], sizeof(s->value[i]), "%s", table[i].value);
}

int
settings_put(struct settings *s, enum setting which, const char *value, struct err *e)
{
	if (table[which].check(value, table[which].name, e) != 0)
		return -1;
	return text_copy(s->value[which], sizeof(s->value[which]), value, table[which].name, e);
}

int
settings_load(struct db *db, struct settings *s, struct err *e)
{
	char value[SETTINGS_VALUE_SIZE];
	struct err mine = ERR_INIT;

	settings_default(s);
	for (unsigned int i = 0; i < SET_COUNT; i++) {
		if (db_setting_get(db, table[i].name, value, sizeof(value), &mine) == 0) {
			if (text_copy(s->value[i], sizeof(s->value[i]), value, table[i].name, e) != 0)
				return -1;
		} else if (mine.code != ERR_NOT_FOUND) {
			return err_set(e, mine.code, "%s", mine.text);
		}
	}
	return 0;
}

void
settings_list(const struct settings *s, struct db_setting list[SET_COUNT])
{
	for (unsigned int i = 0; i < SET_COUNT; i++)
		list[i] = (struct db_setting){ .name = table[i].name, .value = s->value[i] };
}

bool
settings_bool(const struct settings *s, enum setting which)
{
	return strcmp(s->value[which], "yes") == 0;
}

unsigned long
settings_number(const struct settings *s, enum setting which)
{
	unsigned long n = 0;

	(void)text_number(s->value[which], 0, 1000000, table[which].name, &n, NULL);
	return n;
}

time_t
settings_time(const struct settings *s, enum setting which)
{
	time_t when = 0;

	(void)text_time_parse(s->value[which], table[which].name, &when, NULL);
	return when;
}

void
settings_server_user(const struct settings *s, char ret_user[SETTINGS_USER_SIZE], char ret_group[SETTINGS_USER_SIZE])
{
	const char *value = s->value[SET_VPN_USER];
	size_t user = strcspn(value, ":");

	/* As long as check_user() lets them be. */
	(void)snprintf(ret_user, SETTINGS_USER_SIZE, "%.*s", (int)user, value);
	(void)snprintf(ret_group, SETTINGS_USER_SIZE, "%s", value[user] == ':' ? value + user + 1 : "");
}

int
settings_profile(const struct settings *s, struct profile_params *ret, struct err *e)
{
	struct profile_params p = {
		.remote_count = 1,
		.cipher = s->value[SET_VPN_CIPHER],
		.auth = s->value[SET_VPN_AUTH],
		.comp_lzo = settings_bool(s, SET_VPN_LZO),
		.verb = (unsigned int)settings_number(s, SET_VPN_VERB),
	};
	unsigned int port = (unsigned int)settings_number(s, SET_VPN_PORT);

	p.remotes[0].port = port;
	if (text_copy(p.remotes[0].host, sizeof(p.remotes[0].host), s->value[SET_VPN_HOST], "vpn-host", e) != 0 ||
	    settings_remotes_parse(s->value[SET_VPN_REMOTES], port, &p, e) != 0 ||
	    profile_parse_proto(s->value[SET_VPN_PROTO], &p.proto, e) != 0 ||
	    profile_parse_server_check(s->value[SET_VPN_SERVER_CHECK], &p.server_check, e) != 0)
		return -1;
	*ret = p;
	return 0;
}
