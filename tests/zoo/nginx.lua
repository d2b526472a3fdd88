-- nginx.lua: what a worker of nginx.bash answers: /N is how far it counts.

local n, sum, text = tonumber(ngx.var.uri:sub(2)), 0, {}

for i = 1, n * 10 do
	sum = (sum * 33 + i % 7) % 16777213
end
for i = 1, n % 500 do
	text[i] = ngx.re.gsub('line ' .. i, '([a-z]+) ([0-9]+)', '$2 $1', 'jo')
end
ngx.say(n, ' ', sum, ' ', ngx.md5(table.concat(text)), '\ncompiled: ',
	jit.status() and require('jit.util').traceinfo(1) and 'yes' or 'no')
