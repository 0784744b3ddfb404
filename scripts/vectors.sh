#!/usr/bin/env bash
# Makes the vectors of test/vectors with OpenSSL, sha256sum, xxd and base64 alone: no code of the product has a part in
# them. Every statement below is written out in canonical form by hand; this script numbers, chains and signs it.
#
#   scripts/vectors.sh                 writes test/vectors/{known-answers,cases,checkpoints}.json
#   scripts/vectors.sh <name>          prints one of them
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- keys: the seeds of RFC 8032 §7.1, tests 1 to 3

make_key() { # name seed
  { printf '302e020100300506032b657004220420%s' "$2" | xxd -r -p; } >"$work/$1.der"
  openssl pkey -inform DER -in "$work/$1.der" -out "$work/$1.pem"
  openssl pkey -in "$work/$1.pem" -pubout -outform DER | tail -c 32 >"$work/$1.pub"
}
make_key gateway 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
make_key witness 4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb
make_key stranger c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7

b64u() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
jwk() { printf '{"crv":"Ed25519","kty":"OKP","x":"%s"}' "$(b64u <"$work/$1.pub")"; }
sha256() { sha256sum | cut -d' ' -f1 | xxd -r -p; }
hex() { xxd -p -c 64; }
kid() { jwk "$1" | sha256 | b64u; }
sign() { # key, message on stdin
  cat >"$work/input"
  openssl pkeyutl -sign -inkey "$work/$1.pem" -rawin -in "$work/input"
}
GATEWAY=$(kid gateway)
WITNESS=$(kid witness)
STRANGER=$(kid stranger)

# ---- envelope, leaf, node

header() { printf '{"alg":"%s","kid":"%s","typ":"%s"}' "${2:-Ed25519}" "$1" "${3:-miner-att+jwt}"; }
seal_as() { # key header content: the message W
  local encoded signature
  encoded=$(printf %s "$2" | b64u)
  signature=$(printf '%s.%s' "$encoded" "$(printf %s "$3" | b64u)" | sign "$1" | b64u)
  printf '%s,"jws":"%s..%s"}' "${3%\}}" "$encoded" "$signature"
}
seal() { seal_as gateway "$(header "$GATEWAY")" "$1"; }
leaf() { { printf '\0'; printf %s "$1"; } | sha256 | b64u; }
leaf_hex() { { printf '\0'; printf %s "$1"; } | sha256 | hex; }
node_hex() { printf '01%s%s' "$1" "$2" | xxd -r -p | sha256 | hex; }

quote() { # a JSON string of printable text
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  printf '"%s"' "$text"
}

# ---- known answers: three entries with an older profile string, their tree, a checkpoint and a cosignature

NOTHING=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
LOG=example.org/gw-test/1
SEED=AAECAwQFBgcICQoLDA0ODw
IAT=1795339200

key_id() { # name type key: the first four bytes of the note key id
  { printf '%s\n' "$1"; printf %s "$2" | xxd -r -p; cat "$work/$3.pub"; } | sha256 | head -c 4
}

