redis-server --save '' > /dev/null &
until redis-cli ping > /dev/null 2>&1; do sleep 0.1; done
echo begin
redis-benchmark -t set,get,incr,lpush,lrange_100 -n 2500 -q > /dev/null
redis-cli info commandstats | grep -o 'cmdstat_[a-z]*:calls=[0-9]*' | sort
echo end
