# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Plain web servers of the distribution on the loopback, with the login that is asked for. A script sources it behind
# lib.sh.
#
#	web_start desk lighttpd digest || bail_out lighttpd
#	cp b.ovpn "$T/desk.www"
#	curl "$(web_url desk)/b.ovpn"
#	is "the phone came" "$(web_requests desk /b.ovpn 200)" 1
#
# SERVER is nginx or lighttpd, LOGIN none, basic or digest (nginx has no digest). What NAME serves is $T/NAME.www. The
# one user is $WEB_USER.

WEB_USER=phone
WEB_PASSWORD=p@ss/w:1
web_login=phone:p%40ss%2Fw%3A1@
declare -A web_port=() web_auth=() web_marks=()

web_conf_nginx() {
	local t=$T/$1.tmp auth=
	if [ "${web_auth[$1]}" = basic ]; then
		printf '%s:%s\n' "$WEB_USER" "$(openssl passwd -apr1 -stdin <<<"$WEB_PASSWORD")" >"$t/users"
		auth="auth_basic test; auth_basic_user_file $t/users;"
	fi
	[ "$(id -u)" -ne 0 ] || echo "user root;"
	cat <<-CONF
		daemon off; pid $t/pid; worker_processes 1;
		events { worker_connections 64; }
		http {
			access_log $T/$1.access;
			client_body_temp_path $t/b; proxy_temp_path $t/p; fastcgi_temp_path $t/f; uwsgi_temp_path $t/u;
			scgi_temp_path $t/s;
			server { listen 127.0.0.1:${web_port[$1]}; root $T/$1.www; $auth }
		}
	CONF
}

web_conf_lighttpd() {
	local t=$T/$1.tmp auth=${web_auth[$1]} backend=
	# Through a pipe, or the log is written only every few seconds; without the cache, or a file that changes is
	# sent by its former size.
	cat <<-CONF
		server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
		server.bind = "127.0.0.1"
		server.port = ${web_port[$1]}
		server.document-root = "$T/$1.www"
		server.stat-cache-engine = "disable"
		accesslog.filename = "| exec tee -a $T/$1.access"
	CONF
	case $auth in
	none) return ;;
	basic)
		backend=plain
		printf '%s:%s\n' "$WEB_USER" "$WEB_PASSWORD" >"$t/users"
		;;
	digest)
		backend=htdigest
		printf '%s:test:%s\n' "$WEB_USER" "$(printf '%s' "$WEB_USER:test:$WEB_PASSWORD" | md5sum | cut -d' ' -f1)" \
			>"$t/users"
		;;
	esac
	cat <<-CONF
		auth.backend = "$backend"
		auth.backend.$backend.userfile = "$t/users"
		auth.require = ("/" => ("method" => "$auth", "realm" => "test", "require" => "valid-user"))
	CONF
}

# web_start NAME SERVER LOGIN: it answers when this returns.
web_start() {
	local name=$1 server=$2
	web_auth[$name]=$3
	web_port[$name]=$(free_port)
	mkdir -p "$T/$name.www" "$T/$name.tmp"
	: >"$T/$name.access"
	"web_conf_$server" "$name" >"$T/$name.conf" || return 1
	case $server in
	nginx) spawn "$name" nginx -e "$T/$name.log" -c "$T/$name.conf" ;;
	lighttpd) spawn "$name" lighttpd -D -f "$T/$name.conf" ;;
	esac
	wait_until 10 curl -s -o /dev/null "$(web_url "$name")"
}

# web_url NAME: without a slash at the end; with the login where the server asks for one.
web_url() {
	local login=
	[ "${web_auth[$1]}" = none ] || login=$web_login
	echo "http://${login}127.0.0.1:${web_port[$1]}"
}

# A request of our own, which the phone never makes: a line in the log behind all that was asked until now.
web_mark() {
	local answer
	web_marks[$1]=$((${web_marks[$1]:-0} + 1))
	exec 9<>"/dev/tcp/127.0.0.1/${web_port[$1]}" || return 1
	printf 'GET /mark-%s. HTTP/1.0\r\n\r\n' "${web_marks[$1]}" >&9
	read -r answer <&9
	exec 9>&-
	[ -n "$answer" ]
}

web_is_marked() {
	[[ $(<"$T/$1.access") = *"/mark-${web_marks[$1]}."* ]]
}

# web_forget NAME: count from here.
web_forget() {
	web_mark "$1"
}

# web_requests NAME PATH [STATUS]: how many there were since, in all or with that answer.
web_requests() {
	local from=/mark-${web_marks[$1]:-0}. log
	web_mark "$1" && wait_until 10 web_is_marked "$1"
	log=$(<"$T/$1.access")
	grep -cE "\"GET ${2//./\\.} HTTP/1\.[01]\" ${3:-}" <<<"${log##*"$from"}"
}

# web_in_netns PHONE: nginx without a login at the server's address of netns.sh, port 80, for what lies in $T/www; it is up
# when that phone reaches it.
web_in_netns() {
	local t=$T/web.tmp
	mkdir -p "$t" || return 1
	cat >"$t/conf" <<-CONF
		pid $t/pid; error_log $t/log; daemon off; worker_processes 1; user root;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $t/b; proxy_temp_path $t/p; fastcgi_temp_path $t/f; uwsgi_temp_path $t/u;
			scgi_temp_path $t/s;
			server { listen $NETNS_SERVER:80; root $T/www; }
		}
	CONF
	spawn nginx in_netns server nginx -c "$t/conf"
	wait_until 10 in_netns "$1" curl -s -o "$t/probe" "http://$NETNS_SERVER"
}