known_answers() {
  local prev=$NOTHING seq event message messages=() leaves=()
  for seq in 0 1 2; do
    event=$([ "$seq" = 0 ] && echo start || echo note)
    message=$(seal "$(printf '{"bootcount":1,"bootseed":"%s","clock":{"src":"ntp","state":"synced"},"eat_profile":"tag:example.org,2026:miner-attestation/1","iat":%d,"kind":"session","log":"%s","mono_ms":%d,"prev":"%s","seq":%d,"session":{"event":"%s"}}' \
      "$SEED" $((IAT + seq)) "$LOG" $((seq * 1000)) "$prev" "$seq" "$event")")
    prev=$(leaf "$message")
    messages+=("$message")
    leaves+=("$(leaf_hex "$message")")
  done
  local root2 root3 text time=$((IAT + 60)) note cosignature
  root2=$(node_hex "${leaves[0]}" "${leaves[1]}")
  root3=$(node_hex "$root2" "${leaves[2]}")
  text=$(printf '%s\n3\n%s\nx' "$LOG" "$(printf %s "$root3" | xxd -r -p | base64 -w0)")
  text=${text%x}
  note=$({ key_id "$LOG" 01 gateway; printf %s "$text" | sign gateway; } | base64 -w0)
  cosignature=$({
    key_id example.org/witness-a 04 witness
    printf '%016x' "$time" | xxd -r -p
    printf 'cosignature/v1\ntime %d\n%s' "$time" "$text" | sign witness
  } | base64 -w0)
  printf '{\n  "jwk": %s,\n  "kid": "%s",\n  "header": "%s",\n  "messages": [\n' \
    "$(jwk gateway)" "$GATEWAY" "$(header "$GATEWAY" | b64u)"
  printf '    %s,\n    %s,\n    %s\n  ],\n' "$(quote "${messages[0]}")" "$(quote "${messages[1]}")" "$(quote "${messages[2]}")"
  printf '  "leaves": ["%s", "%s", "%s"],\n' "${leaves[@]}"
  printf '  "roots": { "2": "%s", "3": "%s" },\n' "$root2" "$root3"
  printf '  "inclusion_1_in_3": ["%s", "%s"],\n' "${leaves[0]}" "${leaves[2]}"
  printf '  "consistency_2_to_3": ["%s"],\n' "${leaves[2]}"
  printf '  "vkey": "%s+%s+%s",\n' "$LOG" "$(key_id "$LOG" 01 gateway | hex)" \
    "$({ printf '\1'; cat "$work/gateway.pub"; } | base64 -w0)"
  printf '  "checkpoint": %s,\n' "$(quote "$text")"
  printf '  "note": "\xe2\x80\x94 %s %s",\n' "$LOG" "$note"
  printf '  "cosignature": "\xe2\x80\x94 example.org/witness-a %s"\n}\n' "$cosignature"
}

# ---- statements of profile 1

# Where the next statement stands; `next` moves on and chains, `at` sets the clock of both kinds.
reset() { log=$LOG seq=0 prev=$NOTHING iat=$IAT mono=0 bootcount=1 bootseed=$SEED clock='{"src":"ntp","state":"synced"}' epoch=''; }
after() { seq=$((seq + 1)) prev=$(leaf "$1") iat=$((iat + 1)) mono=$((mono + 1000)); }

