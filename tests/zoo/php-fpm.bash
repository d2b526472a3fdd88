# php-fpm.bash: PHP's FastCGI server, several forked children with one buffer of
# compiled code, on a socket, and several clients at a time.

needs='cgi-fcgi'

# Debian has the version in its name, and puts it where not everybody looks.
server=$(find /usr/sbin /usr/local/sbin -name 'php-fpm*' 2>/dev/null | sort -V | tail -n 1)

lacking() {
	if [ -z "$server" ]; then
		echo "php-fpm is not installed"
	elif [ "$("$server" -m | grep -c OPcache)" -eq 0 ]; then
		echo "PHP has no opcache"
	fi
}

# ask ROUNDS
ask() {
	SCRIPT_FILENAME=$zoo/php.php SCRIPT_NAME=/php.php REQUEST_METHOD=GET \
		QUERY_STRING=rounds=$1 cgi-fcgi -bind -connect "$sockets/fpm"
}

client() {
	ask $((10 * $1))
	ask $((60 + $1))
}

# The path of a socket may have some hundred bytes, so the folder's is not it.
work() {
	sockets=$(mktemp -d)
	cat >fpm.conf <<-END
		[global]
		error_log = $PWD/server.log
		daemonize = no
		[zoo]
		listen = $sockets/fpm
		pm = static
		pm.max_children = 3
	END
	[ "$(id -u)" -ne 0 ] || printf 'user = root\ngroup = root\n' >>fpm.conf
	"$server" -R -n -d zend_extension=opcache -d opcache.enable=1 -d opcache.jit=tracing \
		-d opcache.jit_buffer_size=16M "$@" -y fpm.conf &
	server_id=$!
	trap 'kill -QUIT "$server_id"; rm -rf "$sockets"' EXIT
	wait_for ask 0
	ask_at_once client
	kill -QUIT "$server_id"
	wait "$server_id" || echo "the server's status: $?"
	rm -rf "$sockets"
	trap - EXIT
}

load() {
	work
}

jit_off() {
	work -d opcache.jit=disable
}
