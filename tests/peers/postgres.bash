# postgres.bash: PostgreSQL's regression tests, the JIT compiling each expression. The
# server, and how it is had, are the zoo's; psql runs the tests as pg_regress, which
# Debian has in a package with LLVM's headers, would.
#
# Left out: what is not planned with expressions (types of geometry, text search,
# privileges, utility commands), what needs regress.so, which is not packaged, and
# stats, which waits for the time of day. Nothing is optimised or inlined: LLVM would
# take most of the time.

# shellcheck source=tests/zoo/postgres.bash
. "$zoo/postgres.bash"

# In the order of the tests' own schedule; each goes on with the tables of those before.
tests='test_setup boolean char text int2 int4 int8 oid float4 float8 bit numeric uuid
	strings numerology date time timestamp interval create_misc create_table insert
	select select_into select_distinct select_having subselect union case join
	aggregates arrays update delete window groupingsets limit with returning
	largeobject rangefuncs prepare select_parallel partition_prune'

eval "lacking_server() $(declare -f lacking | tail -n +2)"

lacking() {
	lacking_server
	"$peers/unpack" postgresql-15 || echo "no source package of postgresql-15"
}

prepare() {
	"$peers/unpack" postgresql-15 '*/src/test/regress/sql/*' '*/src/test/regress/expected/*' \
		'*/src/test/regress/data/*'
	mv postgresql-*/src/test/regress .
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

	export PGTZ=PST8PDT PGDATESTYLE='Postgres, MDY' PGDATABASE=regression
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
