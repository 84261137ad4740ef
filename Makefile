# `make demo` and `make test` need only python3 (with venv and pip) and make.
PYTHON ?= python3
UV = .venv/bin/python -m uv
RUN = $(UV) run --quiet --all-extras

.PHONY: demo test check bench clean

demo: .venv/ready
	@$(UV) run --quiet --extra cli --extra zstd registry-fp demo $(ARCHIVE)

test: .venv/ready
	$(RUN) pytest

check: .venv/ready
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) lint-imports
	$(RUN) mypy
	$(RUN) pyright

bench: .venv/ready
	$(RUN) python -m tests.bench

clean:
	rm -rf .venv .cache dist

# A venv first: Debian's own python3 is externally managed (PEP 668) and refuses a plain pip install.
# pip before 24.2 believes only its own certificates; an index behind a private authority needs the machine's.
BUNDLE = $(firstword $(wildcard $(PIP_CERT) $(SSL_CERT_FILE) /etc/ssl/certs/ca-certificates.crt \
	/etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))

.venv/ready:
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check $(if $(BUNDLE),--cert $(BUNDLE)) 'uv>=0.9'
	@touch $@
