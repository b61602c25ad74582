#!/usr/bin/env bash
# statelint 3.1.0 accepts a JSONata expression that does not parse, also with --eval-jsonata.
#
# Seen 2026-11-30: a Pass state whose Output is `{% $sum( %}` passes without a word and with exit status 0, with and
# without the option, while a JSONata parser (jsonata-python 0.7.1) refuses the expression: "Expected ) before end of
# expression". State machines need such a parser beside it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check statelint==3.1.0 jsonata-python==0.7.1

cat > machine.json <<'JSON'
{
  "QueryLanguage": "JSONata",
  "StartAt": "Add",
  "States": {"Add": {"Type": "Pass", "Output": "{% $sum( %}", "End": true}}
}
JSON

for option in "" --eval-jsonata; do
  # shellcheck disable=SC2086 - no option is no word
  said=$(venv/bin/statelint $option machine.json 2>&1) && status=0 || status=$?
  echo "statelint ${option:-without an option}: status $status, said '$said'"
  [ "$status" = 0 ] && [ -z "$said" ] || { echo "changed: statelint finds something now"; exit 1; }
done

if venv/bin/python -c 'import jsonata; jsonata.Jsonata("$sum(")' 2> error.txt; then
  echo "changed: the expression parses now"; exit 1
fi
tail -n 1 error.txt
