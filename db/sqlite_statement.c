/* SPDX-License-Identifier: ISC */
#include "db/sqlite.h"

/* phone_read() takes these columns in this order. */
#define PHONE_SELECT                                                                          \
	"SELECT p.id, p.mac, p.model, p.firmware, p.extension, p.label, p.grp, p.http_user, " \
	"p.sealed_secret IS NOT NULL, p.created, n.number, p.offered, o.md5, o.created, "     \
	"n.serial, c.not_after, c.revoked, c.authority, n.profile, h.host, "                  \
	"r.enrolled, r.address, r.login "                                                     \
	"FROM phones AS p "                                                                   \
	"LEFT JOIN generations AS n ON n.phone = p.id "                                       \
	"AND n.number = (SELECT max(m.number) FROM generations AS m WHERE m.phone = p.id) "   \
	"LEFT JOIN certificates AS c ON c.serial = n.serial "                                 \
	"LEFT JOIN generations AS o ON o.phone = p.id AND o.number = p.offered "              \
	"LEFT JOIN hosts AS h ON h.phone = p.id "                                             \
	"LEFT JOIN provisioned AS r ON r.phone = p.id "

/* May fetch once without its login, as far as the phone goes: it is offered something, and was never provisioned. */
#define ENROLL_FROM                                                           \
	"FROM phones AS p LEFT JOIN provisioned AS r ON r.phone = p.id "      \
	"WHERE p.offered IS NOT NULL AND (r.phone IS NULL OR "                \
	"(r.opened IS NOT NULL AND r.enrolled IS NULL AND r.login IS NULL)) " \
	"AND ((SELECT named FROM enroll_window) IS NOT 1 OR p.id IN (SELECT phone FROM enroll_phones)) "

/* Authorities that nobody trusts any more: DB_ROLE_DROPPED. */
#define DROPPED "(SELECT id FROM authorities WHERE role = 4) "

/* certificate_read() takes these. */
#define CERTIFICATE_SELECT                                                                                  \
	"SELECT id, serial, authority, name, kind, not_before, not_after, issued, revoked, reason, phone, " \
	"authority IN " DROPPED "FROM certificates "

#define CERTIFICATE_PAGE \
	"AND id > ?1 AND (?2 = 0 OR authority = ?2) AND (?3 = 0 OR revoked IS NOT NULL) ORDER BY id LIMIT ?4"

/* bundle_read() takes these. */
#define BUNDLE_SELECT(index)                                                                             \
	"SELECT g.phone, g.number, g.serial, r.text, c.cert, c.sealed_key, g.md5, g.size, "              \
	"EXISTS (SELECT 1 FROM ladder AS l WHERE (l.phone, l.number, l.rung) = (g.phone, g.number, 2)) " \
	"FROM phones AS p JOIN generations AS g " index "ON g.phone = p.id "                             \
	"JOIN certificates AS c ON c.serial = g.serial JOIN profiles AS r ON r.hash = g.profile "

#define AUTHORITY_SELECT \
	"SELECT id, name, cert, created, crl_number, crl_this_update, crl_next_update, role FROM authorities "

#define ROLLOUT_SELECT                                                                                                  \
	"SELECT r.id, r.name, r.created, r.plan, r.state, r.why, r.stage, r.wave, r.good_since, r.minute, r.in_minute " \
	"FROM rollouts AS r "

/* A rollout that is not over: enum db_rollout_state. */
#define ROLLOUT_OPEN "r.state BETWEEN 1 AND 3 "

/* Whether a rollout is what a phone's newest generation is not offered by: it is not over, or has taken it back. */
#define ROLLOUT_HOLDS(newest) "((" ROLLOUT_OPEN "AND m.state <> 5) OR (m.state = 6 AND m.target = " newest "))"

/* member_read() takes these. */
#define MEMBER_COLUMNS "m.phone, p.mac, m.wave, m.state, m.why, m.forced, m.former, m.target, m.since, m.notified "
#define MEMBER_SELECT "SELECT " MEMBER_COLUMNS "FROM rollout_phones AS m JOIN phones AS p ON p.id = m.phone "
#define MEMBER_FILTER "AND (?5 = 0 OR m.target IS NOT NULL) AND (?6 = 0 OR m.notified IS NULL) "

/*
 * candidate_read() takes these: no more than what a rollout asks of each of 100,000 phones. What is offered is mostly the
 * newest, and so is what a phone has connected with: then nothing else is looked up.
 */
#define CANDIDATE_SELECT                                                                                      \
	"SELECT p.id, p.mac, p.model, p.firmware, p.offered, n.number, n.profile, c.not_after, c.revoked, "   \
	"c.authority, iif(p.offered IS n.number, n.profile, "                                                 \
	"(SELECT o.profile FROM generations AS o WHERE o.phone = p.id AND o.number = p.offered)), "           \
	"iif(p.offered IS n.number, c.not_after, (SELECT x.not_after FROM generations AS o "                  \
	"JOIN certificates AS x ON x.serial = o.serial WHERE o.phone = p.id AND o.number = p.offered)), "     \
	"s.serial IS NOT NULL AND iif(s.serial IS n.serial, c.revoked IS NOT NULL OR c.authority IN " DROPPED \
	", EXISTS (SELECT 1 FROM certificates AS y WHERE y.serial = s.serial "                                \
	"AND (y.revoked IS NOT NULL OR y.authority IN " DROPPED "))), "
