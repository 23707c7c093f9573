# make test   builds everything and runs every test
# make conformance   runs ONNX's operator tests and rewrites the table tests/conformance/onnx-node.csv
# make demo   one model at three lengths under two strategies, with traces
# make picture   the README's picture of a report, web/report.png
# make format rewrites the sources in the one form the tests accept

BUILD := build/release
DVMSIM := $(BUILD)/cli/dvmsim
DEMO := build/demo

.PHONY: build test demo conformance picture format clean

build:
	.ci/setup
	cmake --preset release
	cmake --build --preset release

test: build
	ctest --preset release --parallel 2

demo: build
	mkdir -p $(DEMO)
	for seq in 16 100 333; do \
	  for strategy in eager dvm; do \
	    $(DVMSIM) run configs/workloads/encoder.graph --dim seq=$$seq --strategy $$strategy --check eval \
	      --trace $(DEMO)/encoder-$$seq-$$strategy.pftrace \
	      --html $(DEMO)/encoder-$$seq-$$strategy.html \
	      --json $(DEMO)/encoder-$$seq-$$strategy.json || exit $$?; \
	  done; \
	done
	@echo "open $(DEMO)/*.html in a browser, $(DEMO)/*.pftrace at https://ui.perfetto.dev"

conformance: build
	DVMSIM_UPDATE_CONFORMANCE=1 $(BUILD)/tests/conformance_test

picture: build
	node web/picture.mjs $(DVMSIM) web/report.png

format:
	find vm compiler sim traces cli web dvmsim examples tests -name '*.h' -o -name '*.cpp' | grep -v node_modules | xargs clang-format -i

clean:
	rm -rf build
