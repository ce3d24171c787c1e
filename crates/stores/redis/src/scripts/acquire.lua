-- KEYS[1]: the lease. ARGV: the token, and how many milliseconds it lasts.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 1
end
-- The answer to the first try may have been lost.
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
