# shellcheck shell=bash
# What the walk-throughs with the AWS CLI share; each function ends the script with what it expected and found.

step() {
    printf '== %s\n' "$1"
}

fail() {
    printf 'line %s: %s\n' "${BASH_LINENO[1]}" "$1" >&2
    exit 1
}

same() {
    [[ $1 == "$2" ]] || fail "expected '$1', found '$2'"
}

# refused CODE COMMAND...: AWS's error code.
refused() {
    local code=$1 found
    shift
    if found=$("$@" 2>&1); then
        fail "expected $code, but it was done"
    fi
    [[ $found == *"($code)"* ]] || fail "expected $code, found $found"
}

words() {
    tr -s '\t\n ' ' ' | sed 's/ $//'
}

# health TARGET_GROUP [TARGET]: state and reason of each target, or of one.
health() {
    aws elbv2 describe-target-health --target-group-arn "$1" ${2:+--targets "Id=$2"} \
        --query 'TargetHealthDescriptions[].TargetHealth.[State, Reason]' --output text | words
}

# page URL: the text of a page, without its tags.
page() {
    curl -fsS "$1" | sed 's/<[^>]*>//g' | words | sed 's/^ //'
}

# alternates TEXT TEXT URL: two targets take turns.
alternates() {
    local found
    found="$(page "$3"),$(page "$3"),$(page "$3"),$(page "$3")"
    [[ $found == "$1,$2,$1,$2" || $found == "$2,$1,$2,$1" ]] || fail "no alternation of '$1' and '$2': $found"
}

# until_health EXPECTED TARGET_GROUP TARGET: waits up to 120 s for state and reason.
until_health() {
    local deadline=$((SECONDS + 120)) found
    while found=$(health "$2" "$3"); [[ $found != "$1" ]]; do
        ((SECONDS < deadline)) || fail "expected health '$1', found '$found'"
    done
}