# The members before bootcount, after bootseed, after epoch, after prev and after seq, in this order; kind first.
statement() {
  printf '{%s"bootcount":%s,"bootseed":"%s",%s"clock":%s,"eat_profile":"tag:assayer.example,2026:attestation/1",%s%s"iat":%s,"kind":"%s","log":"%s","mono_ms":%s,"prev":"%s",%s"seq":%s%s}' \
    "$2" "$bootcount" "$bootseed" "$3" "$clock" "$epoch" "$4" "$iat" "$1" "$log" "$mono" "$prev" "$5" "$seq" "$6"
}
session() { statement session '' '' '' '' ",\"session\":$1"; }
START='{"agent":{"name":"assayer","version":"0.1.0"},"config_sha256":"'$NOTHING'","event":"start","host":{"arch":"x64","kernel":"6.12.0","os":"linux"},"key_protection":"file","prior":null}'
RESTART=${START/,\"prior\":null/}
STOP='{"event":"stop"}'
stop_with() { printf '{"event":"stop","reason":%s}' "$1"; }

# assurance, conformance, ear_status, vector, firmware version
attestation() {
  statement attestation \
    "\"appraisal\":{\"assurance\":\"$1\",\"conformance\":\"$2\",\"ear_status\":\"$3\",\"ear_trustworthiness_vector\":$4,\"failed\":[],\"not_run\":[],\"passed\":{}}," '' \
    "\"evidence\":{\"address\":\"192.0.2.7\",\"claims\":{\"family\":\"axeos\",\"firmware\":{\"version\":$5}},\"observed_at\":$iat,\"raw\":[],\"readings\":{},\"trigger\":\"first\"}," '' \
    ',"subject":{"device":"rig-7"}'
}

# ---- cases

first_case=1
open_case() { # id title [members]
  ((first_case)) || printf '\n    ]\n  },\n'
  first_case=0 first_message=1
  printf '  {\n    "id": "%s",\n    "title": %s,\n%s    "messages": [' "$1" "$(quote "$2")" "${3:+    $3,$'\n'}"
  reset
}
deliver() { # message verdicts…
  local message=$1
  shift
  separate
  printf '      { "message": %s, "verdicts": [' "$(quote "$message")"
  verdicts "$@"
}
deliver_bytes() { # base64 verdicts…
  local bytes=$1
  shift
  separate
  printf '      { "base64": "%s", "verdicts": [' "$bytes"
  verdicts "$@"
}
separate() {
  ((first_message)) && printf '\n' || printf ',\n'
  first_message=0
}
verdicts() {
  local separator=''
  for verdict in "$@"; do
    printf '%s"%s"' "$separator" "$verdict"
    separator=', '
  done
  printf '] }'
}
expect() { # content verdicts…: sealed by the gateway, at the place it names
  local message
  message=$(seal "$1")
  shift
  deliver "$message" "$@"
}
begin() { # delivers a good entry 0
  local message
  message=$(seal "$(session "$START")")
  deliver "$message" chained
  after "$message"
}
record() { printf '{"kid":"%s","jwk":%s,"role":"%s"%s}' "$(kid "$1")" "$(jwk "$1")" "$2" "${3:-}"; }
trusting() { printf '"keys": {"keys":[%s]}' "$1"; }

cases() {
  local good message other second third header_text
  reset
  good=$(seal "$(session "$START")")
  printf '[\n'

  open_case TV-01 'envelope and first entry'
  deliver "$good" chained

  open_case TV-03 'bytes around the message'
  deliver "$good"$'\n' 'refused E_ENVELOPE'
  deliver " $good" 'refused E_ENCODING'
  deliver_bytes "$(printf '\xef\xbb\xbf%s' "$good" | base64 -w0)" 'refused E_ENCODING'

  open_case TV-04 'a pretty-printed copy'
  deliver "${good//,\"/,$'\n'  \"}" 'refused E_ENVELOPE'

  open_case TV-05 'other algorithms'
  for alg in EdDSA none HS256; do
    deliver "$(seal_as gateway "$(header "$GATEWAY" "$alg")" "$(session "$START")")" 'refused E_ALG'
  done

  open_case TV-06 'header members and header form'
  for header_text in \
    '{"alg":"Ed25519","crit":["b64"],"kid":"'"$GATEWAY"'","typ":"miner-att+jwt"}' \
    '{"alg":"Ed25519","jwk":'"$(jwk gateway)"',"kid":"'"$GATEWAY"'","typ":"miner-att+jwt"}' \
    '{"alg":"Ed25519","b64":false,"kid":"'"$GATEWAY"'","typ":"miner-att+jwt"}' \
    '{"alg":"Ed25519","kid":"'"$GATEWAY"'"}' \
    '{"kid":"'"$GATEWAY"'","alg":"Ed25519","typ":"miner-att+jwt"}' \
    '{"alg":"Ed25519", "kid":"'"$GATEWAY"'","typ":"miner-att+jwt"}' \
    '{"alg":"Ed25519","alg":"Ed25519","kid":"'"$GATEWAY"'","typ":"miner-att+jwt"}' \
    '["Ed25519"]' 'Ed25519'; do
    deliver "$(seal_as gateway "$header_text" "$(session "$START")")" 'refused E_HEADER'
  done

  open_case TV-07 'other purposes'
  for typ in miner-cp+jwt miner-ref+jwt miner-pop+jwt JWT; do
    deliver "$(seal_as gateway "$(header "$GATEWAY" Ed25519 "$typ")" "$(session "$START")")" 'refused E_TYP'
  done

  open_case TV-08 'a key that is not trusted, and another name for it'
  deliver "$(seal_as stranger "$(header "$STRANGER")" "$(session "$START")")" 'refused E_KEY_UNKNOWN'
  deliver "$(seal_as stranger "$(header "$GATEWAY")" "$(session "$START")")" 'refused E_SIGNATURE'
  open_case TV-08 'a key in another role' "$(trusting "$(record gateway collector)")"
  deliver "$good" 'refused E_KEY_SCOPE'
  open_case TV-08 'a key for another log' "$(trusting "$(record gateway gateway ',"logs":["example.org/gw-other"]')")"
  deliver "$good" 'refused E_KEY_SCOPE'
  open_case TV-08 'a key for this gateway' "$(trusting "$(record gateway gateway ',"logs":["example.org/gw-test"]')")"
  deliver "$good" chained
  open_case TV-08 'a key from a later entry on' "$(trusting "$(record gateway gateway ',"from_size":1')")"
  deliver "$good" 'refused E_KEY_SCOPE'
  open_case TV-08 'a key revoked after entry 0' \
    "$(trusting "$(record gateway gateway ',"revoked":{"reason":"test","iat":1795339300,"last_good":{"size":1,"root":"'"$(leaf "$good")"'"}}')")"
  begin
  expect "$(session "$STOP")" 'refused E_KEY_REVOKED'

  open_case TV-09 'numbers outside the data model'
  begin
  for number in 1.5 1e+21 9007199254740992; do
    expect "$(session '{"delta_ms":'"$number"',"event":"clock-step"}')" 'refused E_SCHEMA'
  done
  for number in 1e3 -0 1.0 9007199254740993 0.10; do
    expect "$(session '{"delta_ms":'"$number"',"event":"clock-step"}')" 'refused E_NONCANONICAL'
  done
  open_case TV-09 'names and texts that are not canonical'
  begin
  expect "$(session '{"event":"stop","event":"stop"}')" 'refused E_NONCANONICAL'
  expect "$(session '{"event":"stop","reason":"x","reason":"y"}')" 'refused E_NONCANONICAL'
  expect "$(session '{"reason":"x","event":"stop"}')" 'refused E_NONCANONICAL'
  expect "$(session '{"event":"stop", "reason":"x"}')" 'refused E_NONCANONICAL'
  expect "$(session "$(stop_with '"\u0061"')")" 'refused E_NONCANONICAL'
  expect "$(session "$(stop_with '"\/"')")" 'refused E_NONCANONICAL'
  expect "$(session "$(stop_with '"\u000A"')")" 'refused E_NONCANONICAL'
  expect "$(session "$(stop_with '"\ud800"')")" 'refused E_NONCANONICAL'
  open_case TV-09 'content that is not JSON, or no statement'
  begin
  expect "$(session "$(stop_with "'x'")")" 'refused E_JSON'
  expect "$(session '{"event":"stop",}')" 'refused E_JSON'
  expect '{}' 'refused E_PROFILE'
  expect "$(session '{"event":"dance"}')" 'refused E_SCHEMA'
  expect "$(session '{"event":"stop","extra":1}')" 'refused E_SCHEMA'
  expect "$(session '{"Event":"stop"}')" 'refused E_SCHEMA'
  expect "$(session '{"__proto__":1,"event":"stop"}')" 'refused E_SCHEMA'
  expect "$(statement dance '' '' '' '' ',"session":{"event":"stop"}')" 'refused E_SCHEMA'

  open_case TV-10 'unused bits of signature and header'
  deliver "${good%?????}$(printf %s "${good: -5:3}" | tr 'AQgw' 'BRhx')\"}" 'refused E_ENVELOPE'
  message=${good%\"\}}
  other=${message: -1}
  deliver "${message%?}$(printf %s "$other" | tr 'AQgw' 'BRhx')\"}" 'refused E_ENVELOPE'
  deliver "${good/fQ../fR..}" 'refused E_ENVELOPE'

  open_case TV-11 'jws inside a text and inside an object is content'
  begin
  message=$(seal "$(session "$(stop_with '",\"jws\":\"e30..AAAA\"}"')")")
  deliver "$message" chained
  after "$message"
  expect "$(statement change '' '"change":{"action":"adopted","by":"ada","id":"p-1","terms":{"jws":"e30..AAAA"},"type":"plan"},' '' '' '')" chained
  open_case TV-11 'jws as a member of the content is reserved'
  expect "$(statement session '' '' '' '' ',"session":'"$START"',"jws":"e30..AAAA"')" 'refused E_NONCANONICAL'
  deliver "${good%\}}${good#"${good%,\"jws\"*}"}" 'refused E_SIGNATURE'

  open_case TV-12 'the same message again'
  begin
  deliver "$good" 'duplicate I_DUPLICATE'

  open_case TV-13 'two messages at one place'
  begin
  expect "$(session "$STOP")" chained
  expect "$(session "$(stop_with '"other"')")" 'refused E_FORK'

  open_case TV-14 'a gap, filled'
  begin
  second=$(seal "$(session "$STOP")")
  after "$second"
  third=$(seal "$(session "$STOP")")
  deliver "$third" held
  deliver "$third" 'duplicate I_DUPLICATE'
  deliver "$second" chained chained
  open_case TV-14 'a gap that stays' '"finish": ["unchained W_GAP"]'
  begin
  after "$good"
  expect "$(session "$STOP")" held

  open_case TV-15 'a wrong predecessor'
  begin
  prev=$NOTHING
  message=$(seal "$(session "$STOP")")
  deliver "$message" 'quarantined E_CHAIN'
  after "$message"
  expect "$(session "$STOP")" chained
  open_case TV-15 'a first entry with a predecessor'
  prev=$(leaf x)
  expect "$(session "$START")" 'quarantined E_CHAIN'
  open_case TV-15 'a first entry after an unknown log'
  expect "$(session "${START/null/$(printf '{"log":"%s","root":"%s","size":3}' example.org/gw-test/0 "$NOTHING")}")" 'chained W_NEW_LOG'

  open_case TV-16 'a restart'
  begin
  bootcount=2 bootseed=AQECAwQFBgcICQoLDA0ODw mono=0
  expect "$(session "$RESTART")" chained
  open_case TV-16 'a start counter that falls'
  bootcount=2
  begin
  bootcount=1
  expect "$(session "$STOP")" 'quarantined E_BOOT'
  open_case TV-16 'a start counter that jumps'
  begin
  bootcount=3 bootseed=AQECAwQFBgcICQoLDA0ODw mono=0
  expect "$(session "$RESTART")" 'quarantined E_BOOT'
  open_case TV-16 'a new seed without a start'
  begin
  bootcount=2 bootseed=AQECAwQFBgcICQoLDA0ODw mono=0
  expect "$(session "$STOP")" 'quarantined E_BOOT'
  open_case TV-16 'a start with the seed of the run before'
  begin
  expect "$(session "$RESTART")" 'quarantined E_BOOT'
  open_case TV-16 'a cloned disk: the same seed, other entries'
  begin
  expect "$(session "$STOP")" chained
  bootcount=2
  expect "$(session "$RESTART")" 'refused E_FORK'
  open_case TV-16 'a monotonic clock that falls'
  mono=5000
  begin
  mono=4999
  expect "$(session "$STOP")" 'quarantined E_MONO'
  open_case TV-16 'a log that does not begin with a start'
  expect "$(session "$STOP")" 'quarantined E_BOOT'
  open_case TV-16 'a first start that does not say what came before'
  expect "$(session "$RESTART")" 'refused E_SCHEMA'

  open_case TV-17 'a clock step with its statement'
  begin
  iat=$((iat + 3600))
  message=$(seal "$(session '{"delta_ms":3600000,"event":"clock-step"}')")
  deliver "$message" chained
  after "$message"
  expect "$(session "$STOP")" chained
  open_case TV-17 'a clock step without a statement'
  begin
  iat=$((iat + 3600))
  expect "$(session "$STOP")" 'quarantined E_CLOCK'
  open_case TV-17 'clocks apart by as much as is allowed'
  begin
  iat=$((iat + 2))
  expect "$(session "$STOP")" chained
  open_case TV-17 'a clock that is not synchronised'
  clock='{"src":"none","state":"unsynced"}'
  expect "$(session "$START")" 'chained W_CLOCK'

  open_case TV-18 'an entry from the future' '"now_ms": 1795339079000'
  deliver "$good" 'quarantined E_FUTURE'
  open_case TV-18 'an entry as far ahead as is allowed' '"now_ms": 1795339080000'
  deliver "$good" chained
  local epochs='"epochs": {"Qm9x5v0V5mQ8l0m5m1m1Ag":{"iss":"example.org/collector-a","iat":1795339100},"AAAAAAAAAAAAAAAAAAAAAA":{"iss":"example.org/collector-a","iat":1795339900}}'
  open_case TV-18 'a known epoch' "$epochs"
  epoch='"epoch":{"age_s":100,"id":"Qm9x5v0V5mQ8l0m5m1m1Ag","iss":"example.org/collector-a"},'
  expect "$(session "$START")" chained
  open_case TV-18 'an epoch that nobody issued, or another collector did' "$epochs"
  epoch='"epoch":{"age_s":100,"id":"BBBBBBBBBBBBBBBBBBBBBA","iss":"example.org/collector-a"},'
  message=$(seal "$(session "$START")")
  deliver "$message" 'chained W_EPOCH'
  after "$message"
  epoch='"epoch":{"age_s":100,"id":"Qm9x5v0V5mQ8l0m5m1m1Ag","iss":"example.org/collector-b"},'
  expect "$(session "$STOP")" 'chained W_EPOCH'
  open_case TV-18 'entries dated before a marker that the log contains' "$epochs"
  epoch='"epoch":{"age_s":0,"id":"AAAAAAAAAAAAAAAAAAAAAA","iss":"example.org/collector-a"},'
  message=$(seal "$(session "$START")")
  deliver "$message" 'quarantined E_TIME_WINDOW'
  after "$message"
  epoch=''
  expect "$(session "$STOP")" 'quarantined E_TIME_WINDOW'

  open_case TV-25 'an honest appraisal'
  begin
  expect "$(attestation self-reported unbaselined warning '{"sourced-data":32}' '"2.9.0"')" chained
  open_case TV-25 'affirming at self-reported'
  begin
  expect "$(attestation self-reported unbaselined affirming '{"configuration":2}' '"2.9.0"')" 'quarantined E_OVERCLAIM'
  open_case TV-25 'more assurance than the checks support'
  begin
  expect "$(attestation corroborated unbaselined warning '{"sourced-data":32}' '"2.9.0"')" 'quarantined E_OVERCLAIM'
  open_case TV-25 'conclusions that do not follow'
  begin
  expect "$(attestation self-reported match warning '{"sourced-data":32}' '"2.9.0"')" 'quarantined E_APPRAISAL'
  open_case TV-25 'a vector that says more than the checks'
  begin
  expect "$(attestation self-reported unbaselined warning '{"configuration":2,"sourced-data":32}' '"2.9.0"')" 'quarantined E_APPRAISAL'

  open_case TV-26 'device text after sanitising: replacement characters, quotes, escapes'
  begin
  expect "$(attestation self-reported unbaselined warning '{"sourced-data":32}' $'"\xef\xbf\xbd\xef\xbf\xbd \\"x\\" \\\\ <script> \xe2\x82\xbf \xf0\x9f\x98\x80"')" chained
  open_case TV-26 'controls are escaped the canonical way or not at all'
  begin
  expect "$(attestation self-reported unbaselined warning '{"sourced-data":32}' '"\u0007\u001b\n"')" chained
  open_case TV-26 'raw control characters'
  begin
  deliver_bytes "$(seal "$(session "$(stop_with $'"\x07"')")" | base64 -w0)" 'refused E_JSON'
  open_case TV-26 'bytes that are not UTF-8'
  begin
  deliver_bytes "$(seal "$(session "$(stop_with $'"\xff\xfe"')")" | base64 -w0)" 'refused E_ENCODING'
  deliver_bytes "$(seal "$(session "$(stop_with $'"\xed\xa0\x80"')")" | base64 -w0)" 'refused E_ENCODING'
  open_case TV-26 'a text of 1024 bytes and of one more'
  begin
  long=$(printf 'x%.0s' {1..1024})
  expect "$(session "$(stop_with "\"${long}x\"")")" 'refused E_SCHEMA'
  expect "$(session "$(stop_with "\"$long\"")")" chained

  printf '\n    ]\n  }\n]\n'
}

# ---- checkpoints, cosignatures, manifest: deliveries on the topics of a gateway, with what a collector says of each

first_case=1
open_checkpoints() { # id title witnessed
  ((first_case)) || printf '\n    ]\n  },\n'
  first_case=0 first_message=1
  printf '  {\n    "id": "%s",\n    "title": %s,\n    "witnessed": %s,\n    "deliveries": [' "$1" "$(quote "$2")" "$3"
  reset
}
send() { # topic message codes…
  local topic=$1 message=$2 separator='' code
  shift 2
  separate
  printf '      { "topic": "%s", "message": %s, "codes": [' "$topic" "$(quote "$message")"
  for code in "$@"; do
    printf '%s"%s"' "$separator" "$code"
    separator=', '
  done
  printf '] }'
}
checkpoint_text() { printf '%s\n%s\n%s\nx' "$log" "$1" "$(printf %s "$2" | xxd -r -p | base64 -w0)"; } # size root; cut the x
note_line() { # name type key text: the line of a gateway
  printf '\xe2\x80\x94 %s %s\n' "$1" "$({ key_id "$1" "$2" "$3"; printf %s "$4" | sign "$3"; } | base64 -w0)"
}
cosignature_line() { # name key time text
  printf '\xe2\x80\x94 %s %s\n' "$1" "$({
    key_id "$1" 04 "$2"
    printf '%016x' "$3" | xxd -r -p
    printf 'cosignature/v1\ntime %d\n%s' "$3" "$4" | sign "$2"
  } | base64 -w0)"
}
gateway_note() { # size root: with an x at the end, to be cut
  local text
  text=$(checkpoint_text "$1" "$2")
  text=${text%x}
  printf '%s\n%s\nx' "$text" "$(note_line "$log" 01 gateway "$text")"
}
heartbeat() { # mono size root note, codes…
  local note=$4 content
  content=$(printf '{"bootcount":1,"bootseed":"%s","clock":%s,"eat_profile":"tag:assayer.example,2026:attestation/1","first":0,"iat":%d,"kind":"checkpoint","log":"%s","mono_ms":%d,"note":%s,"root":"%s","size":%d}' \
    "$SEED" "$clock" $((IAT + $1 / 1000)) "$log" "$1" "$(quote "$note")" "$(printf %s "$3" | xxd -r -p | b64u)" "$2")
  shift 4
  send attest/v1/gw-test/cp "$(seal_as gateway "$(header "$GATEWAY" Ed25519 miner-cp+jwt)" "$content")" "$@"
}
beat() { # mono size root codes…: with its own note
  local mono=$1 size=$2 root=$3 note
  shift 3
  note=$(gateway_note "$size" "$root")
  heartbeat "$mono" "$size" "$root" "${note%x}" "$@"
}
manifest() { # quorum [revoked]
  local keys
  keys=$(printf '{"jwk":%s,"kid":"%s","logs":["example.org/gw-test"]%s,"role":"gateway"}' "$(jwk gateway)" "$GATEWAY" "${2:+,\"revoked\":$2}")
  send attest/v1/_fleet/trust "$(seal_as stranger "$(header "$STRANGER" Ed25519 miner-trust+jwt)" \
    "$(printf '{"exp":%d,"iat":%d,"keys":[%s],"quorum":%d,"version":1,"witnesses":["%s"]}' $((IAT + 86400)) "$IAT" "$keys" "$1" "$(vkey)")")"
}
vkey() { printf 'example.org/witness-a+%s+%s' "$(key_id example.org/witness-a 04 witness | hex)" "$({ printf '\4'; cat "$work/witness.pub"; } | base64 -w0)"; }
cosigned() { # size root lines codes…
  local note size=$1 root=$2 lines=$3
  shift 3
  note=$(gateway_note "$size" "$root")
  send attest/v1/gw-test/cosig/witness-a "$(printf '{"log":"%s","note":%s,"size":%d}' "$log" "$(quote "${note%x}$lines"$'\n')" "$size")" "$@"
}
three_entries() { # delivers entries 0 to 2 and sets root2, root3
  local message leaves=()
  for content in "$START" "$STOP" "$STOP"; do
    message=$(seal "$(session "$content")")
    send attest/v1/gw-test/log "$message"
    leaves+=("$(leaf_hex "$message")")
    after "$message"
  done
  root2=$(node_hex "${leaves[0]}" "${leaves[1]}")
  root3=$(node_hex "$root2" "${leaves[2]}")
}

