(* smlnj.sml: work for Standard ML of New Jersey: functions compiled as they come, closures,
   exceptions, the garbage collector. *)
fun say name value = print (name ^ ": " ^ Int.toString value ^ "\n");

fun fib 0 = 0 | fib 1 = 1 | fib n = fib (n - 1) + fib (n - 2);
val _ = say "fib" (fib 25);

val flags = Array.array (100001, true);
fun strike (i, step) =
  if i > 100000 then () else (Array.update (flags, i, false); strike (i + step, step));
fun go i =
  if i * i > 100000 then ()
  else (if Array.sub (flags, i) then strike (i * i, i) else (); go (i + 1));
val _ = (go 2; say "primes" (Array.foldl (fn (true, sum) => sum + 1 | (false, sum) => sum) ~2 flags));

val table = List.tabulate (2000, fn i => fn x => x * i + i mod 7);
val _ = say "closures" (foldl (fn (f, sum) => (sum + f 3) mod 1000003) 0 table);

exception Odd of int;
fun half n = if n mod 2 = 1 then raise Odd n else n div 2;
val _ = say "exceptions" (foldl (fn (n, sum) => sum + (half n handle Odd m => ~m)) 0
  (List.tabulate (1000, fn i => i)));
val _ = say "overflow" (valOf Int.maxInt + fib 3 handle Overflow => 7);

(* The collector moves code, too. *)
val _ = SMLofNJ.Internals.GC.doGC 10;
val _ = say "collected" (fib 20 + half 8);
