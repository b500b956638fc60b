#!/bin/sh
# Runs a "training" in a shell, and writes what it did as an experiment of neptune. POSIX alone.
#
#   sh train.sh FOLDER && neptune import json FOLDER/shell.json
set -eu

folder=${1:-.}
mkdir -p "$folder"
json=$folder/shell.json

# The text on standard input, as a text of JSON.
quoted() {
    awk 'BEGIN { printf "\"" }
         NR > 1 { printf "\\n" }
         { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); gsub(/\r/, "\\r"); printf "%s", $0 }
         END { printf "\"" }'
}

# An image is a file that is there already, or one that is easy to write: here a grey one of 4 x 1 pixels.
printf 'P2\n4 1\n255\n0 85 170 255\n' >"$folder/ramp.pgm"
cp "$0" "$folder/train.sh"
: >"$folder/log.txt"

# Each entry is written when it is known: a list of entries needs no other tool.
metrics=""
step=0
error=1024
while [ "$error" -gt 1 ]; do
    metrics="$metrics${metrics:+,
  }{\"name\": \"train/error\", \"x\": $step, \"y\": $error, \"timestamp\": $(date +%s)}"
    echo "step $step: the error is \"$error\"" >>"$folder/log.txt"
    step=$((step + 1))
    error=$((error / 2))
done

cat >"$json" <<END
{
 "name": "halving, from a shell",
 "description": "Written by POSIX tools alone.",
 "params": {"start": 1024, "shell": "sh"},
 "properties": {"machine": $(uname -s | quoted)},
 "tags": ["shell"],
 "upload_source_files": "train.sh",
 "log_metric": [
  $metrics
 ],
 "log_text": {"log": $(quoted <"$folder/log.txt")},
 "log_image": {"ramp": "ramp.pgm"},
 "log_artifact": [{"path": "log.txt", "destination": "logs/all.txt"}]
}
END
echo "$json"
