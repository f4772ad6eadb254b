# Shortcuts. The work is done by scripts/ and .ci/, which say more.
.PHONY: build check conformance test

build:
	CGO_ENABLED=0 go build -o build/simterpose ./cmd/simterpose

test:
	scripts/test

check:
	.ci/run

# FLAGS="-run go/net -reuse", for instance: see docs/conformance.md.
conformance:
	go run ./internal/conformance $(FLAGS)
