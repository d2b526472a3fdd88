-- postgres-tables.sql: what the clients of postgres.bash ask about.
CREATE TABLE measures AS
	SELECT i AS id, i % 97 AS kind, (i * 7919::bigint) % 100003 AS value,
		'name ' || i % 1000 AS name
	FROM generate_series(1, 100000) AS i;
CREATE TABLE kinds AS
	SELECT i AS kind, 'kind ' || i AS title FROM generate_series(0, 96) AS i;
ANALYZE;
