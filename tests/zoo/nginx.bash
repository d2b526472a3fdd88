# nginx.bash: nginx with LuaJIT in its workers (OpenResty's module). Alone the workers
# end as soon as they start: "runtime code generation failed, restricted kernel?".

needs='nginx curl'

# Its own LuaJIT and the one of Debian's luajit are not installed at the same time.
packages=${top_builddir-}/packages
modules=usr/lib/nginx/modules
lua='usr/share/lua/5.1/?.lua'
PATH=$PATH:/usr/sbin

lacking() {
	[ -d "$packages/libnginx-mod-http-lua" ] || echo "nginx's Lua is not in $packages"
}

ask() {
	curl --silent --max-time 60 --unix-socket "$sockets/http" "http://localhost/$1"
}

# The path of a socket may have some hundred bytes, so the folder's is not it.
start() {
	sockets=$(mktemp -d)
	cat >nginx.conf <<-CONF
		load_module $packages/libnginx-mod-http-ndk/$modules/ndk_http_module.so;
		load_module $packages/libnginx-mod-http-lua/$modules/ngx_http_lua_module.so;
		user $(id -un);
		worker_processes 3;
		daemon off;
		pid $PWD/pid;
		error_log $PWD/error.log;
		events { }
		http {
			access_log off;
			client_body_temp_path $PWD/body;
			proxy_temp_path $PWD/proxy;
			fastcgi_temp_path $PWD/fastcgi;
			uwsgi_temp_path $PWD/uwsgi;
			scgi_temp_path $PWD/scgi;
			lua_package_path '$packages/lua-resty-core/$lua;$packages/lua-resty-lrucache/$lua;;';
			init_by_lua_block { jit.$1() }
			server {
				listen unix:$sockets/http;
				location /up { return 200 up; }
				location / { content_by_lua_file $zoo/nginx.lua; }
			}
		}
	CONF
	LD_LIBRARY_PATH=$(echo "$packages"/libluajit2-*/usr/lib/*) \
		nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/error.log" 2>error.log &
	server=$!
	trap 'kill "$server"; rm -rf "$sockets"' EXIT
	wait_for up
}

up() {
	[ "$(ask up)" = up ]
}

client() {
	ask "$(($1 * 1000))"
	ask "$(($1 * 77777))"
}

work() {
	start "$1"
	ask_at_once client
	kill -QUIT "$server"
	wait "$server" || echo "nginx: status $?"
	trap - EXIT
	rm -rf "$sockets"
}

load() {
	work on
}

jit_off() {
	work off
}
