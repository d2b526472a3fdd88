; lli.ll: primes counted, a recursion and a loop of arithmetic, printed a digit at
; a time: no pointers in it, which LLVM's versions write differently.
declare i32 @putchar(i32)

define i32 @fibonacci(i32 %n) {
  %small = icmp slt i32 %n, 2
  br i1 %small, label %itself, label %more
itself:
  ret i32 %n
more:
  %one = sub i32 %n, 1
  %two = sub i32 %n, 2
  %a = call i32 @fibonacci(i32 %one)
  %b = call i32 @fibonacci(i32 %two)
  %sum = add i32 %a, %b
  ret i32 %sum
}

define i32 @hot(i32 %n) {
  br label %loop
loop:
  %i = phi i32 [ 0, %0 ], [ %next, %loop ]
  %sum = phi i32 [ 0, %0 ], [ %rest, %loop ]
  %times = mul i32 %sum, 31
  %plus = add i32 %times, %i
  %rest = urem i32 %plus, 1000003
  %next = add i32 %i, 1
  %again = icmp slt i32 %next, %n
  br i1 %again, label %loop, label %end
end:
  ret i32 %rest
}

define void @print(i32 %n) {
  %digit = urem i32 %n, 10
  %rest = udiv i32 %n, 10
  %last = icmp eq i32 %rest, 0
  br i1 %last, label %here, label %before
before:
  call void @print(i32 %rest)
  br label %here
here:
  %character = add i32 %digit, 48
  %ignored = call i32 @putchar(i32 %character)
  ret void
}

define i32 @main() {
  %f = call i32 @fibonacci(i32 27)
  call void @print(i32 %f)
  %ignored = call i32 @putchar(i32 10)
  %h = call i32 @hot(i32 4000000)
  call void @print(i32 %h)
  %again = call i32 @putchar(i32 10)
  ret i32 5
}
