#!/usr/bin/env bash
# The proxy of LiteLLM, from PyPI. lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { install_pypi litellm 'litellm[proxy]==1.108.7'; }
version() { "$CACHE/litellm/bin/pip" list --format freeze 2>/dev/null | sed -n 's/^litellm==//p'; }
settings() {
  cat <<'TEXT'
One worker process of uvicorn. One model (`openai/…` with `api_base`), `num_retries: 2`. No
database, no master key, no callbacks. `LITELLM_LOG=ERROR` and a log configuration without
handlers.
TEXT
}

serve() {
  cat >"$FOLDER/config.yaml" <<CONF
model_list:
- model_name: bench
  litellm_params:
    model: openai/bench
    api_base: http://$ORIGIN/v1
    api_key: key-of-the-origin
litellm_settings:
  num_retries: 2
CONF
  echo '{"version": 1, "disable_existing_loggers": true}' >"$FOLDER/log.json"
  export LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY=true
  # Without the first variable, it requests a file of prices from the internet.
  export LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_LOG=ERROR LITELLM_TELEMETRY=False
  run "$CACHE/litellm/bin/litellm" --config "$FOLDER/config.yaml" --host 127.0.0.1 --port "$PORT" \
    --num_workers 1 --keepalive_timeout 600 --log_config "$FOLDER/log.json"
}

main "$@"
