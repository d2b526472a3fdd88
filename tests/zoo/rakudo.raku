# rakudo.raku: loops, objects, closures and threads. See rakudo.bash.

class Counter {
	has int $.sum = 0;
	method add(int $n) { $!sum = ($!sum * 31 + $n) % 16777213 }
}

sub count(int $from) {
	my $counter = Counter.new;
	loop (my int $i = $from; $i < $from + 60_000; $i++) { $counter.add($i % 7) }
	$counter.sum
}

say count(1);
say (^20_000).map({ $_ * $_ % 13 }).grep(* > 6).sum;
say await (1..4).map: -> $n { start count($n * 1000) };
say (try die 'expected') // $!.message;
