io.write("begin\n")
io.flush()
-- Loops of pure Lua: integers, floats, tables, strings, calls and closures. (A program for -e may not begin so.)

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local function count_primes(limit)
  local composite, count = {}, 0
  for n = 2, limit do
    if not composite[n] then
      count = count + 1
      for multiple = n * n, limit, n do composite[multiple] = true end
    end
  end
  return count
end

local function integrate(steps)
  local sum, width = 0.0, 1.0 / steps
  for i = 0, steps - 1 do
    local x = (i + 0.5) * width
    sum = sum + 4.0 / (1.0 + x * x)
  end
  return string.format("%.10f", sum * width)
end

local function collatz(limit)
  local longest, start = 0, 0
  for first = 1, limit do
    local n, steps = first, 0
    while n ~= 1 do
      n = n & 1 == 0 and n >> 1 or 3 * n + 1
      steps = steps + 1
    end
    if steps > longest then longest, start = steps, first end
  end
  return start .. " " .. longest
end

local function make_counter()
  local counts = {}
  return function(word)
    counts[word] = (counts[word] or 0) + 1
    return counts
  end
end

local function count_words(rounds)
  local seed, counter, counts = 42, make_counter(), nil
  for _ = 1, rounds do
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    counts = counter("w" .. (seed >> 8) % 997)
  end
  local words = {}
  for word in pairs(counts) do words[#words + 1] = word end
  table.sort(words, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  return table.concat(words, " ", 1, 5)
end

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector) end
function Vector:length() return math.sqrt(self.x * self.x + self.y * self.y) end

local function add_vectors(rounds)
  local sum = setmetatable({ x = 0, y = 0 }, Vector)
  for i = 1, rounds do sum = sum + setmetatable({ x = i, y = -i }, Vector) end
  return string.format("%.3f", sum:length())
end

print(fib(27), count_primes(300000), integrate(1000000))
print(collatz(20000), count_words(200000), add_vectors(200000))
print("end")
