# micropython_load.py: compiled functions, exceptions through them. See micropython.bash.
import gc
import micropython


@micropython.native
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@micropython.viper
def total(n: int) -> int:
    s = 0
    for i in range(n):
        s = s * 31 + i & 0xFFFFFF
    return s


@micropython.native
def fails(n):
    try:
        return 100 // (n % 3)
    except ZeroDivisionError:
        return n


print(fib(22), total(1000000), sum([fails(n) for n in range(3000)]))
# A function of its own for each round; those of before are collected.
s = 0
for k in range(500):
    made = {"micropython": micropython}
    exec("@micropython.native\ndef f(x):\n    return (x * %d + 1) %% 1000003\n" % k, made)
    s = made["f"](s + k)
    if k % 50 == 0:
        gc.collect()
print(s)
