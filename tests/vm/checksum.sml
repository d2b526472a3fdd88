(* checksum.sml: Poly/ML, whose program has text relocations, compiles it as it reads it. *)
fun checksum (i, n, s) = if i = n then s else checksum (i + 1, n, (s * 31 + i) mod 1000003);
val () = print (Int.toString (checksum (0, 30000, 0)) ^ "\n");
val () = PolyML.fullGC ();
val () = print (Int.toString (checksum (0, 20000, 1)) ^ "\n");
val () = OS.Process.exit OS.Process.success;
