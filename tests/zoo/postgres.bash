# postgres.bash: PostgreSQL, its JIT forced on: a server, several clients at a time,
# parallel workers, each of which compiles for itself at the same addresses as its
# siblings. EXPLAIN ANALYZE tells how many functions were compiled.

needs=unshare

bin=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
bin=${bin%/postgres}
clients=3

lacking() {
	if [ -z "$bin" ]; then
		echo "PostgreSQL is not installed"
	elif [ -z "$(find "${bin%/bin}" -name llvmjit.so)" ]; then
		echo "PostgreSQL has no JIT"
	elif ! ${unprivileged[@]+"${unprivileged[@]}"} true 2>/dev/null; then
		echo "no user namespaces, and PostgreSQL will not run as root"
	fi
}

# The path of a socket may have some hundred bytes, so the folder's is not it.
start() {
	sockets=$(mktemp -d)
	export PGHOST=$sockets PGUSER=zoo PGDATABASE=postgres
	${unprivileged[@]+"${unprivileged[@]}"} "$bin/postgres" -D data -k "$sockets" -c listen_addresses= \
		-c fsync=off -c full_page_writes=off -c autovacuum=off \
		-c shared_buffers=64MB -c dynamic_shared_memory_type=mmap "$@" 2>server.log &
	server=$!
	trap 'kill -INT "$server"; rm -rf "$sockets"' EXIT
	wait_for "$bin/psql" -c 'select 1'
}

# A server that died on the way is not one that was stopped.
stop() {
	kill -INT "$server"
	wait "$server"
	rm -rf "$sockets"
	trap - EXIT
}

prepare() {
	${unprivileged[@]+"${unprivileged[@]}"} "$bin/initdb" -D data -U zoo -A trust -E UTF8 --locale=C --no-sync
	start
	"$bin/psql" -q -v ON_ERROR_STOP=1 -f "$zoo/postgres-tables.sql"
	stop
}

# work [SETTING...]: all clients ask the same at once.
work() {
	local client answers=()

	start -c jit_above_cost=0 -c max_parallel_workers=4 "$@"
	for ((client = 0; client < clients; client++)); do
		"$bin/psql" -qAt -v ON_ERROR_STOP=1 -v client="$client" \
			-f "$zoo/postgres.sql" >"answers$client" &
		answers+=($!)
	done
	for ((client = 0; client < clients; client++)); do
		wait "${answers[client]}" || echo "client $client: status $?"
		cat "answers$client"
	done
	stop
}

load() {
	work -c jit=on
}

jit_off() {
	work -c jit=off
}
