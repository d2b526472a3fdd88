# php-server.bash: PHP's built-in server: several forked workers that share one
# buffer of compiled code, and several clients at a time.

needs=php

server=(-d opcache.enable=1 -d opcache.enable_cli=1 -d opcache.jit=tracing
	-d opcache.jit_buffer_size=16M)

lacking() {
	[ -n "$(php -r 'echo extension_loaded("Zend OPcache");')" ] || echo "PHP has no opcache"
}

# ask PATH [TIMES]: what the server answers. With all workers busy it may refuse to
# connect, and is asked again.
ask() {
	# shellcheck disable=SC2016 # PHP's variables
	php -r 'for ($i = 0; $i < $argv[3] && !($s = @stream_socket_client("tcp://127.0.0.1:$argv[1]")); $i++)
			usleep(20000);
		fwrite($s, "GET /$argv[2] HTTP/1.0\r\n\r\n");
		echo explode("\r\n\r\n", stream_get_contents($s), 2)[1];' "$port" "$1" "${2:-500}"
}

answers_or_is_gone() {
	ask 'php.php?rounds=0' 1 || ! kill -0 "$server_id"
}

# Its workers do not notice when it goes.
stop() {
	trap - EXIT
	# shellcheck disable=SC2046 # several
	kill $(cat "/proc/$server_id/task/$server_id/children") "$server_id"
}

# Some other process may take the port between the question and the server.
start() {
	local tries=0

	while ((++tries < 5)); do
		# shellcheck disable=SC2016 # PHP's variables
		port=$(php -r '$s = stream_socket_server("tcp://127.0.0.1:0");
			echo substr(strrchr(stream_socket_get_name($s, false), ":"), 1);')
		PHP_CLI_SERVER_WORKERS=3 php "${server[@]}" "$@" -S "127.0.0.1:$port" -t "$zoo" \
			2>server.log >server.log &
		server_id=$!
		trap stop EXIT
		if wait_for answers_or_is_gone && kill -0 "$server_id"; then
			return 0
		fi
	done
	return 1
}

client() {
	ask "php.php?rounds=$((10 * $1))"
	ask "php.php?rounds=$((60 + $1))"
}

work() {
	start "$@"
	ask_at_once client
	stop
	wait "$server_id" || echo "the server's status: $?"
}

load() {
	work
}

jit_off() {
	work -d opcache.jit=disable
}
