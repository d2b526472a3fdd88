<?php
// php.php: hot functions for opcache's JIT; objects, exceptions, a generator.
// Its argument says how many rounds. Also what php-server and php-fpm serve.

function step(int $sum, int $i): int
{
	return ($sum * 31 + $i) % 1000003;
}

abstract class Shape
{
	public function __construct(protected int $size) {}
	abstract public function area(): int;
}

class Square extends Shape
{
	public function area(): int
	{
		return $this->size * $this->size;
	}
}

class Line extends Shape
{
	public function area(): int
	{
		if ($this->size % 100 == 0)
			throw new LengthException('no area');
		return $this->size;
	}
}

function strings(int $sum): int
{
	$words = [];
	for ($i = 0; $i < 20000; $i++) {
		$sum = step($sum, $i);
		if ($i % 10 == 0)
			$words[] = (string) $sum;
	}
	return step($sum, strlen(implode(',', $words)));
}

function objects(int $sum): int
{
	for ($i = 0; $i < 5000; $i++) {
		$shape = $i % 2 ? new Square($i) : new Line($i);
		try {
			$sum = step($sum, $shape->area());
		} catch (LengthException $e) {
			$sum = step($sum, 1);
		}
	}
	return $sum;
}

function numbers(int $count): Generator
{
	for ($i = 0; $i < $count; $i++)
		yield $i;
}

function generated(int $sum): int
{
	foreach (numbers(5000) as $i)
		$sum = step($sum, $i);
	return $sum;
}

$rounds = (int) ($_GET['rounds'] ?? $argv[1] ?? 1);
$sum = $rounds;
for ($round = 0; $round < $rounds; $round++)
	$sum = generated(objects(strings($sum)));

$jit = opcache_get_status(false)['jit'] ?? ['on' => false, 'buffer_size' => 0, 'buffer_free' => 0];
// Before anything is compiled the buffer has about 2,500 bytes in it.
$used = $jit['buffer_size'] - $jit['buffer_free'];
echo $sum, "\ncompiled: ", $jit['on'] && $used > 4000 ? 'yes' : 'no', "\n";
