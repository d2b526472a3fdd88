# ruby.rb: hot methods in the parent and its children.
def step(sum, i)
  (sum * 31 + i) % 1000003
end

class Shape
  attr_reader :size

  def initialize(size)
    @size = size
  end
end

class Square < Shape
  def area
    size * size
  end
end

class Line < Shape
  def area
    raise ArgumentError if size % 100 == 0
    size
  end
end

def strings(sum)
  words = []
  20000.times do |i|
    sum = step(sum, i)
    words << sum.to_s if i % 10 == 0
  end
  step(sum, words.join(",").gsub(/(\d)\1/, "-").length)
end

def objects(sum)
  3000.times do |i|
    shape = i.even? ? Line.new(i) : Square.new(i)
    sum = begin
      step(sum, shape.area)
    rescue ArgumentError
      step(sum, 1)
    end
  end
  sum
end

# A method of its own for each round, so that there is always something to compile.
def made(sum, k)
  Object.class_eval "def made_#{k}(sum) 50.times { |i| sum = step(sum, i * #{k}) }; sum end"
  3.times { sum = send(:"made_#{k}", sum) }
  sum
end

def everything(sum, rounds)
  rounds.times { |k| sum = made(objects(strings(sum)), k) }
  sum
end

puts everything(1, 60)
puts (1..3).map { |n| Thread.new { everything(n, 5) } }.map(&:value).join(" ")
$stdout.flush
children = (1..3).map do |n|
  from, to = IO.pipe
  child = fork do
    from.close
    to.puts everything(n, 10 + n)
    exit! n
  end
  to.close
  [child, from]
end
puts everything(4, 10)
children.each do |child, from|
  Process.wait(child)
  puts "#{from.read.chomp} #{$?.exitstatus}"
end
compilers = %i[YJIT RJIT].select { |name| RubyVM.const_defined?(name) }
puts "compiled: #{compilers.any? { |name| RubyVM.const_get(name).enabled? } ? "yes" : "no"}"
