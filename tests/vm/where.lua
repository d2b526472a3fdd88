-- where.lua: runs a loop until it is compiled, and prints what kind of file code lies
-- in: those that are mapped shared and executable.
local sum = 0
for i = 1, 1000 do
	sum = (sum * 31 + i) % 1000003
end
for line in io.lines("/proc/self/maps") do
	local file = line:match("^%S+ r[w-]xs %S+ %S+ %d+%s+(.*)")
	if file then
		print((file:gsub("#?%d+ %(deleted%)$", ""):gsub(" %(deleted%)$", "")))
		break
	end
end
