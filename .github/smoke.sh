#!/usr/bin/env bash
# Reports a failed payment to a running installation, and waits until the first mail is sent.
#   .github/smoke.sh http://localhost:8000
set -euo pipefail
api=$1
name=smoke-$(date +%s)
field() { node -pe "JSON.parse(require('fs').readFileSync(0)).$1"; }
post() { curl --silent --show-error --fail-with-body "$api$1" -H 'Content-Type: application/json' "${@:2}"; }

curl --silent --fail-with-body --retry 30 --retry-delay 2 --retry-all-errors "$api/readyz" >/dev/null
token=$(post /v1/auth/register -d "{\"email\":\"$name@example.com\",\"password\":\"correct horse battery\",
  \"org_name\":\"Smoke\",\"org_slug\":\"$name\"}" | field access_token)
recovery=$(post /v1/events/payment_failed -H "Authorization: Bearer $token" -d '{"transaction_ref":"INV-1",
  "amount":4900,"currency":"EUR","gateway":"sandbox","customer":{"email":"jo@example.com"},
  "failure":{"decline_code":"authentication_required"}}' | field recovery_id)

for _ in $(seq 30); do
  answer=$(curl --silent "$api/v1/recoveries/$recovery" -H "Authorization: Bearer $token")
  if [ "$(field 'notifications?.[0]?.status' <<<"$answer")" = sent ]; then
    echo "Recovery $recovery: the first mail is sent."
    exit 0
  fi
  sleep 1
done
echo "No mail was sent for recovery $recovery: $answer" >&2
exit 1
