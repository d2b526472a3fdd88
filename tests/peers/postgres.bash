# postgres.bash: PostgreSQL's regression tests, the JIT compiling each expression. The
# server, and how it is had, are the zoo's; psql runs the tests as pg_regress, which
# Debian has in a package with LLVM's headers, would.
#
# Left out: what is not planned with expressions (most types of geometry, text search,
# privileges, utility commands), and stats, which waits for the time of day. Nothing is
# optimised or inlined: LLVM would take most of the time.

# shellcheck source=tests/zoo/postgres.bash
. "$zoo/postgres.bash"

# In the order of the tests' own schedule, the whole more of it; each goes on with the tables of those before,
# with their indexes, and with what sanity_check has the planner know of them.
tests='test_setup boolean char text int2 int4 int8 oid float4 float8 bit numeric uuid
	strings numerology point circle date time timestamp interval insert create_misc
	create_table create_index create_aggregate select sanity_check select_into select_distinct select_having subselect union case join
	aggregates arrays'
[ -z "$peers_whole" ] || tests+=' update delete window groupingsets limit with returning largeobject rangefuncs
	prepare select_parallel partition_prune'

needs+=" gcc"
release=${bin%/bin} release=${release##*/}
headers=$peers_packages/postgresql-server-dev-$release/usr/include/postgresql/$release/server

eval "lacking_server() $(declare -f lacking | tail -n +2)"

lacking() {
	lacking_server
	[ -d "$headers" ] || echo "postgresql-server-dev-$release is not unpacked"
	"$peers/unpack" "postgresql-$release" || echo "no source package of postgresql-$release"
}

prepare() {
	"$peers/unpack" "postgresql-$release" '*/src/test/regress/sql/*' '*/src/test/regress/expected/*' \
		'*/src/test/regress/data/*' '*/src/test/regress/regress.c'
	mv postgresql-*/src/test/regress .
	gcc -O1 -w -fPIC -shared -I "$headers" \
		-I "$peers_packages/libpq-dev/usr/include/postgresql" -o regress.so regress/regress.c
	${unprivileged[@]+"${unprivileged[@]}"} "$bin/initdb" -D data -U zoo -A trust -E UTF8 --locale=C --no-sync
}

# The expected output may be one of several: NAME.out, NAME_1.out and so on.
as_expected() {
	local expected

	for expected in "regress/expected/$1".out "regress/expected/$1"_?.out; do
		! diff -q "$expected" "results/$1.out" >/dev/null 2>&1 || return 0
	done
	diff "regress/expected/$1.out" "results/$1.out" | head -n 10
	return 1
}

suite() {
	local test

	export PGTZ=America/Los_Angeles PGDATESTYLE='Postgres, MDY' PGDATABASE=regression
	export PGOPTIONS='-c intervalstyle=postgres_verbose'
	export PG_ABS_SRCDIR=$PWD/regress PG_ABS_BUILDDIR=$PWD PG_LIBDIR=$PWD PG_DLSUFFIX=.so
	mkdir results
	start -c jit=on -c jit_above_cost=0 -c jit_inline_above_cost=-1 \
		-c jit_optimize_above_cost=-1 -c max_parallel_workers=4
	"$bin/psql" -qX -d postgres -c 'create database regression template template0'
	for test in $tests; do
		PGDATABASE=regression "$bin/psql" -X -a -q -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on \
			<"regress/sql/$test.sql" >"results/$test.out" 2>&1 || true
		tell "$test" as_expected "$test"
	done
	stop
}
