-- ARGV[5..]: names.
local marks = {}
for i = 5, #ARGV do
  marks[#marks + 1] = redis.call('ZSCORE', parts[string.sub(ARGV[i], 1, 1)], ARGV[i])
end
return { marks, news() }
