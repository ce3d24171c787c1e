-- KEYS[1]: the lease. ARGV: the token, the channel of those who wait, and what they wait for.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
-- Who may not publish leaves the others waiting until their time is over, and has released the lease.
redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return 1