#define CANDIDATE_JOINS                                                                     \
	"LEFT JOIN generations AS n ON n.phone = p.id "                                     \
	"AND n.number = (SELECT max(k.number) FROM generations AS k WHERE k.phone = p.id) " \
	"LEFT JOIN certificates AS c ON c.serial = n.serial LEFT JOIN vpn_sessions AS s ON s.phone = p.id "

#define EVENT_SELECT "SELECT id, at, actor, action, subject, detail, hash FROM events "

static const char *const texts[SQL_COUNT] = {
	[SQL_READ_BEGIN] = "BEGIN",
	[SQL_READ_END] = "COMMIT",
	[SQL_DATA_VERSION] = "PRAGMA data_version",

	[SQL_SETTING_GET] = "SELECT value FROM settings WHERE name = ?1",
	[SQL_SETTING_PUT] = "INSERT INTO settings (name, value) VALUES (?1, ?2) "
			    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",

	[SQL_AUTHORITY_ADD] =
	    "INSERT INTO authorities (name, cert, sealed_key, created, crl_number, "
	    "crl_this_update, crl_next_update, crl, role) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	/* ?1: a bit for each role. */
	[SQL_AUTHORITY_ALL] = AUTHORITY_SELECT "WHERE ?1 & (1 << role) ORDER BY id",
	[SQL_AUTHORITY_CURRENT] = AUTHORITY_SELECT "WHERE role = 2 ORDER BY id DESC LIMIT 1",
	[SQL_AUTHORITY_KEY] = "SELECT name, sealed_key FROM authorities WHERE id = ?1",
	[SQL_AUTHORITY_CRL] = "SELECT crl FROM authorities WHERE id = ?1",
	[SQL_AUTHORITY_STATE] = "SELECT name, crl_number, role FROM authorities WHERE id = ?1",
	[SQL_AUTHORITY_SET_CRL] = "UPDATE authorities SET crl_number = ?2, crl_this_update = ?3, "
				  "crl_next_update = ?4, crl = ?5 WHERE id = ?1",
	[SQL_AUTHORITY_SET_ROLE] = "UPDATE authorities SET role = ?2 WHERE id = ?1",
	[SQL_AUTHORITY_OFFERED] = "SELECT count(*), min(p.mac) FROM phones AS p "
				  "JOIN generations AS g ON g.phone = p.id AND g.number = p.offered "
				  "JOIN certificates AS c ON c.serial = g.serial WHERE c.authority = ?1",

	[SQL_CERTIFICATE_ADD] = "INSERT INTO certificates (serial, authority, phone, name, kind, not_before, "
				"not_after, issued, cert, sealed_key) "
				"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_CERTIFICATE_GET] = CERTIFICATE_SELECT "WHERE serial = ?1",
	[SQL_CERTIFICATE_SERVER] = CERTIFICATE_SELECT
	"INDEXED BY certificates_server WHERE kind = 'server' "
	"AND authority IN (SELECT id FROM authorities WHERE role IN (2, 3)) "
	"ORDER BY id DESC LIMIT 1",
	[SQL_CERTIFICATE_DER] = "SELECT cert, sealed_key FROM certificates WHERE serial = ?1",
	[SQL_CERTIFICATE_PAGE] = CERTIFICATE_SELECT "WHERE true " CERTIFICATE_PAGE,
	/* Two look-ups; with OR, the order would cost a walk over all. */
	[SQL_CERTIFICATE_PAGE_BY_NAME] = CERTIFICATE_SELECT
	"WHERE id IN (SELECT id FROM certificates WHERE name = ?5 UNION SELECT id FROM certificates "
	"WHERE phone = (SELECT id FROM phones WHERE mac = ?5)) " CERTIFICATE_PAGE,
	[SQL_CERTIFICATE_PAGE_REVOKED] = CERTIFICATE_SELECT "INDEXED BY certificates_revoked "
							    "WHERE revoked IS NOT NULL " CERTIFICATE_PAGE,
	[SQL_CERTIFICATE_PAGE_SERVER] = CERTIFICATE_SELECT "INDEXED BY certificates_server "
							   "WHERE kind = 'server' " CERTIFICATE_PAGE,
	[SQL_CERTIFICATE_PHONE] = "SELECT phone, revoked, authority IN " DROPPED "FROM certificates WHERE serial = ?1",
	[SQL_CERTIFICATE_REVOKE] = "UPDATE certificates SET revoked = ?2, reason = ?3 WHERE serial = ?1",
	[SQL_CERTIFICATE_COMPLETE] =
	    "UPDATE certificates SET phone = ?2, name = ?3, cert = ?4, sealed_key = ?5 WHERE serial = ?1",
	[SQL_CERTIFICATE_LEFT] = "SELECT serial FROM certificates WHERE phone = ?1 AND revoked IS NULL "
				 "AND authority NOT IN " DROPPED "LIMIT 1",
	[SQL_CERTIFICATE_TALLY] = "SELECT authority, sum(kind = 'phone'), sum(kind = 'server') FROM certificates "
				  "WHERE revoked IS NULL AND not_after > ?1 GROUP BY authority",

	[SQL_PHONE_ADD] = "INSERT INTO phones (mac, model, firmware, extension, label, grp, http_user, "
			  "sealed_http_password, sealed_secret, created) "
			  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_PHONE_BY_ID] = PHONE_SELECT "WHERE p.id = ?1",
	[SQL_PHONE_BY_MAC] = PHONE_SELECT "WHERE p.mac = ?1",
	[SQL_PHONE_BY_USER] = PHONE_SELECT "WHERE p.http_user = ?1",
	[SQL_PHONE_PAGE] = PHONE_SELECT "WHERE p.mac > ?1 AND (?2 IS NULL OR p.grp = ?2) "
					"AND (?3 IS NULL OR p.model = ?3) ORDER BY p.mac LIMIT ?4",
	[SQL_PHONE_COUNT] = "SELECT count(*) FROM phones WHERE (?1 IS NULL OR grp = ?1) AND (?2 IS NULL OR model = ?2)",
	/* As PHONE_SELECT sees them: the newest generation's certificate. */
	[SQL_PHONE_TALLY] =
	    "SELECT p.model, p.firmware, p.newest IS NOT NULL, p.newest IS NOT NULL AND p.newest IS p.offered, "
	    "c.revoked IS NOT NULL AS is_revoked, count(*), min(c.not_after), "
	    "sum(c.not_after < ?1), sum(c.not_after < ?2), sum(c.not_after < ?3), "
	    "sum(p.newest IS NOT p.offered AND EXISTS (SELECT 1 FROM rollout_phones AS m "
	    "JOIN rollouts AS r ON r.id = m.rollout WHERE m.phone = p.id AND " ROLLOUT_HOLDS(
		"p.newest") ")) FROM "
			    "(SELECT id, model, firmware, offered, "
			    "(SELECT max(m.number) FROM generations AS m WHERE m.phone = phones.id) AS newest FROM phones) AS p "
			    "LEFT JOIN generations AS n ON n.phone = p.id AND n.number = p.newest "
			    "LEFT JOIN certificates AS c ON c.serial = n.serial GROUP BY 1, 2, 3, 4, 5",
	/* 1970-01-05 was a Monday. */
	[SQL_PHONE_END_WEEKS] = "SELECT (c.not_after - 345600) / 604800 AS week, count(*) FROM phones AS p "
				"JOIN generations AS n ON n.phone = p.id AND n.number = "
				"(SELECT max(m.number) FROM generations AS m WHERE m.phone = p.id) "
				"JOIN certificates AS c ON c.serial = n.serial AND c.revoked IS NULL "
				"GROUP BY week ORDER BY week",
	[SQL_PHONE_SEEN] = "SELECT count(*), count(s.phone) - count(s.ended), sum(s.phone IS NULL), "
			   "sum(s.phone IS NULL OR coalesce(s.ended < ?1, false)) "
			   "FROM phones AS p LEFT JOIN vpn_sessions AS s ON s.phone = p.id WHERE p.offered IS NOT NULL",
	[SQL_PHONE_SEALED] = "SELECT mac, sealed_secret, sealed_http_password FROM phones WHERE id = ?1",
	/* login_read() takes these. Nothing of certificates, which are the larger part of the database. */
	[SQL_PHONE_LOGIN] =
	    "SELECT p.id, p.mac, p.model, p.firmware, p.extension, p.label, p.http_user, p.sealed_secret IS NOT NULL, "
	    "p.offered, o.md5, r.enrolled, r.login, p.sealed_http_password, "
	    "(SELECT sum(1 << l.rung) FROM ladder AS l WHERE l.phone = p.id AND l.number = p.offered AND l.rung <= 2) "
	    "FROM phones AS p "
	    "LEFT JOIN generations AS o ON o.phone = p.id AND o.number = p.offered "
	    "LEFT JOIN provisioned AS r ON r.phone = p.id WHERE p.http_user = ?1",
	[SQL_PHONE_SET] = "UPDATE phones SET model = ?2, firmware = ?3, extension = ?4, label = ?5, grp = ?6, "
			  "http_user = ?7 WHERE id = ?1",
	[SQL_PHONE_SET_SECRET] = "UPDATE phones SET sealed_secret = ?2 WHERE id = ?1",
	[SQL_PHONE_SET_HTTP_PASSWORD] = "UPDATE phones SET sealed_http_password = ?2 WHERE id = ?1",
	[SQL_PHONE_OFFER] = "UPDATE phones SET offered = ?2 WHERE id = ?1",
	[SQL_PHONE_TAKE_BACK] = "UPDATE phones SET offered = NULL WHERE id = ?1",
	[SQL_PHONE_TAKE_BACK_SERIAL] = "UPDATE phones SET offered = NULL "
				       "WHERE id = (SELECT phone FROM certificates WHERE serial = ?1) "
				       "AND offered IN (SELECT number FROM generations "
				       "WHERE phone = phones.id AND serial = ?1)",
	[SQL_PHONE_REMOVE] = "DELETE FROM phones WHERE id = ?1",

	[SQL_HOST_ALL] = "SELECT host FROM hosts",
	[SQL_HOST_RETURNED] = "SELECT host FROM hosts WHERE phone IS NULL AND host BETWEEN ?1 AND ?2 "
			      "ORDER BY returned, host LIMIT 1",
	[SQL_HOST_OWNER] = "SELECT p.id, p.mac FROM hosts AS h JOIN phones AS p ON p.id = h.phone WHERE h.host = ?1",
	[SQL_HOST_TAKE] = "INSERT INTO hosts (host, phone) VALUES (?1, ?2) "
			  "ON CONFLICT (host) DO UPDATE SET phone = excluded.phone, returned = NULL",
	[SQL_HOST_RETURN] = "UPDATE hosts SET phone = NULL, returned = ?2 WHERE phone = ?1",
	[SQL_HOST_TAKEN] = "SELECT count(*) FROM hosts WHERE phone IS NOT NULL AND host BETWEEN ?1 AND ?2",
	[SQL_HOST_ABOVE] = "SELECT h.phone, p.mac, h.host FROM hosts AS h JOIN phones AS p ON p.id = h.phone "
			   "WHERE h.host > ?1 ORDER BY h.host LIMIT 1",
	/* The first of a phone's certificates with that name stands for them all. */
	[SQL_HOST_PAGE] = "SELECT h.host, c.id, coalesce(c.name, p.mac) FROM hosts AS h "
			  "JOIN phones AS p ON p.id = h.phone "
			  "LEFT JOIN certificates AS c ON c.phone = p.id AND c.revoked IS NULL "
			  "AND c.authority NOT IN " DROPPED
			  "WHERE h.host >= ?1 AND (h.host > ?1 OR c.id > ?2) AND NOT EXISTS "
			  "(SELECT 1 FROM certificates AS d WHERE d.phone = c.phone AND d.id < c.id "
			  "AND d.name = c.name AND d.revoked IS NULL AND d.authority NOT IN " DROPPED
			  ") ORDER BY h.host, c.id LIMIT ?3",

	/* A session may be with a certificate that is on no bundle. */
	[SQL_HOLDING_PAGE] = "SELECT p.id, p.mac, p.offered, c.authority, g.profile, w.number, v.authority, w.profile, "
			     "EXISTS (SELECT 1 FROM ladder AS l "
			     "WHERE l.phone = p.id AND l.number = p.offered AND l.rung >= 2) "
			     "FROM phones AS p JOIN generations AS g ON g.phone = p.id AND g.number = p.offered "
			     "JOIN certificates AS c ON c.serial = g.serial "
			     "LEFT JOIN vpn_sessions AS s ON s.phone = p.id "
			     "LEFT JOIN certificates AS v ON v.serial = s.serial AND v.revoked IS NULL "
			     "LEFT JOIN generations AS w ON w.phone = p.id AND w.number = s.number "
			     "AND v.serial IS NOT NULL WHERE p.mac > ?1 ORDER BY p.mac LIMIT ?2",

	[SQL_PROFILE_GET] = "SELECT text FROM profiles WHERE hash = ?1",
	[SQL_PROFILE_ADD] = "INSERT INTO profiles (hash, text) VALUES (?1, ?2)",
	[SQL_PROFILE_USES] = "SELECT u.model, u.firmware, u.phones, r.text FROM "
			     "(SELECT g.profile, p.model, p.firmware, count(DISTINCT p.id) AS phones "
			     "FROM generations AS g JOIN phones AS p ON p.id = g.phone "
			     "JOIN certificates AS c ON c.serial = g.serial "
			     "WHERE c.revoked IS NULL AND c.not_after > ?1 AND (?2 = 0 OR g.number IS p.offered) "
			     "AND c.authority NOT IN " DROPPED "GROUP BY g.profile, p.model, p.firmware) AS u "
			     "JOIN profiles AS r ON r.hash = u.profile ORDER BY u.model, u.firmware, r.hash",

	/*
	 * The same without a look at each certificate by its serial, which takes most of the time: those that are gone are few,
	 * or found in the order of the table.
	 */
	[SQL_PROFILE_KINDS] =
	    "SELECT u.model, u.firmware, 0, r.text FROM "
	    "(SELECT DISTINCT g.profile, p.model, p.firmware FROM generations AS g JOIN phones AS p ON p.id = g.phone "
	    "WHERE g.serial NOT IN (SELECT serial FROM certificates WHERE revoked IS NOT NULL) "
	    "AND g.serial NOT IN (SELECT serial FROM certificates WHERE not_after <= ?1 OR authority IN " DROPPED
	    ")) AS u "
	    "JOIN profiles AS r ON r.hash = u.profile ORDER BY u.model, u.firmware, r.hash",
	[SQL_PHONE_KINDS] =
	    "SELECT k.model, k.firmware FROM (SELECT DISTINCT model, firmware FROM phones) AS k WHERE EXISTS "
	    "(SELECT 1 FROM phones AS p WHERE p.model = k.model AND p.firmware = k.firmware AND NOT EXISTS "
	    "(SELECT 1 FROM generations AS g JOIN certificates AS c ON c.serial = g.serial WHERE g.phone = p.id AND g.number = "
	    "(SELECT max(m.number) FROM generations AS m WHERE m.phone = p.id) AND c.revoked IS NOT NULL))",

	[SQL_GENERATION_ADD] = "INSERT INTO generations (phone, number, serial, profile, md5, size, created) "
			       "SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6 "
			       "FROM generations WHERE phone = ?1 RETURNING number",
	[SQL_GENERATION_STATE] = "SELECT p.mac, p.offered, c.revoked, c.authority IN " DROPPED "FROM phones AS p "
				 "JOIN generations AS g ON g.phone = p.id "
				 "JOIN certificates AS c ON c.serial = g.serial WHERE p.id = ?1 AND g.number = ?2",
	[SQL_GENERATION_PAGE] = "SELECT g.phone, g.number, g.serial, g.profile, g.md5, g.size, g.created, "
				"c.not_before, c.not_after, c.revoked, g.number IS p.offered, "
				"EXISTS (SELECT 1 FROM rollout_phones AS m "
				"WHERE m.phone = g.phone AND m.state = 6 AND m.target = g.number) "
				"FROM generations AS g JOIN certificates AS c ON c.serial = g.serial "
				"JOIN phones AS p ON p.id = g.phone "
				"WHERE g.phone = ?1 AND g.number > ?2 ORDER BY g.number LIMIT ?3",
	[SQL_BUNDLE_BY_NUMBER] = BUNDLE_SELECT("") "WHERE p.mac = ?1 AND g.number = ?2",
	[SQL_BUNDLE_BY_MD5] =
	    BUNDLE_SELECT("INDEXED BY generations_md5 ") "WHERE p.mac = ?1 AND g.md5 = ?2 AND c.revoked IS NULL "
							 "AND c.authority NOT IN " DROPPED
							 "ORDER BY g.number DESC LIMIT 1",
	[SQL_BUNDLE_OFFERED] = BUNDLE_SELECT("") "WHERE p.mac = ?1 AND g.number = p.offered",
	[SQL_BUNDLE_SERVED] = "SELECT g.phone, g.number, g.serial, g.profile, c.cert, c.sealed_key, g.md5, g.size "
			      "FROM generations AS g JOIN certificates AS c ON c.serial = g.serial "
			      "WHERE g.phone = ?1 AND g.number = ?2 AND c.revoked IS NULL",

	[SQL_ENROLL_WINDOW] = "SELECT opened, until, networks, named FROM enroll_window",
	[SQL_ENROLL_OPEN] =
	    "REPLACE INTO enroll_window (id, opened, until, networks, named) VALUES (1, ?1, ?2, ?3, ?4)",
	[SQL_ENROLL_CLOSE] = "DELETE FROM enroll_window",
	[SQL_ENROLL_NAMES_CLEAR] = "DELETE FROM enroll_phones",
	[SQL_ENROLL_NAME] = "INSERT OR IGNORE INTO enroll_phones (phone) VALUES (?1)",
	[SQL_ENROLL_PHONE] = "SELECT p.id " ENROLL_FROM "AND p.mac = ?1",
	[SQL_ENROLL_COUNT] = "SELECT count(*) " ENROLL_FROM,
	[SQL_ENROLL_CLAIM] =
	    "INSERT INTO provisioned (phone, enrolled, address) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT (phone) DO UPDATE SET enrolled = excluded.enrolled, address = excluded.address",
	/* A login from before the phone was reset was with the former password. */
	[SQL_LOGIN_RECORD] = "INSERT INTO provisioned (phone, login) SELECT id, ?2 FROM phones WHERE mac = ?1 "
			     "ON CONFLICT (phone) DO UPDATE SET login = excluded.login "
			     "WHERE login IS NULL AND coalesce(opened < excluded.login, true)",
	[SQL_PHONE_RESET] = "REPLACE INTO provisioned (phone, opened) VALUES (?1, ?2)",

	[SQL_LADDER_ADD] = "INSERT OR IGNORE INTO ladder (phone, number, rung, at, source) "
			   "SELECT phone, number, ?3, ?4, ?5 FROM generations WHERE phone = ?1 AND number = ?2",
	[SQL_LADDER_PAGE] = "SELECT number, rung, at, source FROM ladder "
			    "WHERE phone = ?1 AND (number, rung) > (?2, ?3) ORDER BY number, rung LIMIT ?4",
	[SQL_LADDER_NEWEST] = "SELECT max(number) FROM ladder WHERE phone = ?1 AND rung = ?2",
	[SQL_SESSION_GET] = "SELECT server, client, since, address, serial, number, ended FROM vpn_sessions "
			    "WHERE phone = ?1",
	[SQL_SESSION_COUNT] = "SELECT count(*) FROM vpn_sessions WHERE ended IS NULL",
	/* That of the session, of several phones with one name; or whose certificate it is; or the newest one's. */
	[SQL_SESSION_PHONE] =
	    "SELECT id, mac, offered FROM phones WHERE id = coalesce("
	    "(SELECT s.phone FROM certificates AS c JOIN vpn_sessions AS s ON s.phone = c.phone WHERE c.name = ?1 "
	    "AND s.server = ?3 AND s.client = ?4 AND s.since = ?5), "
	    "(SELECT phone FROM certificates WHERE serial = ?2 AND name = ?1), "
	    "(SELECT phone FROM certificates WHERE name = ?1 AND phone IS NOT NULL ORDER BY id DESC LIMIT 1), "
	    "(SELECT id FROM phones WHERE mac = ?1))",
	/* That a bundle was fetched tells which of several with one certificate it is; without that, the oldest. */
	[SQL_SESSION_GENERATION] = "SELECT g.number FROM generations AS g LEFT JOIN ladder AS f "
				   "ON f.phone = g.phone AND f.number = g.number AND f.rung = 2 AND f.at <= ?3 "
				   "WHERE g.phone = ?1 AND g.serial = ?2 "
				   "ORDER BY f.at IS NULL, f.at DESC, g.number LIMIT 1",
	[SQL_SESSION_SOLE] = "SELECT count(*), min(serial) FROM certificates WHERE name = ?1",
	[SQL_SESSION_PUT] = "REPLACE INTO vpn_sessions "
			    "(phone, server, client, since, address, serial, number, attachment, unsettled) "
			    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7 IS NOT NULL AND NOT EXISTS "
			    "(SELECT 1 FROM ladder WHERE phone = ?1 AND number = ?7 AND rung = ?9))",
	[SQL_SESSION_MOVE] =
	    "UPDATE vpn_sessions SET number = ?2, unsettled = 1 WHERE phone = ?1 AND since >= ?3 "
	    "AND number < ?2 AND serial = (SELECT serial FROM generations WHERE phone = ?1 AND number = ?2) "
	    "RETURNING since, address, server",
	[SQL_SESSION_SEEN] = "UPDATE vpn_sessions SET attachment = ?2, ended = NULL WHERE phone = ?1",
	[SQL_SESSION_END] = "UPDATE vpn_sessions SET ended = ?2 WHERE phone = ?1",
	[SQL_SESSION_SWEEP] = "UPDATE vpn_sessions SET ended = ?3 "
			      "WHERE server = ?1 AND ended IS NULL AND attachment <> ?2",
	[SQL_SESSION_UNSETTLED] = "SELECT phone, number, since FROM vpn_sessions "
				  "WHERE server = ?1 AND unsettled AND ended IS NULL ORDER BY since LIMIT 1",
	[SQL_SESSION_SETTLED] = "UPDATE vpn_sessions SET unsettled = 0 WHERE phone = ?1",

	[SQL_ROLLOUT_ADD] = "INSERT INTO rollouts (name, created, plan, state, why, stage, wave, minute, in_minute) "
			    "VALUES (?1, ?2, ?3, ?4, '', ?5, 0, 0, 0)",
	[SQL_ROLLOUT_GET] = ROLLOUT_SELECT "WHERE r.name = ?1",
	[SQL_ROLLOUT_PAGE] = ROLLOUT_SELECT "WHERE r.id > ?1 ORDER BY r.id LIMIT ?2",
	[SQL_ROLLOUT_SET] = "UPDATE rollouts SET plan = ?2, state = ?3, why = ?4, stage = ?5, wave = ?6, "
			    "good_since = ?7, minute = ?8, in_minute = ?9 WHERE id = ?1",
	[SQL_ROLLOUT_TALLY] =
	    "SELECT wave, state, count(*) FROM rollout_phones WHERE rollout = ?1 GROUP BY state, wave",
	[SQL_ROLLOUT_PACE] = "SELECT coalesce(max(m.since), 0), coalesce(sum(m.state = 2 AND m.since < ?2), 0), "
			     "coalesce(sum(m.state = 2 AND EXISTS (SELECT 1 FROM ladder AS l WHERE l.phone = m.phone "
			     "AND l.number = m.target AND l.rung = 4 AND l.at < ?3) AND NOT EXISTS "
			     "(SELECT 1 FROM vpn_sessions AS s WHERE s.phone = m.phone AND s.serial IS NOT NULL "
			     "AND coalesce(s.number, 0) < m.target)), 0) FROM rollout_phones AS m WHERE m.rollout = ?1",
	/* CROSS: the others' members are few, or none. */
	[SQL_ROLLOUT_BUSY] =
	    "SELECT p.mac, r.name FROM rollouts AS r CROSS JOIN rollout_phones AS o ON o.rollout = r.id "
	    "JOIN phones AS p ON p.id = o.phone "
	    "WHERE r.id <> ?1 AND " ROLLOUT_OPEN "AND o.state <> 5 AND EXISTS "
	    "(SELECT 1 FROM rollout_phones AS m WHERE m.rollout = ?1 AND m.phone = o.phone AND m.state <> 5) LIMIT 1",
	[SQL_ROLLOUT_OF_PHONE] = ROLLOUT_SELECT
	"JOIN rollout_phones AS m ON m.rollout = r.id WHERE m.phone = ?1 AND " ROLLOUT_HOLDS(
	    "(SELECT max(g.number) FROM generations AS g WHERE g.phone = ?1)") " ORDER BY " ROLLOUT_OPEN
									       "DESC, r.id DESC LIMIT 1",
	[SQL_CANDIDATE_PAGE] = CANDIDATE_SELECT "0, 0 FROM phones AS p " CANDIDATE_JOINS
						"WHERE p.id > ?1 AND (?2 IS NULL OR p.grp = ?2) "
						"AND (?3 IS NULL OR p.model = ?3) ORDER BY p.id LIMIT ?4",
	[SQL_CANDIDATE_WAITING] = CANDIDATE_SELECT
	"m.wave, m.forced FROM rollout_phones AS m CROSS JOIN phones AS p ON p.id = m.phone " CANDIDATE_JOINS
	"WHERE m.rollout = ?2 AND m.phone > ?1 AND m.state = 1 ORDER BY m.phone LIMIT ?3",
	[SQL_CANDIDATE_BY_MAC] = CANDIDATE_SELECT "0, 0 FROM phones AS p " CANDIDATE_JOINS "WHERE p.mac = ?1",
	[SQL_MEMBER_ADD] = "INSERT INTO rollout_phones (rollout, phone, wave, state, why, forced, since) "
			   "VALUES (?1, ?2, ?3, 1, 0, ?4, ?5)",
	[SQL_MEMBER_GET] =
	    "SELECT " MEMBER_COLUMNS ", EXISTS (SELECT 1 FROM generations AS g "
	    "JOIN certificates AS c ON c.serial = g.serial "
	    "WHERE g.phone = m.phone AND g.number = m.target AND c.revoked IS NOT NULL) "
	    "FROM rollout_phones AS m JOIN phones AS p ON p.id = m.phone WHERE m.rollout = ?1 AND m.phone = ?2",
	[SQL_MEMBER_PAGE] = MEMBER_SELECT
	"WHERE m.rollout = ?1 AND m.phone > ?2 AND (?4 = 0 OR m.wave = ?4) " MEMBER_FILTER "ORDER BY m.phone LIMIT ?7",
	[SQL_MEMBER_PAGE_STATE] = MEMBER_SELECT
	"WHERE m.rollout = ?1 AND m.state = ?8 AND (m.wave, m.phone) > (?3, ?2) AND (?4 = 0 OR m.wave = ?4) " MEMBER_FILTER
	"ORDER BY m.wave, m.phone LIMIT ?7",
	[SQL_MEMBER_PROOF] =
	    "SELECT " MEMBER_COLUMNS
	    ", (SELECT max(l.rung) FROM ladder AS l WHERE l.phone = m.phone AND l.number >= m.target), "
	    "c.revoked IS NOT NULL, s.client, s.since, s.serial, s.number, s.ended "
	    "FROM rollout_phones AS m JOIN phones AS p ON p.id = m.phone "
	    "LEFT JOIN generations AS g ON g.phone = m.phone AND g.number = m.target "
	    "LEFT JOIN certificates AS c ON c.serial = g.serial LEFT JOIN vpn_sessions AS s ON s.phone = m.phone "
	    "WHERE m.rollout = ?1 AND m.phone > ?2 AND (m.state IN (2, 4) OR (m.state = 3 AND EXISTS "
	    "(SELECT 1 FROM vpn_sessions AS x WHERE x.phone = m.phone AND x.serial IS NOT NULL "
	    "AND coalesce(x.number, 0) < m.target))) ORDER BY m.phone LIMIT ?3",
	[SQL_MEMBER_TARGET] = "UPDATE rollout_phones SET target = ?3 WHERE rollout = ?1 AND phone = ?2 AND state = 1",
	/* Offered again after it failed, it still has come from where it was at first. */
	[SQL_MEMBER_OFFERED] =
	    "UPDATE rollout_phones SET state = 2, why = 0, since = ?3, notified = NULL, "
	    "former = coalesce(former, (SELECT offered FROM phones WHERE id = ?2)) "
	    "WHERE rollout = ?1 AND phone = ?2 AND state = 1 AND target IS NOT NULL RETURNING target",
	[SQL_MEMBER_SET] = "UPDATE rollout_phones SET state = ?3, why = ?4, forced = forced OR ?5, "
			   "target = iif(?6, NULL, target), since = ?7 WHERE rollout = ?1 AND phone = ?2",
	[SQL_MEMBER_RESTART] =
	    "UPDATE rollout_phones SET state = 1, why = 0, former = NULL, target = NULL, since = ?2, "
	    "notified = NULL WHERE rollout = ?1 AND state = 3",
	/* Minted, and not offered by it. */
	[SQL_MEMBER_WITHDRAW] =
	    "UPDATE rollout_phones SET state = 6, why = 0, since = ?3 WHERE rollout = ?1 AND phone = ?2 "
	    "AND former IS NULL AND target IS NOT NULL "
	    "AND target IS NOT (SELECT offered FROM phones WHERE id = ?2)",
	[SQL_MEMBER_NOTIFIED] = "UPDATE rollout_phones SET notified = ?3 WHERE rollout = ?1 AND phone = ?2",
	[SQL_MEMBER_FORMER] =
	    "SELECT m.former, c.revoked IS NOT NULL OR c.authority IN " DROPPED
	    ", c.not_after, coalesce(p.offered > m.target, false) FROM rollout_phones AS m "
	    "JOIN phones AS p ON p.id = m.phone "
	    "LEFT JOIN generations AS g ON g.phone = m.phone AND g.number = m.former "
	    "LEFT JOIN certificates AS c ON c.serial = g.serial WHERE m.rollout = ?1 AND m.phone = ?2",
	[SQL_MEMBER_FORMER_PROFILES] =
	    "SELECT g.profile, count(*), min(p.mac) FROM rollout_phones AS m JOIN phones AS p ON p.id = m.phone "
	    "JOIN generations AS g ON g.phone = m.phone AND g.number = m.former "
	    "JOIN certificates AS c ON c.serial = g.serial WHERE m.rollout = ?1 AND m.state <> 5 AND g.profile > ?2 "
	    "AND c.revoked IS NULL AND c.authority NOT IN " DROPPED "GROUP BY g.profile ORDER BY g.profile LIMIT ?3",

	[SQL_BAR] = "INSERT INTO barred (serial, since) VALUES (?1, ?2) "
		    "ON CONFLICT (serial) DO UPDATE SET since = max(excluded.since, since + 1)",
	[SQL_BARRED_ALL] =
	    "SELECT c.serial, c.name, c.cert, b.since FROM barred AS b JOIN certificates AS c ON c.serial = b.serial "
	    "WHERE c.not_after >= ?1 ORDER BY c.serial",
	/* What is recorded of the session that it is, or else all certificates of that name, of whichever phones. */
	[SQL_BARRED_SESSION] =
	    "SELECT iif(s.serial IS NOT NULL, s.serial IN (SELECT serial FROM barred), "
	    "EXISTS (SELECT 1 FROM certificates WHERE name = n.name AND serial IN (SELECT serial FROM barred)) AND "
	    "NOT EXISTS (SELECT 1 FROM certificates WHERE name = n.name AND revoked IS NULL "
	    "AND serial NOT IN (SELECT serial FROM barred))) "
	    "FROM (SELECT ?1 AS name) AS n LEFT JOIN vpn_sessions AS s ON s.phone IN "
	    "(SELECT phone FROM certificates WHERE name = ?1 UNION SELECT id FROM phones WHERE mac = ?1) "
	    "AND s.server = ?2 AND s.client = ?3 AND s.since = ?4 LIMIT 1",
	[SQL_BAR_ANSWER] = "SELECT detail FROM events WHERE id > ?1 AND action = ?2 ORDER BY id LIMIT 1",

	[SQL_KEY_POOL_ADD] = "INSERT INTO key_pool (id, bits, keygen, created, sealed_key) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_KEY_POOL_NEXT] = "SELECT id, sealed_key FROM key_pool WHERE bits = ?1 AND keygen = ?2 AND id > ?3 "
			      "ORDER BY id LIMIT 1",
	[SQL_KEY_POOL_TAKE] = "DELETE FROM key_pool WHERE id = ?1",
	[SQL_KEY_POOL_COUNT] = "SELECT count(*) FROM key_pool WHERE bits = ?1 AND keygen = ?2",
	[SQL_KEY_POOL_CLEAR] = "DELETE FROM key_pool",

	[SQL_EVENT_ADD] = "INSERT INTO events (id, at, actor, action, subject, detail, hash) "
			  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_EVENT_LAST] = "SELECT coalesce(max(id), 0) FROM events",
	[SQL_EVENT_START] = "SELECT min(id) FROM (SELECT id FROM events ORDER BY id DESC LIMIT ?1)",
	[SQL_EVENT_START_BY_SUBJECT] = "SELECT min(id) FROM (SELECT id FROM events WHERE subject = ?2 "
				       "ORDER BY id DESC LIMIT ?1)",
	[SQL_EVENT_PAGE] = EVENT_SELECT "WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
	[SQL_EVENT_PAGE_BY_SUBJECT] = EVENT_SELECT "WHERE subject = ?4 AND id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
	[SQL_EVENT_ALL] = EVENT_SELECT "ORDER BY id",
};

const char *
sql_statement_text(enum sql which)
{
	return texts[which];
}