checkpoints() {
  local root2 root3 text note line time=$((IAT + 60))
  printf '[\n'

  open_checkpoints TV-21 'a checkpoint that agrees, again, and of the same size later' 0
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  beat 3000 3 "$root3"
  beat 4000 3 "$root3"
  open_checkpoints TV-21 'a rollback' 0
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  beat 4000 2 "$root2" E_ROLLBACK
  open_checkpoints TV-21 'the same size with another root' 0
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  beat 4000 3 "$root2" E_FORK
  open_checkpoints TV-21 'a root that is not that of the entries' 0
  manifest 1
  three_entries
  beat 3000 3 "$root2" E_FORK
  open_checkpoints TV-21 'a checkpoint before its entries' 0
  manifest 1
  beat 3000 7 "$root3" W_GAP
  open_checkpoints TV-21 'notes that do not fit their heartbeat' 0
  manifest 1
  three_entries
  note=$(gateway_note 2 "$root2")
  heartbeat 3000 3 "$root3" "${note%x}" E_CHECKPOINT
  note=$(gateway_note 3 "$root2")
  heartbeat 3000 3 "$root3" "${note%x}" E_CHECKPOINT
  text=$(checkpoint_text 3 "$root3")
  text=${text%x}
  heartbeat 3000 3 "$root3" "$text"$'\n'"$(note_line "$log" 01 witness "$text")"$'\n' E_CHECKPOINT
  heartbeat 3000 3 "$root3" "$text" E_CHECKPOINT

  open_checkpoints TV-22 'a cosignature by a listed witness' 3
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  text=$(checkpoint_text 3 "$root3")
  text=${text%x}
  cosigned 3 "$root3" "$(cosignature_line example.org/witness-a witness "$time" "$text")"
  open_checkpoints TV-22 'an unknown cosigner, a wrong key id, a time that was not signed' 0
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  cosigned 3 "$root3" "$(cosignature_line example.org/witness-b stranger "$time" "$text")"
  cosigned 3 "$root3" "$(cosignature_line example.org/witness-a stranger "$time" "$text")"
  line=$(cosignature_line example.org/witness-a witness "$time" "$text")
  cosigned 3 "$root3" "${line/witness-a tJAXrAAAAABr/witness-a tJAXrAAAAABs}"
  open_checkpoints TV-22 'a cosignature dated before what the entries claim' 3
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  cosigned 3 "$root3" "$(cosignature_line example.org/witness-a witness $((IAT + 2 - 121)) "$text")" E_TIME_WINDOW
  open_checkpoints TV-22 'the cosignature of another tree of that size' 0
  manifest 1
  three_entries
  beat 3000 3 "$root3"
  text=$(checkpoint_text 3 "$root2")
  text=${text%x}
  cosigned 3 "$root2" "$(cosignature_line example.org/witness-a witness "$time" "$text")" E_FORK

  open_checkpoints TV-23 'a key revoked at last_good: one below, at, one above' 0
  manifest 1 "{\"iat\":$IAT,\"last_good\":{\"root\":\"$(printf %s "$root2" | xxd -r -p | b64u)\",\"size\":2},\"reason\":\"stolen\"}"
  first_three_of_a_revoked_key
  beat 3000 2 "$root2"
  beat 4000 3 "$root3" E_KEY_REVOKED

  printf '\n    ]\n  }\n]\n'
}
first_three_of_a_revoked_key() {
  local message codes=('' '' E_KEY_REVOKED)
  for content in "$START" "$STOP" "$STOP"; do
    message=$(seal "$(session "$content")")
    send attest/v1/gw-test/log "$message" ${codes[seq]}
    after "$message"
  done
}

case "${1:-}" in
known-answers) known_answers ;;
cases) cases ;;
checkpoints) checkpoints ;;
'')
  cd "$(dirname "$0")/../test/vectors"
  known_answers >known-answers.json
  cases >cases.json
  checkpoints >checkpoints.json
  ;;
*)
  echo "usage: $0 [known-answers|cases|checkpoints]" >&2
  exit 2
  ;;
esac
