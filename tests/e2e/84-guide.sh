#!/bin/bash
# SPDX-License-Identifier: ISC
#
# doc/rotating.md: its commands, in its order, on a fleet of three phones with real tunnels.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

why=$(netns_missing) && skip_all "$why"
guide=$SOURCE/doc/rotating.md
export PHONEVPN_DIR=$T/state
phones="000fd3006501 000fd3006502 000fd3006503"

# What the page says, one command a line; the paths and programs of a PBX are this test's own.
mkdir "$T/bin" "$T/pids"
sed -n 's/^    //p' "$guide" | grep -E '^(phonevpn|systemctl) ' | grep -v -e '--follow$' >"$T/commands"
cat >"$T/bin/asterisk" <<'EOF'
#!/bin/sh
kill -HUP "$(cat "$(dirname "$0")/../pids/${2##* }")"
EOF
cat >"$T/bin/systemctl" <<'EOF'
#!/bin/sh
echo "$*" >>"$(dirname "$0")/../systemctl"
EOF
chmod +x "$T/bin/"*
export PATH="$T/bin:$PATH"

# page BEGINNING: the page's next command begins so, and is run; one that goes on with "systemctl restart" is the server's.
page() {
	local line
	read -r line <"$T/commands" || return 1
	sed -i 1d "$T/commands"
	case $line in
	"$1"*) ;;
	*)
		echo "expected a command that begins with $1, found: $line"
		return 1
		;;
	esac
	eval "${line//\/etc\/openvpn\/server/$T/server}"
}
restarts() {
	page "systemctl restart openvpn-server@server" || return 1
	stop openvpn
	spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
all() {
	local mac
	for mac in $phones; do
		"$@" "$mac" || return 1
	done
}
connected() {
	refphone --state "$T/$1" status | grep -q 'shield: blue'
}
state_is() {
	[ "$(phonevpn --json rollout status "$1" | jq -r "$2")" = "$3" ]
}
switched_on() {
	phonevpn emit url "$1" >"$T/$1.url"
	spawn "$1" in_netns "$1" refphone --state "$T/$1" --mac "$1" --model D65 --firmware 2_7_0 \
		web --listen 127.0.0.1:0 --config-url-file "$T/$1.url"
	pid_of "$1" >"$T/pids/${1: -3}"
}

phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
# So that all of them end soon, as the page has it.
phonevpn config set phone-days 50
netns_server || bail_out namespaces
for mac in $phones; do
	phonevpn --quiet phone add "$mac" --model D65 --extension "${mac: -3}"
	netns_phone "$mac" || bail_out namespaces
done
spawn serve in_netns server phonevpn serve --listen "$NETNS_SERVER:0"
wait_until 10 printed serve 'listening on' || bail_out serve
phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet emit server --out "$T/server" || bail_out server
spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
wait_until 20 printed openvpn 'Initialization Sequence Completed' || bail_out openvpn
all switched_on
ok "the phones connect" wait_until 60 all connected
phonevpn config set phone-days 1825

# The page's plan waits for an hour between its waves; nobody here has one.
impatient() {
	phonevpn rollout pause "$1" && phonevpn rollout resume "$1" --soak 0
}

ok "the watch" page "systemctl enable --now phonevpn-watch.service"
spawn watch phonevpn watch --management "$T/server/management/socket" --soak 2
wait_until 20 printed watch 'attached' || bail_out watch
ok "what would happen" page "phonevpn rollout create spring --expiring 60d --canaries"
like "... in two waves" "$(cat "$T/out")" '^2 +1 '
ok "a rollout" page "phonevpn rollout create spring --expiring 60d --canaries"
ok "... begins" page "phonevpn rollout start spring"
ok "the phones are restarted" page "phonevpn config set notify-command 'asterisk -rx"
impatient spring >"$T/out"
ok "its status" page "phonevpn rollout status spring"
ok "a phone" page "phonevpn phone show 000fd3006501"
ok "it goes through" wait_until 120 state_is spring .state "done"
ok "retry, where nothing has failed" fails_with 3 page "phonevpn rollout retry spring"
ok "drop, where it is over" fails_with 4 page "phonevpn rollout drop spring 000fd3006503"
# In a copy: nobody here wants to go back.
sqlite3 "$PHONEVPN_DIR/phonevpn.db" ".backup $T/copy.db"
mkdir -m 700 "$T/copy"
mv "$T/copy.db" "$T/copy/phonevpn.db"
cp "$PHONEVPN_DIR/master.key" "$T/copy"
export PHONEVPN_DIR=$T/copy
ok "the way back" page "phonevpn rollout rollback spring"
is "... for all three" "$(phonevpn --json rollout status spring | jq '.all["rolled-back"]')" 3
export PHONEVPN_DIR=$T/state

ok "what would be retired" page "phonevpn retire --all --dry-run"
ok "retire" page "phonevpn retire --all"
like "... all three" "$(cat "$T/out")" '^3 certificates revoked'
ok "the server knows" page "phonevpn emit server --out /etc/openvpn/server"
is "... of the three" "$(openssl crl -in "$T/server/crl.pem" -noout -text | grep -c 'Serial Number')" 3

ok "another CA" page "phonevpn ca add --name"
ok "a rollout to it" page "phonevpn rollout create renewal --all --ca"
ok "... begins" page "phonevpn rollout start renewal"
ok "it waits for the server" wait_until 20 state_is renewal .stage trust
ok "the server's files" page "phonevpn emit server --out /etc/openvpn/server"
ok "... it starts with them" restarts
ok "confirmed" page "phonevpn rollout confirm renewal"
impatient renewal >"$T/out"
ok "the phones take it" wait_until 120 state_is renewal .stage server
ok "the server's certificate" page "phonevpn server renew"
ok "... its files" page "phonevpn emit server --out /etc/openvpn/server"
ok "... it starts with them" restarts
ok "confirmed" page "phonevpn rollout confirm renewal"
ok "the phones forget the old CA" wait_until 180 state_is renewal .stage clean
ok "the server's files" page "phonevpn emit server --out /etc/openvpn/server"
ok "... it starts with them" restarts
ok "confirmed" page "phonevpn rollout confirm renewal"
is "it is over" "$(phonevpn --json rollout status renewal | jq -r .state)" "done"
ok "the phones are there" wait_until 60 all connected
is "the page has no command that was not run" "$(cat "$T/commands")" ""
done_testing
