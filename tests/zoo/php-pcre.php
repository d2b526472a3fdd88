<?php
// php-pcre.php: patterns that backtrace, on a text of generated words.

function words(int $count): string
{
	$words = [];
	for ($i = 0, $n = 1; $i < $count; $i++) {
		$n = ($n * 7919 + $i) % 1000003;
		$words[] = base_convert((string) $n, 10, 36);
	}
	return implode(' ', $words);
}

$text = words(600000);
foreach (['/\b(\w)\w*\1\b/', '/(?:a|b|[c-z0-9]+?)+(?= )/', '/(\w+) (?=\w*(\w)\2)/', '/(?<=[aeiou])\d+[^ ]*?z/'] as $pattern)
	echo $pattern, ' ', preg_match_all($pattern, $text), ' ', preg_last_error_msg(), "\n";
echo preg_replace_callback('/(\d)(\d)(\d)/', fn ($m) => $m[3] . $m[2] . $m[1], substr($text, 0, 60)), "\n";

preg_match('/^(foo)+$/', str_repeat('foo', 1000000));
echo 'compiled: ', preg_last_error() == PREG_JIT_STACKLIMIT_ERROR ? 'yes' : 'no', "\n";
