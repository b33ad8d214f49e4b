# A lender's first requests with curl, 7.76 or later. Say before:
#   export XINHENG_URL=https://… XINHENG_KEY=xh_…
#   export SUBJECT=(credit code) REFERENCE=(number of the signed document) DOCUMENT=(its file) FROM=(day) UNTIL=(day)
set -eu

# send ADDRESS BODY [OPTION …]. The key goes in by a pipe: on a command line every user of the machine could
# read it. 429 and 503 are waited out, as long as the server says.
send() {
    address=$XINHENG_URL$1 body=$2
    shift 2
    printf 'Authorization: Bearer %s' "$XINHENG_KEY" |
        curl --silent --show-error --fail-with-body --retry 5 --header @- \
            --header "Content-Type: application/json" --data "$body" "$@" "$address"
    echo
}

# 1. Register the consent that the enterprise has signed. Sent again under its Idempotency-Key, it is still one.
digest=$(sha256sum <"$DOCUMENT" | cut -d ' ' -f 1)
once=$(echo "$SUBJECT $REFERENCE $digest $FROM $UNTIL" | sha256sum | cut -c 1-32)
send /v1/consents "{\"subject_id\": \"$SUBJECT\", \"purposes\": [\"loan\"],
    \"valid_from\": \"$FROM\", \"valid_until\": \"$UNTIL\",
    \"reference\": \"$REFERENCE\", \"document_sha256\": \"$digest\"}" \
    --header "Idempotency-Key: $once"

# 2. Ask under it: tier, date of the grade, last day to rely on it, lane.
send /v1/lender-checks "{\"subject_id\": \"$SUBJECT\", \"consent\": \"$REFERENCE\", \"purpose\": \"loan\"}"
