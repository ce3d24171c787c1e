-- What all scripts of the log begin with. KEYS[1..4]: its state, and the numbers of its tags, of its keys and of its
-- namespaces. ARGV[1..4]: the era and the number that the caller knows ('' and 0 for none), an era that no log has had, and
-- how many names it can be told at most.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not server then
  return redis.error_reply('ERR this server does not say its run_id in INFO')
end
local parts = { t = KEYS[2], k = KEYS[3], n = KEYS[4] }
local known = tonumber(ARGV[2])
-- Numbers stay text: they are longer than what Lua counts exactly.
local log = redis.call('HMGET', KEYS[1], 'server', 'era', 'number', 'floor', 'key_floor')
-- Another server may have missed the last of it.
local whole = log[1] == server
for field = 2, 5 do
  whole = whole and log[field] and string.match(log[field], '^%d+$')
end
-- A part that was evicted or deleted has lost the mark of the era with it.
for _, part in pairs(parts) do
  whole = whole and redis.call('ZSCORE', part, '=' .. log[2])
end
if not whole or log[2] == ARGV[1] and known > tonumber(log[3]) then
  redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  log = { server, ARGV[3], '0', '0', '0' }
  redis.call('HSET', KEYS[1], 'server', server, 'era', ARGV[3], 'number', '0', 'floor', '0', 'key_floor', '0')
  for _, part in pairs(parts) do
    redis.call('ZADD', part, '+inf', '=' .. ARGV[3])
  end
end

local function news()
  local told = { log[2], log[3], log[4], log[5], '1' }
  if log[2] ~= ARGV[1] or log[3] == ARGV[2] then
    return told
  end
  local count = 0
  for _, part in pairs(parts) do
    count = count + redis.call('ZCOUNT', part, '(' .. ARGV[2], '(inf')
  end
  if known < tonumber(log[4]) or known < tonumber(log[5]) or count > tonumber(ARGV[4]) then
    told[5] = '0'
    return told
  end
  for _, part in pairs(parts) do
    for _, text in ipairs(redis.call('ZRANGEBYSCORE', part, '(' .. ARGV[2], '(inf', 'WITHSCORES')) do
      told[#told + 1] = text
    end
  end
  return told
end
