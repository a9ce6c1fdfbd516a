#!/bin/sh
# Runs all tests twice side by side while 16 loops keep the processors busy: no test may fail because the machine is slow.
# Exits 1 when a run failed, and prints what failed; the logs stay then. Half an hour on two processors.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=$(mktemp -d) || exit 1
loops='' runs=''
trap 'kill $loops $runs 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
  sh -c 'while kill -0 "$1" 2>/dev/null; do :; done' loop $$ & # ends with this script, however that ends
  loops="$loops $!"
done
for n in 1 2; do
  go test -short -count=1 -timeout 60m work >"$logs/run-$n.log" 2>&1 &
  runs="$runs $!"
done
echo "loadtest: logs in $logs"

failed=0 n=0
for pid in $runs; do
  n=$((n + 1))
  if wait "$pid"; then
    echo "loadtest: run $n passed"
  else
    failed=1
    echo "loadtest: run $n FAILED, by its log:"
    grep -vE '^ok |no test files' "$logs/run-$n.log" | head -n 300
  fi
done
runs=''
for pid in $loops; do
  kill "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
done
loops=''
[ "$failed" = 0 ] && rm -r "$logs"
exit "$failed"
