-- postgres.sql: what each client asks: alone, with parallel workers, and of a
-- statement that is prepared once.
\set QUIET on
SET max_parallel_workers_per_gather = 0;
SET jit_inline_above_cost = 0;
SET jit_optimize_above_cost = 0;
SELECT sum(value * 3 + kind), count(*) FILTER (WHERE name LIKE '%7%'), avg(value)::numeric(12, 3)
	FROM measures WHERE value % 7 <> :client;
RESET jit_inline_above_cost;
RESET jit_optimize_above_cost;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT sum(value * 5 + kind), min(name), max(name) FROM measures WHERE value % 5 <> :client;
SELECT title, sum(value) FROM measures JOIN kinds USING (kind)
	WHERE length(name) > 6 AND value BETWEEN 1000 AND 90000
	GROUP BY title ORDER BY sum(value) DESC, title LIMIT 4;
PREPARE of_kind(int) AS SELECT count(*), sum(value) FROM measures WHERE kind = $1 AND value > $1 * 10;
EXECUTE of_kind(3);
EXECUTE of_kind(14);
-- An error in the middle of compiled code, and on.
\set ON_ERROR_STOP off
SELECT sum(value / (kind - 50)) FROM measures;
\set ON_ERROR_STOP on
SELECT count(*) FROM measures WHERE value > 50000;
-- How many functions were compiled. No parallel workers here: those that are asked
-- for need not come.
SET max_parallel_workers_per_gather = 0;
\a
EXPLAIN (ANALYZE, TIMING off, SUMMARY off)
	SELECT sum(value * 3 + kind) FROM measures WHERE value % 7 <> 0 \g |sed -n '/Functions:/p'
