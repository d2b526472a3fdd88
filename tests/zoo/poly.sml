(* poly.sml: work for Poly/ML: functions compiled as they come, closures, exceptions,
   threads, the garbage collector with all that was compiled. *)
fun say name value = print (name ^ ": " ^ Int.toString value ^ "\n");

fun fib 0 = 0 | fib 1 = 1 | fib n = fib (n - 1) + fib (n - 2);
say "fib" (fib 25);

fun sieve n =
  let
    val flags = Array.array (n + 1, true)
    fun strike (i, step) =
      if i > n then () else (Array.update (flags, i, false); strike (i + step, step))
    fun go i =
      if i * i > n then () else (if Array.sub (flags, i) then strike (i * i, i) else (); go (i + 1))
  in
    go 2; Array.foldl (fn (true, sum) => sum + 1 | (false, sum) => sum) ~2 flags
  end;
say "primes" (sieve 100000);

val table = List.tabulate (2000, fn i => fn x => x * i + i mod 7);
say "closures" (foldl (fn (f, sum) => (sum + f 3) mod 1000003) 0 table);

exception Odd of int;
fun half n = if n mod 2 = 1 then raise Odd n else n div 2;
say "exceptions" (foldl (fn (n, sum) => sum + (half n handle Odd m => ~m)) 0
  (List.tabulate (1000, fn i => i)));

(* Each of them is machine code of its own, and the collector moves it. *)
fun compile text =
  let
    val rest = ref (String.explode text)
    fun next () = case !rest of [] => NONE | c :: cs => (rest := cs; SOME c)
  in
    while not (null (!rest)) do PolyML.compiler (next, []) ()
  end;
fun make i = compile ("val f" ^ Int.toString i ^ " = fn x => x * " ^ Int.toString i ^ " + fib 5;");
fun upto n = List.tabulate (n, fn i => i);
app make (upto 50);
PolyML.fullGC ();
compile "say \"compiled\" (f7 3 + f49 2);";
compile "PolyML.fullGC (); say \"collected\" (f7 3 + f49 2);";

local
  open Thread
  val lock = Mutex.mutex ()
  val done = ConditionVar.conditionVar ()
  val left = ref 4
  val sum = ref 0
  fun work i () =
    let
      val part = fib (15 + i) + foldl (op +) 0 (List.tabulate (5000, fn j => j mod (i + 2)))
    in
      Mutex.lock lock; sum := !sum + part; left := !left - 1;
      ConditionVar.signal done; Mutex.unlock lock
    end
in
  val () = app (fn i => (Thread.fork (work i, []); ())) (upto 4)
  val () = Mutex.lock lock
  val () = while !left > 0 do ConditionVar.wait (done, lock)
  val () = Mutex.unlock lock
  val () = say "threads" (!sum)
end;
