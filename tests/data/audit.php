<?php
// A hot loop, for opcache's JIT, and a regular expression, for PCRE's. The
// argument says how many rounds.
$rounds = (int) ($argv[1] ?? 1);
$sum = 0;

for ($round = 0; $round < $rounds; $round++) {
	$words = [];
	for ($i = 0; $i < 100000; $i++) {
		$sum = ($sum * 31 + $i) % 1000003;
		if ($i % 10 === 0)
			$words[] = (string) $sum;
	}
	$sum += preg_match_all('/\b(\d)\d*\1\b/', implode(',', $words));
}
echo $sum, "\n";
