-- Hot loops and a table of strings, for LuaJIT. arg[1]: how many rounds.
local rounds = tonumber(arg[1]) or 1
local sum = 0

for round = 1, rounds do
	local words = {}

	for i = 1, 300000 do
		sum = (sum * 31 + i) % 1000003
		if i % 10 == 0 then
			words[#words + 1] = tostring(sum)
		end
	end
	sum = (sum + #table.concat(words, ",")) % 1000003
end
print(sum)
