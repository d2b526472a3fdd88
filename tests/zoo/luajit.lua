-- luajit.lua: hot loops of many kinds, so that many traces are made; coroutines;
-- a callback through the FFI, which needs code of its own.
local ffi = require("ffi")

local traces = 0
jit.attach(function(what)
	if what == "stop" then
		traces = traces + 1
	end
end, "trace")

local function step(sum, i)
	return (sum * 31 + i) % 1000003
end

local function strings(sum)
	local words = {}
	for i = 1, 60000 do
		sum = step(sum, i)
		if i % 10 == 0 then
			words[#words + 1] = tostring(sum)
		end
	end
	return step(sum, #table.concat(words, ","))
end

local function sieve(sum)
	local flags = ffi.new("uint8_t[?]", 200000)
	for i = 2, 199999 do
		if flags[i] == 0 then
			sum = step(sum, i)
			for j = i * 2, 199999, i do
				flags[j] = 1
			end
		end
	end
	return sum
end

local function coroutines(sum)
	local numbers = coroutine.wrap(function()
		for i = 1, 20000 do
			coroutine.yield(i)
		end
	end)
	for _ = 1, 20000 do
		sum = step(sum, numbers())
	end
	return sum
end

-- A source of its own for each, so that each gets its own traces.
local function generated(sum)
	for k = 1, 40 do
		local f = loadstring(
			"local s, step = ... for i = 1, 3000 do s = step(s, i * " .. k .. ") end return s")
		sum = f(sum, step)
	end
	return sum
end

ffi.cdef [[
typedef int (*compare_t)(const int *, const int *);
void qsort(void *base, size_t count, size_t size, compare_t compare);
]]

local function callback(sum)
	local numbers = ffi.new("int[?]", 3000)
	for i = 0, 2999 do
		numbers[i] = (i * 7919) % 3001
	end
	local compare = ffi.cast("compare_t", function(a, b)
		return a[0] - b[0]
	end)
	ffi.C.qsort(numbers, 3000, 4, compare)
	compare:free()
	return step(sum, numbers[1500])
end
jit.off(callback)

local sum = 0
for _ = 1, 80 do
	sum = generated(coroutines(sieve(strings(sum))))
end
print(callback(sum))
print("compiled: " .. (traces > 100 and "yes" or "no"))
