# A hot method, strings, a child, for YJIT. The argument says how many rounds.
def step(sum, i)
  (sum * 31 + i) % 1000003
end

sum = 0
(ARGV[0] || 1).to_i.times do
  words = []
  100000.times do |i|
    sum = step(sum, i)
    words << sum.to_s if i % 10 == 0
  end
  sum = step(sum, words.join(",").length)
end
Process.wait(fork { exit step(3, 4) })
puts sum, $?.exitstatus
