-- neovim.lua: an editor's work by Lua: words of the buffer counted and sorted, lines
-- reformatted, keys of a callback typed. See neovim.bash.

local jit_util = require('jit.util')
local lines = vim.api.nvim_buf_get_lines(0, 0, -1, true)
local counted, order, hash = {}, {}, 0

for _ = 1, 40 do
	for _, line in ipairs(lines) do
		for word in line:gmatch('%w+') do
			counted[word] = (counted[word] or 0) + 1
			for i = 1, #word do
				hash = (hash * 31 + word:byte(i)) % 16777213
			end
		end
	end
end
for word in pairs(counted) do
	order[#order + 1] = word
end
table.sort(order)
vim.api.nvim_buf_set_lines(0, 0, -1, true, order)
vim.api.nvim_set_keymap('n', 'Q', 'A!<Esc>j', {})
vim.cmd('normal gg' .. string.rep('Q', 20))
vim.cmd('silent write! sorted')
vim.cmd([[silent %substitute/\v^(\w)(\w*)$/\2\1/e]])
print(#order, hash, vim.api.nvim_buf_get_lines(0, 30, 31, true)[1])
-- The first trace that was compiled.
print('compiled: ' .. ((jit.status() and jit_util.traceinfo(1)) and 'yes' or 'no'))
