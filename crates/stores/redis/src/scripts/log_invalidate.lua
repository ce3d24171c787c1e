-- KEYS[5..]: records to void. ARGV[5]: how many tags, and how many keys, are kept. ARGV[6]: how many milliseconds a guard
-- lasts. ARGV[7..]: a guard for each record, and then names.
local voids = #KEYS - 4
for i = 1, voids do
  redis.call('SET', KEYS[4 + i], ARGV[6 + i], 'PX', ARGV[6])
end
redis.call('HINCRBY', KEYS[1], 'number', 1)
log[3] = redis.call('HGET', KEYS[1], 'number')
for i = 7 + voids, #ARGV do
  redis.call('ZADD', parts[string.sub(ARGV[i], 1, 1)], log[3], ARGV[i])
end
local names = #ARGV - 6 - voids
local function drop_oldest(part, field, floor)
  -- One more is there: the mark of the era, which has the highest number of all.
  local excess = redis.call('ZCARD', part) - 1 - tonumber(ARGV[5])
  if excess > 0 then
    -- Where the limit was lowered there may be many: some at a time.
    local dropped = redis.call('ZPOPMIN', part, math.min(excess, 1000 + 2 * names))
    log[field] = dropped[#dropped]
    redis.call('HSET', KEYS[1], floor, log[field])
  end
end
drop_oldest(parts.t, 4, 'floor')
drop_oldest(parts.k, 5, 'key_floor')
return news()
