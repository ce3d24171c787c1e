-- KEYS[1]: the key. ARGV: the token, how many milliseconds the record lasts (none: for ever, 0: it is over), the record.
-- What is no string has no token, and the error that says so is not ours.
local header = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if header == string.sub(ARGV[3], 1, 16) then
  -- The answer to the first try was lost.
  return 1
end
if header ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('SET', KEYS[1], ARGV[3])
elseif ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
end
return 1
