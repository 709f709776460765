#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Wrong passwords: how many a guesser has, and that no right one is turned down meanwhile, be it from elsewhere or from the
# guesser's own address.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phones=200
mac=000fd3400001
other=000fd3400002

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
for ((i = 1; i <= phones; i++)); do
	printf '000fd34%05x,D65,000fd34%05x,secret%d\n' $i $i $i
done | sed '1i mac,model,http_user,http_password' >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" || bail_out "import"

# up NAME OPTION...: a server; $url is the phones', $admin the other.
up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 --admin 127.0.0.1:0 "$@"
	ok "serve${*:+ $*}" wait_until 10 printed "$name" '^admin on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
	admin=$(sed -n 's/^admin on //p' "$T/$name.out")
}
now_ms() {
	echo $((${EPOCHREALTIME//[.,]/} / 1000))
}
# asks FROM MAC PASSWORD [OPTION...]: "STATUS MILLISECONDS" of a phone's document, asked for from 127.0.0.FROM
asks() {
	local start
	start=$(now_ms)
	echo "$(curl -sk --max-time 30 -o "$T/body" -D "$T/head" -w '%{http_code}' --interface "127.0.0.$1" --digest -u "$2:$3" "${@:4}" "$url/$2.cfg") $(($(now_ms) - start))"
}
# metric NAME[{LABELS}]: its value now
metric() {
	curl -sS "$admin/metrics" | awk -v name="$1" 'substr($0, 1, length(name) + 1) == name " " { print $NF }'
}
# guesses FROM COUNT MAC...: a curl configuration that asks so often for the documents of these phones in turn, each time
# with another wrong password
guesses() {
	local i who=("${@:3}")
	for ((i = 0; i < $2; i++)); do
		printf 'insecure\ninterface = "127.0.0.%d"\ndigest\nuser = "%s:guess%d"\nurl = "%s/%s.cfg"\noutput = "/dev/null"\nwrite-out = "%%{http_code} %%header{retry-after}\\n"\nsilent\nnext\n' \
			"$1" "${who[i % ${#who[@]}]}" "$i" "$url" "${who[i % ${#who[@]}]}"
	done | sed '$d'
}
# attack NAME PARALLEL FROM COUNT MAC...
attack() {
	guesses "${@:3}" >"$T/$1.conf"
	spawn "$1" curl --parallel --parallel-immediate --parallel-max "$2" -K "$T/$1.conf"
}
looked_at() {
	grep -c 'login failed from 127\.0\.0\.[23]:' "$T/server.err"
}
# answers NAME STATUS: how many guesses were answered so
answers() {
	grep -c "^$2" "$T/$1.out"
}
waiting() {
	[ "$(metric phonevpn_http_logins_waiting)" -ge "$1" ]
}

up server
is "a wrong password" "$(asks 1 $mac wrong | cut -d' ' -f1)" 401
is "the right one behind it" "$(asks 1 $mac secret1 | cut -d' ' -f1)" 200

# ---- 1000 guesses at one phone, from two addresses ----
start=$(now_ms)
attack first 60 2 500 $mac
attack second 60 3 500 $mac
ok "guesses wait for their turn" wait_until 20 waiting 50
slowest=0 late=0 tries=0
: >"$T/elsewhere"
: >"$T/beside"
: >"$T/others"
while lives first && lives second; do
	read -r code ms <<<"$(asks 4 $mac secret1)"
	echo "$code" >>"$T/elsewhere"
	[ "$ms" -le "$slowest" ] || slowest=$ms
	read -r code ms <<<"$(asks 2 $mac secret1)"
	echo "$code" >>"$T/beside"
	[ "$ms" -le "$late" ] || late=$ms
	asks 2 $other secret2 --max-time 2 | cut -d' ' -f1 >>"$T/others"
	tries=$((tries + 1))
done
wait_until 60 ended first
wait_until 60 ended second
took=$(($(now_ms) - start))
joined first
joined second
diag "1000 guesses took $took ms; the right password from elsewhere at most $slowest ms, beside the guesser $late ms, $tries times each"
is "the right password is taken each time from another address" "$(sort -u "$T/elsewhere")" 200
ok "... without waiting" test "$slowest" -lt 2000
is "... and each time from the address of the guesser" "$(sort -u "$T/beside")" 200
ok "... after its turn" test "$late" -lt 12000
ok "... several times" test "$tries" -ge 3
is "... and that of another phone at that address without waiting" "$(sort -u "$T/others")" 200
is "no guess was let in" "$(answers first 2)$(answers second 2)" 00
is "each was answered" "$(($(answers first 401) + $(answers second 401) + $(answers first 429) + $(answers second 429)))" 1000
guessed=$(looked_at)
diag "$((guessed * 60000 / took)) guesses a minute were looked at"
# 20 for the phone, and two at once for each address behind these; then 20 a second.
ok "guesses were looked at 20 a second, and a few at first" test "$guessed" -le $((took / 50 + 60))
ok "... which is what fail2ban reads" test "$guessed" -ge 100
ok "metrics say how many had to wait" test "$(metric phonevpn_http_logins_delayed_total)" -ge $((guessed - 100))
ok "... and how many wrong ones there were" test "$(metric 'phonevpn_http_login_failures_total{reason="wrong_password"}')" -ge "$guessed"
calm() {
	read -r code ms <<<"$(asks 2 $mac secret1)"
	[ "$code" = 200 ] && [ "$ms" -lt 500 ]
}
ok "soon after the flood nobody waits" wait_until 20 calm

# ---- more than may wait ----
attack crowd 280 5 400 $mac
ok "more guesses than may wait are turned away" wait_until 30 printed crowd '^429'
is "the right password from elsewhere" "$(asks 4 $mac secret1 | cut -d' ' -f1)" 200
is "... and of another phone behind the guesser's address" "$(asks 5 $other secret2 | cut -d' ' -f1)" 200
like "... and who is turned away is told when to come again" "$(cat "$T/crowd.out")" '^429 [1-9]'
like "the phone behind it that is guessed at: served, or told so too" "$(asks 5 $mac secret1)" '^(200|429) '
ok "metrics say how many were not looked at" test "$(metric 'phonevpn_http_login_failures_total{reason="throttled"}')" -ge "$(answers crowd 429)"
wait_until 60 ended crowd
joined crowd
is "no guess was let in" "$(answers crowd 2)" 0
beside() {
	[ "$(asks 5 $mac secret1 | cut -d' ' -f1)" = 200 ]
}
ok "afterwards the phone is served" wait_until 20 beside

# ---- the fleet of an office, in which five phones have a wrong password ----
{
	for ((i = 1; i <= phones; i++)); do
		user=$(printf '000fd34%05x' $i)
		password=secret$i
		[ $((i % 40)) -ne 0 ] || password=wrong
		printf 'interface = "127.0.0.9"\ndigest\nuser = "%s:%s"\nurl = "%s/%s.cfg"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nsilent\nnext\n' \
			"$user" "$password" "$url" "$user"
	done
	guesses 9 100 000fd3400028 000fd3400050 000fd3400078 000fd34000a0 000fd34000c8
} >"$T/office.conf"
start=$(now_ms)
curl --parallel --parallel-immediate --parallel-max 100 -K "$T/office.conf" >"$T/office.out" 2>"$T/office.err"
diag "the office took $(($(now_ms) - start)) ms"
is "200 phones behind one address, five of which try and try: the others are served" "$(answers office 200)" 195
is "... and those five are not" "$(answers office 401)" 105

# ---- names that nobody has, and what is no wrong password ----
attack names 100 6 300 nobody1 nobody2 nobody3 nobody4 nobody5
ok "guesses at users that there are not" wait_until 60 ended names
joined names
is "... are turned down like others" "$(answers names 2)" 0
is "a phone at that address: at once" "$(asks 6 $other secret2 --max-time 2 | cut -d' ' -f1)" 200
for ((i = 0; i < 200; i++)); do
	printf 'interface = "127.0.0.7"\nurl = "%s/%s.cfg"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nsilent\nnext\n' "$url" $mac
done | sed '$d' >"$T/begin.conf"
curl --parallel --parallel-max 50 -K "$T/begin.conf" >"$T/begin.out" 2>"$T/begin.err"
is "200 logins that only begin" "$(answers begin 401)" 200
delayed=$(metric phonevpn_http_logins_delayed_total)
is "... cost nothing" "$(asks 7 $mac secret1 --max-time 2 | cut -d' ' -f1)" 200
is "... and nobody had to wait" "$(metric phonevpn_http_logins_delayed_total)" "$delayed"

# ---- its end, while some wait ----
attack last 100 8 300 $mac
ok "guesses wait" wait_until 20 waiting 20
ok "the server ends in order all the same" stop server
stop last
unlike "no log has a guess" "$(cat "$T/server.err")" 'guess[0-9]'

# ---- Basic, and behind a proxy ----
up basic --auth basic --trusted-proxy 127.0.0.1
head_of() {
	printf 'basic\nuser = "%s:%s"\nheader = "X-Forwarded-For: %s"\nurl = "%s/%s.cfg"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nsilent\nnext\n' $mac "$1" "$2" "$url" $mac
}
for ((i = 0; i < 150; i++)); do head_of guess$i 192.0.2.1; done | sed '$d' >"$T/proxied.conf"
spawn proxied curl --parallel --parallel-immediate --parallel-max 150 -K "$T/proxied.conf"
ok "with Basic, guesses that come through a proxy wait" wait_until 20 waiting 20
is "... and the right password from another address behind it is taken at once" \
	"$(curl -s --max-time 2 -o /dev/null -w '%{http_code}' -u $mac:secret1 -H 'X-Forwarded-For: 192.0.2.2' "$url/$mac.cfg")" 200
is "... and from the same in its turn" \
	"$(curl -s --max-time 12 -o /dev/null -w '%{http_code}' -u $mac:secret1 -H 'X-Forwarded-For: 192.0.2.1' "$url/$mac.cfg")" 200
wait_until 30 ended proxied
joined proxied
is "... and no guess" "$(answers proxied 2)" 0
ok "it ends in order" stop basic

# ---- over TLS ----
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=phones -keyout "$T/privkey.pem" -out "$T/fullchain.pem" -days 2 2>"$T/req.err"
up tls --tls-cert "$T/fullchain.pem" --tls-key "$T/privkey.pem"
attack private 80 2 150 $mac
ok "over TLS guesses wait as well" wait_until 20 waiting 20
is "... and the right password is taken" "$(asks 2 $mac secret1 | cut -d' ' -f1)" 200
wait_until 30 ended private
joined private
is "... and each guess turned down" "$(answers private 401)" 150
ok "it ends in order" stop tls
done_testing
