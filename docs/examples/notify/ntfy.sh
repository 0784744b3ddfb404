#!/bin/sh
# Tells a topic of ntfy (https://ntfy.sh, or a server of your own). Needs curl.
#   command: [/etc/assayer/ntfy.sh, "https://ntfy.example/site-1"]
set -eu
case "${ASSAYER_SEVERITY:-}/${ASSAYER_STATE:-}" in
  */approved | */resolved | */incident-closed) priority=low ;;
  critical/*) priority=urgent ;;
  high/*) priority=high ;;
  *) priority=default ;;
esac
exec curl --silent --show-error --fail --max-time 15 \
  --header "Title: assayer ${ASSAYER_GATEWAY}" --header "Priority: ${priority}" \
  --data-raw "${ASSAYER_TEXT}" "$1"
