-- KEYS[1]: the lease. ARGV: the token, and how many milliseconds it lasts from now on.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
